// Sign-in links that work once, for a few minutes. Only their hashes are kept.

import { randomBytes } from 'node:crypto';
import { sha256Hex } from './constantTime.ts';

export const LINK_LIFETIME_MS = 5 * 60_000;
const MAX_LINKS = 20;

export class OneTimeLinks {
  /** By the token's SHA-256: when it ends. */
  readonly #links = new Map<string, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns a token of 256 bits */
  make(): string {
    const token = randomBytes(32).toString('base64url');
    if (this.#links.size >= MAX_LINKS) this.#links.delete(String([...this.#links.keys()][0]));
    this.#links.set(sha256Hex(token), this.now() + LINK_LIFETIME_MS);
    return token;
  }

  /** Whether it may be exchanged for a session: never a second time. */
  use(token: string): boolean {
    const hash = sha256Hex(token);
    const endsAt = this.#links.get(hash);
    this.#links.delete(hash);
    return endsAt !== undefined && this.now() < endsAt;
  }
}
