// Whether a page that says hello is let in, where policy `auth` is `endpoint`: asks the endpoint, remembers what it said
// for a while, and keeps the asking within bounds. Tokens are never kept, only their hashes, under a key of this process.

import { createHmac, randomBytes } from 'node:crypto';
import { SightlineError } from '../shared/errors.ts';
import type { Hello } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import type { AuthOutcome, AuthQuestion } from './authEndpoint.ts';
import { canBeAsked } from './authEndpoint.ts';

/** hello is refused. With `retryAfterSeconds` nothing is known against the token; without, only a new one helps. */
export class AdmissionError extends SightlineError {
  constructor(
    message: string,
    readonly retryAfterSeconds: number | null,
  ) {
    super('CLIENT_AUTH_ERROR', message);
  }
}

/** What one connection has tried. */
export class Tries {
  failures = 0;
  notBefore = 0;
}

export interface AdmissionOptions {
  /** For words: its host. The rest of the address may hold what is nobody's business. */
  readonly host: string;
  readonly ask: (token: string, question: AuthQuestion) => Promise<AuthOutcome>;
  readonly appVersion: string;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** The wall clock, in milliseconds: what `expiresAt` is measured by. */
  readonly wallClock: () => number;
}

/** So long an accepted token need not be asked about again, at most and where the endpoint does not say: reloads are quick,
 *  and an endpoint that is away for a while costs no recording; a token that was taken back is good for no longer. */
const ACCEPTED_AT_MOST_MS = 15 * 60_000;
const ACCEPTED_UNSAID_MS = 5 * 60_000;
const REFUSED_MS = 60_000;
const MAX_WAIT_MS = 30_000;
const MAX_UNDER_WAY = 4;
const WINDOW_MS = 60_000;
const MAX_IN_WINDOW = 30;
const MAX_REMEMBERED = 256;

interface Remembered {
  readonly outcome: AuthOutcome;
  readonly until: number;
  /** In a row, for the next wait. */
  readonly failures: number;
}

export class Admission {
  private readonly key = randomBytes(32);
  /** The oldest first. */
  private readonly remembered = new Map<string, Remembered>();
  private readonly underWay = new Map<string, Promise<AuthOutcome>>();
  private asked: number[] = [];

  constructor(private readonly options: AdmissionOptions) {}

  /** @throws AdmissionError */
  async admit(hello: Hello, origin: string, tries: Tries): Promise<void> {
    const { token } = hello;
    if (token === undefined || token === '') {
      throw this.refusal('hello has no token, and policy wants one. Send the agent’s token as "token".');
    }
    if (!canBeAsked(token)) {
      throw this.refusal('The token has more than 8,192 characters, or others than visible ASCII.');
    }
    const question = questionOf(hello, origin, this.options.appVersion);
    const key = this.keyOf(token, question);
    const known = this.remembered.get(key);
    const outcome =
      known !== undefined && known.until > this.options.now()
        ? known.outcome
        : await (this.underWay.get(key) ?? this.start(key, token, question, tries));
    this.settle(outcome, tries, this.remembered.get(key)?.until ?? 0);
  }

  /** Nothing is awaited before the question is on its way: two who ask the same ask once. */
  private start(key: string, token: string, question: AuthQuestion, tries: Tries): Promise<AuthOutcome> {
    const now = this.options.now();
    this.asked = this.asked.filter((at) => at > now - WINDOW_MS);
    if (tries.notBefore > now) throw this.later('This page has been refused before', tries.notBefore - now);
    if (this.underWay.size >= MAX_UNDER_WAY) throw this.later('Too many pages are being checked', 1000);
    const [oldest] = this.asked;
    if (oldest !== undefined && this.asked.length >= MAX_IN_WINDOW) {
      throw this.later('Too many pages were checked lately', oldest + WINDOW_MS - now);
    }
    this.asked.push(now);
    const asking = this.options
      .ask(token, question)
      .then((outcome) => {
        this.remember(key, outcome);
        const ms = Math.round(this.options.now() - now);
        const why = outcome.kind === 'accepted' ? {} : { reason: outcome.why };
        const told = { outcome: outcome.kind, origin: question.origin, host: this.options.host, ms, ...why };
        if (outcome.kind === 'accepted') this.options.log.info('a page’s token was checked', told);
        else this.options.log.warn('a page’s token was checked', told);
        return outcome;
      })
      .finally(() => this.underWay.delete(key));
    this.underWay.set(key, asking);
    return asking;
  }

  private settle(outcome: AuthOutcome, tries: Tries, until: number): void {
    if (outcome.kind === 'accepted') {
      tries.failures = 0;
      tries.notBefore = 0;
      return;
    }
    const now = this.options.now();
    // A page that was refused once may come with a new token at once.
    tries.notBefore = now + (tries.failures === 0 ? 0 : waitMs(tries.failures));
    tries.failures += 1;
    if (outcome.kind === 'refused') {
      throw this.refusal(
        `The authentication endpoint ${this.options.host} refused the token: ${outcome.why}. Sign in again, and say hello with a new token.`,
      );
    }
    throw this.later(
      `The authentication endpoint ${this.options.host} could not check the token: ${outcome.why}`,
      Math.max(until, tries.notBefore) - now,
    );
  }

  private remember(key: string, outcome: AuthOutcome): void {
    const before = this.remembered.get(key);
    const failures = outcome.kind === 'unavailable' ? (before?.failures ?? 0) + 1 : 0;
    const forMs = this.memoryMs(outcome, failures);
    this.remembered.delete(key);
    if (forMs > 0) this.remembered.set(key, { outcome, until: this.options.now() + forMs, failures });
    const [oldest] = this.remembered.keys();
    if (oldest !== undefined && this.remembered.size > MAX_REMEMBERED) this.remembered.delete(oldest);
  }

  private memoryMs(outcome: AuthOutcome, failures: number): number {
    switch (outcome.kind) {
      case 'accepted':
        if (outcome.expiresAt === null) return ACCEPTED_UNSAID_MS;
        return Math.min(ACCEPTED_AT_MOST_MS, outcome.expiresAt.getTime() - this.options.wallClock());
      case 'refused':
        return REFUSED_MS;
      case 'unavailable':
        return waitMs(failures);
    }
  }

  /** Who it is good for belongs to it: an accepted token admits nobody else. */
  private keyOf(token: string, question: AuthQuestion): string {
    return createHmac('sha256', this.key)
      .update(JSON.stringify([token, question]))
      .digest('base64');
  }

  private refusal(message: string): AdmissionError {
    return new AdmissionError(message, null);
  }

  private later(what: string, ms: number): AdmissionError {
    const seconds = Math.max(1, Math.ceil(ms / 1000));
    return new AdmissionError(
      `${what}. Say hello again in ${seconds} s; nothing is recorded before.`,
      seconds,
    );
  }
}

/** 1, 2, 4 ... 30 s, and up to a fifth more, so that a thousand desks do not come back in the same second. */
function waitMs(failures: number): number {
  return Math.min(MAX_WAIT_MS, 1000 * 2 ** Math.min(failures - 1, 10)) * (1 + Math.random() / 5);
}

function questionOf(hello: Hello, origin: string, appVersion: string): AuthQuestion {
  const { agentArn, instanceArn, instanceAlias } = hello;
  return {
    agentArn,
    instanceArn,
    ...(instanceAlias === undefined ? {} : { instanceAlias }),
    origin,
    appVersion,
  };
}
