// An identity provider as far as tokens go: keys, their publication (JWKS) on the loopback, and every kind of token, good and forged.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';

export interface Issuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** How often the keys were fetched. */
  readonly fetches: number;
  /** Answers with this status instead of keys, while it is one. */
  failWith: number | null;
  /** A good token, with changes: undefined removes a claim. Lives an hour unless told. */
  token(claims?: Readonly<Record<string, unknown>>, algorithm?: 'RS256' | 'ES256'): Promise<string>;
  /** HS256 with the published RSA key as the secret. */
  confused(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Signed by a key that is not published, under a published key's id. */
  forged(): Promise<string>;
  close(): Promise<void>;
}

export const AUDIENCE = 'sightline-pages';

/** @param base claims of each token */
export async function startIssuer(base: JWTPayload): Promise<Issuer> {
  const pairs = {
    RS256: await generateKeyPair('RS256'),
    ES256: await generateKeyPair('ES256'),
  };
  const keys = await Promise.all(
    Object.entries(pairs).map(async ([alg, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      ...{ alg, kid: `${alg}-1`, use: 'sig' },
    })),
  );
  let fetches = 0;
  const server = createServer((_, response) => {
    fetches += 1;
    const { failWith } = self;
    response.writeHead(failWith ?? 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(failWith === null ? { keys } : {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const payload = (claims: Readonly<Record<string, unknown>>): JWTPayload => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: origin, aud: AUDIENCE, iat: now, exp: now + 3600, ...base, ...claims };
  };
  const sign = (claims: JWTPayload, alg: 'RS256' | 'ES256', key: CryptoKey): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: `${alg}-1` }).sign(key);

  const self: Issuer = {
    issuer: origin,
    jwksUrl: `${origin}/.well-known/jwks.json`,
    get fetches() {
      return fetches;
    },
    failWith: null,
    token: (claims = {}, algorithm = 'RS256') =>
      sign(payload(claims), algorithm, pairs[algorithm].privateKey),
    async confused(claims = {}) {
      const secret = await exportSPKI(pairs.RS256.publicKey);
      const text = `${encode({ alg: 'HS256', kid: 'RS256-1' })}.${encode(payload(claims))}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    },
    async forged() {
      const { privateKey } = await generateKeyPair('RS256');
      return sign(payload({}), 'RS256', privateKey);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return self;
}

/** Without a signature, in the ways that libraries have fallen for. */
export function unsigned(alg: string, claims: object): string {
  return `${encode({ alg, typ: 'JWT' })}.${encode(claims)}.`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
