// Who is signed in now. In memory only: the end of the server ends every session. A session ends after a time without
// requests, after an absolute time, by signing out, or when its user loses access; open videos are cut with it.

import { randomBytes } from 'node:crypto';
import { sha256Hex } from './constantTime.ts';

export interface SessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** Of one user; the one that was used least recently makes room. */
  readonly perUser: number;
  /** Of all users; more are refused. */
  readonly total: number;
}

export interface ReviewSession {
  readonly user: string;
  readonly csrf: string;
  /** Aborted when it ends. */
  readonly ended: AbortSignal;
  /** What the sign-in depended on: the SHA-256 of the user's key. */
  readonly keySha256: string | null;
}

interface Entry extends ReviewSession {
  readonly end: () => void;
  readonly startedAt: number;
  usedAt: number;
}

export class Sessions {
  /** By the SHA-256 of the cookie's value, or by the name of a user whom the proxy has signed in. */
  readonly #sessions = new Map<string, Entry>();

  constructor(
    private readonly limits: SessionLimits,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns the cookie's value, new each time so that nobody can have set it before; null: too many sessions */
  create(
    user: string,
    keySha256: string | null,
  ): { readonly token: string; readonly session: ReviewSession } | null {
    const token = randomBytes(32).toString('base64url');
    const session = this.#add(`token ${sha256Hex(token)}`, user, keySha256);
    return session === null ? null : { token, session };
  }

  find(token: string): ReviewSession | null {
    return this.#use(`token ${sha256Hex(token)}`);
  }

  /** For a proxy, which says with each request who it is: one session for each user. null: too many sessions */
  ofProxyUser(user: string): { readonly session: ReviewSession; readonly isNew: boolean } | null {
    const known = this.#use(`user ${user}`);
    if (known !== null) return { session: known, isNew: false };
    const session = this.#add(`user ${user}`, user, null);
    return session === null ? null : { session, isNew: true };
  }

  end(session: ReviewSession): void {
    for (const [key, entry] of this.#sessions) if (entry === session) this.#end(key);
  }

  /** Ends those that are over or that `keep` refuses: called every few seconds, for their open videos. */
  sweep(keep: (session: ReviewSession) => boolean): void {
    for (const [key, entry] of this.#sessions) if (this.#isOver(entry) || !keep(entry)) this.#end(key);
  }

  endAll(): void {
    for (const key of this.#sessions.keys()) this.#end(key);
  }

  #use(key: string): ReviewSession | null {
    const entry = this.#sessions.get(key);
    if (entry === undefined) return null;
    if (this.#isOver(entry)) {
      this.#end(key);
      return null;
    }
    entry.usedAt = this.now();
    return entry;
  }

  #add(key: string, user: string, keySha256: string | null): ReviewSession | null {
    this.sweep(() => true);
    const own = [...this.#sessions].filter(([, entry]) => entry.user === user);
    own.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    const [oldest] = own;
    if (oldest !== undefined && own.length >= this.limits.perUser) this.#end(oldest[0]);
    if (this.#sessions.size >= this.limits.total) return null;
    const controller = new AbortController();
    const entry: Entry = {
      ...{ user, keySha256, csrf: randomBytes(32).toString('base64url') },
      ...{ ended: controller.signal, end: () => controller.abort() },
      ...{ startedAt: this.now(), usedAt: this.now() },
    };
    this.#sessions.set(key, entry);
    return entry;
  }

  #isOver({ startedAt, usedAt }: Entry): boolean {
    return this.now() - usedAt >= this.limits.idleMs || this.now() - startedAt >= this.limits.absoluteMs;
  }

  #end(key: string): void {
    this.#sessions.get(key)?.end();
    this.#sessions.delete(key);
  }
}
