// Who sends a request, and what that person may do, asked anew for each request: whoever lost access has none at the next one.
// Three ways: the one user of this computer (a one-time link), personal keys over HTTPS, or a proxy that has signed people in.

import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { ReviewFailure } from '../failure.ts';
import { nameSchema, type AccessFile } from './accessFile.ts';
import { isSameSecret } from './constantTime.ts';
import type { Grants } from './grants.ts';
import { limitKey } from './limits.ts';
import type { OneTimeLinks } from './oneTimeLinks.ts';
import type { ReviewSession, Sessions } from './sessions.ts';

export interface ProxyTrust {
  /** Of the proxy, as Node writes them. */
  readonly addresses: readonly string[];
  /** Header names in lower case. */
  readonly secretHeader: string;
  readonly userHeader: string;
  readonly groupsHeader: string;
  readonly secret: string;
}

export type SignIn =
  | { readonly kind: 'local'; readonly user: string; readonly links: OneTimeLinks }
  | { readonly kind: 'keys'; readonly access: AccessFile }
  | { readonly kind: 'proxy'; readonly access: AccessFile; readonly proxy: ProxyTrust };

export interface Caller {
  readonly session: ReviewSession;
  readonly grants: Grants;
  /** Signed in with this request: by the proxy. */
  readonly isNew: boolean;
}

const LOCAL_GRANTS: Grants = [{ role: 'admin', prefixes: [''] }];
const MAX_GROUPS = 500;

const signInRequired = (): ReviewFailure =>
  new ReviewFailure('SIGN_IN_REQUIRED', 'You are not signed in, or your session has ended. Sign in again.');

/** Nobody is told whether a name is known. */
export class NoAccess extends ReviewFailure {
  constructor(readonly user: string) {
    super(
      'NOT_ALLOWED',
      'You have no access to these recordings. Ask the administrator of the review server.',
    );
  }
}

export class Identity {
  constructor(
    readonly signIn: SignIn,
    private readonly sessions: Sessions,
  ) {}

  /** @param token the cookie's value @throws ReviewFailure SIGN_IN_REQUIRED, NOT_ALLOWED */
  async caller(request: IncomingMessage, token: string | undefined): Promise<Caller> {
    if (this.signIn.kind === 'proxy') return this.#proxyCaller(request, this.signIn);
    if (this.signIn.kind === 'keys') await this.signIn.access.refresh();
    const session = token === undefined ? null : this.sessions.find(token);
    if (session === null) throw signInRequired();
    const grants = this.#grantsOf(session);
    if (grants.length === 0) {
      this.sessions.end(session);
      throw signInRequired();
    }
    return { session, grants, isNew: false };
  }

  /** Exchanges a key for its user. null: it is nobody's, or that user has no access. */
  async userOfKey(key: string): Promise<{ readonly user: string; readonly sha256: string } | null> {
    if (this.signIn.kind !== 'keys') return null;
    const { access } = this.signIn;
    await access.refresh();
    const found = access.userOfKey(key);
    return found !== null && access.grantsOf(found.user, []).length > 0 ? found : null;
  }

  /** Ends sessions, and with them open videos, of those who lost access. Groups are known with the next request only. */
  async sweep(): Promise<void> {
    const { signIn } = this;
    if (signIn.kind !== 'local') await signIn.access.refresh();
    this.sessions.sweep((session) => signIn.kind === 'proxy' || this.#grantsOf(session).length > 0);
  }

  /** Of whoever sent the request: for limits and the audit log. Only a proxy that has proven itself says another one. */
  addressOf(request: IncomingMessage): string {
    const own = request.socket.remoteAddress ?? '';
    if (this.signIn.kind !== 'proxy' || !isProxy(request, this.signIn.proxy)) return own;
    // The last one is what the proxy itself saw; those before it are what the client claims.
    const claimed =
      String(request.headers['x-forwarded-for'] ?? '')
        .split(',')
        .at(-1)
        ?.trim() ?? '';
    return /^[0-9a-fA-F:.]{2,45}$/.test(claimed) ? claimed : own;
  }

  limitKeyOf(request: IncomingMessage): string {
    return limitKey(this.addressOf(request));
  }

  #grantsOf(session: ReviewSession): Grants {
    if (this.signIn.kind === 'local') return LOCAL_GRANTS;
    const { user, keySha256 } = session;
    if (keySha256 !== null && !this.signIn.access.hasKey(user, keySha256)) return [];
    return this.signIn.access.grantsOf(user, []);
  }

  async #proxyCaller(
    request: IncomingMessage,
    { access, proxy }: Extract<SignIn, { kind: 'proxy' }>,
  ): Promise<Caller> {
    if (!isProxy(request, proxy))
      throw new ReviewFailure(
        'SIGN_IN_REQUIRED',
        'This server is only reached through its sign-in proxy. Open the address that your company gave you.',
      );
    const name = nameSchema.safeParse(decodedHeader(request.headers[proxy.userHeader]));
    if (!name.success) throw signInRequired();
    const user = name.data;
    await access.refresh();
    const grants = access.grantsOf(user, groupsIn(request.headers[proxy.groupsHeader]));
    if (grants.length === 0) {
      this.sessions.sweep((session) => session.user !== user);
      throw new NoAccess(user);
    }
    const found = this.sessions.ofProxyUser(user);
    if (found === null) throw tooManySessions();
    return { session: found.session, grants, isNew: found.isNew };
  }
}

export function tooManySessions(): ReviewFailure {
  return new ReviewFailure('TOO_MANY_REQUESTS', 'Too many people are signed in. Try again later.');
}

/** Its address alone would be any program on its machine; the secret alone would work from anywhere once it leaks. */
function isProxy(request: IncomingMessage, { addresses, secretHeader, secret }: ProxyTrust): boolean {
  const address = request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
  const shown = request.headers[secretHeader];
  return addresses.includes(address) && typeof shown === 'string' && isSameSecret(shown, secret);
}

/** Node reads headers as Latin-1; proxies write UTF-8. */
function decodedHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : undefined;
}

function groupsIn(value: string | string[] | undefined): string[] {
  const parsed = z.string().max(16_384).safeParse(decodedHeader(value));
  if (!parsed.success) return [];
  return parsed.data
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
    .slice(0, MAX_GROUPS);
}
