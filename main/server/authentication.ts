// Authentication of pages, where policy `auth` is `endpoint`: checks the token of a hello with the endpoint, caches the
// outcome for a while, and limits the checks. Tokens are never kept, only their hashes, under a key of this process.

import { createHmac, randomBytes } from 'node:crypto';
import { PolicyError, SightlineError } from '../shared/errors.ts';
import type { Hello } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import type { Network } from '../platform/network/network.ts';
import { appVersion } from '../platform/version.ts';
import type { AuthOutcome, AuthQuestion } from './authEndpoint.ts';
import { askEndpoint, isSendable } from './authEndpoint.ts';

/** hello is refused. `retryAfterSeconds` null: only a new token helps. */
export class AuthenticationError extends SightlineError {
  constructor(
    message: string,
    readonly retryAfterSeconds: number | null,
  ) {
    super('CLIENT_AUTH_ERROR', message);
  }
}

/** The failed attempts of one connection. */
export class Attempts {
  failures = 0;
  notBefore = 0;
}

export interface AuthenticationOptions {
  /** Of the endpoint, for messages and the log. The rest of its address may be confidential. */
  readonly host: string;
  readonly ask: (token: string, question: AuthQuestion) => Promise<AuthOutcome>;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** The wall clock, in milliseconds, for comparison with `expiresAt`. */
  readonly wallClock: () => number;
}

/** How long an accepted token is cached: reloads are quick, and a short outage of the endpoint costs no recording. It is
 *  also how long a revoked token still works. */
const MAX_ACCEPTED_MS = 15 * 60_000;
/** Where the endpoint gives no `expiresAt`. */
const DEFAULT_ACCEPTED_MS = 5 * 60_000;
const REFUSED_MS = 60_000;
const MAX_WAIT_MS = 30_000;
const MAX_CONCURRENT = 4;
const WINDOW_MS = 60_000;
const MAX_IN_WINDOW = 30;
const MAX_CACHED = 256;

interface Cached {
  readonly outcome: AuthOutcome;
  readonly until: number;
  /** In a row; they determine the next wait. */
  readonly failures: number;
}

/** What policy says about authentication. */
export interface AuthenticationPolicy {
  readonly auth: 'origin' | 'endpoint';
  readonly authUrl: string | null;
  readonly instanceAlias: string | null;
}

/** Uses policy's alias, never the page's: a page must not choose the endpoint that vouches for it. null: none is known. */
export function authUrlOf({ authUrl, instanceAlias }: AuthenticationPolicy): string | null {
  if (authUrl !== null) return authUrl;
  return instanceAlias === null ? null : `https://${instanceAlias}.my.connect.aws/taps/client/auth`;
}

/** null: policy requires no token. @throws PolicyError */
export function authenticationOf(
  policy: AuthenticationPolicy,
  network: Network,
  log: Logger,
): Authentication | null {
  if (policy.auth === 'origin') return null;
  const url = authUrlOf(policy);
  if (url === null)
    throw new PolicyError(
      'Policy "auth" is "endpoint", but no endpoint is set. Set "authUrl" or "instanceAlias".',
    );
  return new Authentication({
    host: new URL(url).host,
    ask: (token, question) => askEndpoint(network, url, token, question),
    log,
    now: () => performance.now(),
    wallClock: Date.now,
  });
}

export class Authentication {
  private readonly key = randomBytes(32);
  /** Oldest first. */
  private readonly cached = new Map<string, Cached>();
  private readonly pending = new Map<string, Promise<AuthOutcome>>();
  private checkedAt: number[] = [];

  constructor(private readonly options: AuthenticationOptions) {}

  /** @throws AuthenticationError */
  async authenticate(hello: Hello, origin: string, attempts: Attempts): Promise<void> {
    const { agentArn, instanceArn, instanceAlias, token } = hello;
    if (token === undefined || token === '')
      throw refusal('hello has no token, and policy requires one. Send the agent’s token as "token".');
    if (!isSendable(token))
      throw refusal('The token has more than 8,192 characters, or characters other than visible ASCII.');
    const question = { agentArn, instanceArn, instanceAlias, origin, appVersion };
    // With the question: a token is accepted for one agent, instance and origin only.
    const asked = JSON.stringify([token, question]);
    const key = createHmac('sha256', this.key).update(asked).digest('base64');
    const known = this.cached.get(key);
    const outcome =
      known !== undefined && known.until > this.options.now()
        ? known.outcome
        : await (this.pending.get(key) ?? this.start(key, token, question, attempts));
    this.settle(outcome, attempts, this.cached.get(key)?.until ?? 0);
  }

  /** Synchronous up to the request: two pages with the same question share one check. */
  private start(
    key: string,
    token: string,
    question: AuthQuestion,
    attempts: Attempts,
  ): Promise<AuthOutcome> {
    const now = this.options.now();
    this.checkedAt = this.checkedAt.filter((at) => at > now - WINDOW_MS);
    if (attempts.notBefore > now) throw later('This page was refused before', attempts.notBefore - now);
    if (this.pending.size >= MAX_CONCURRENT) throw later('Too many pages are being checked', 1000);
    const [oldest] = this.checkedAt;
    if (oldest !== undefined && this.checkedAt.length >= MAX_IN_WINDOW) {
      throw later('Too many pages were checked lately', oldest + WINDOW_MS - now);
    }
    this.checkedAt.push(now);
    const { ask, host, log } = this.options;
    const asking = ask(token, question)
      .then((outcome) => {
        this.cache(key, outcome);
        const ms = Math.round(this.options.now() - now);
        const fields = { outcome: outcome.kind, origin: question.origin, host, ms };
        if (outcome.kind === 'accepted') log.info('a page’s token was checked', fields);
        else log.warn('a page’s token was checked', { ...fields, reason: outcome.why });
        return outcome;
      })
      .finally(() => this.pending.delete(key));
    this.pending.set(key, asking);
    return asking;
  }

  private settle(outcome: AuthOutcome, attempts: Attempts, until: number): void {
    if (outcome.kind === 'accepted') {
      attempts.failures = 0;
      attempts.notBefore = 0;
      return;
    }
    const now = this.options.now();
    // After the first refusal a page may send a new token at once.
    attempts.notBefore = now + (attempts.failures === 0 ? 0 : waitMs(attempts.failures));
    attempts.failures += 1;
    if (outcome.kind === 'refused') {
      throw refusal(
        `The authentication endpoint ${this.options.host} refused the token: ${outcome.why}. Sign in again, and send hello with a new token.`,
      );
    }
    throw later(
      `The authentication endpoint ${this.options.host} could not check the token: ${outcome.why}`,
      Math.max(until, attempts.notBefore) - now,
    );
  }

  private cache(key: string, outcome: AuthOutcome): void {
    const before = this.cached.get(key);
    const failures = outcome.kind === 'unavailable' ? (before?.failures ?? 0) + 1 : 0;
    const forMs = this.cacheMs(outcome, failures);
    this.cached.delete(key);
    if (forMs > 0) this.cached.set(key, { outcome, until: this.options.now() + forMs, failures });
    const [oldest] = this.cached.keys();
    if (oldest !== undefined && this.cached.size > MAX_CACHED) this.cached.delete(oldest);
  }

  private cacheMs(outcome: AuthOutcome, failures: number): number {
    switch (outcome.kind) {
      case 'accepted':
        if (outcome.expiresAt === null) return DEFAULT_ACCEPTED_MS;
        return Math.min(MAX_ACCEPTED_MS, outcome.expiresAt.getTime() - this.options.wallClock());
      case 'refused':
        return REFUSED_MS;
      case 'unavailable':
        return waitMs(failures);
    }
  }
}

function refusal(message: string): AuthenticationError {
  return new AuthenticationError(message, null);
}

function later(what: string, ms: number): AuthenticationError {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return new AuthenticationError(
    `${what}. Send hello again in ${seconds} s; nothing is recorded before.`,
    seconds,
  );
}

/** 1, 2, 4 ... 30 s, plus up to 20 % jitter, so that a thousand clients do not retry in the same second. */
function waitMs(failures: number): number {
  return Math.min(MAX_WAIT_MS, 1000 * 2 ** Math.min(failures - 1, 10)) * (1 + Math.random() / 5);
}
