// How much one address, one user and all together may ask for. Counts only; sizes and times of connections are in listen.ts.

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ReviewFailure } from '../failure.ts';

export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

/** Of one user, unless it says otherwise. A list that is scrolled fast asks for a hundred thumbnails a second. */
export const rates = {
  /** Of one address, before it is known who asks. */
  address: { points: 4000, seconds: 10 },
  user: { points: 3000, seconds: 10 },
  /** Of one address. */
  signIn: { points: 10, seconds: 60 },
  download: { points: 60, seconds: 60 },
  verify: { points: 30, seconds: 60 },
  export: { points: 10, seconds: 60 },
  save: { points: 120, seconds: 60 },
  audit: { points: 60, seconds: 60 },
  refresh: { points: 6, seconds: 60 },
} as const satisfies Record<string, Rate>;
export type RateName = keyof typeof rates;

export class RateLimits {
  readonly #limiters: Readonly<Record<RateName, RateLimiterMemory>>;

  constructor(given: Readonly<Record<RateName, Rate>> = rates) {
    this.#limiters = Object.fromEntries(
      Object.entries(given).map(([name, { points, seconds }]) => [
        name,
        new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
      ]),
    ) as Record<RateName, RateLimiterMemory>;
  }

  /** @throws ReviewFailure TOO_MANY_REQUESTS */
  async take(name: RateName, key: string): Promise<void> {
    try {
      await this.#limiters[name].consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw tooMany(Math.ceil(error.msBeforeNext / 1000));
    }
  }
}

/** Of an address, as limits count it: a network of IPv6 addresses belongs to one customer (RFC 6177). */
export function limitKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? plain.split(':').slice(0, 4).join(':') : plain;
}

export class TooMany extends ReviewFailure {
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super('TOO_MANY_REQUESTS', message);
  }
}

export function tooMany(seconds: number): TooMany {
  return new TooMany(`Too many requests. Wait ${seconds} seconds, and try again.`, Math.max(1, seconds));
}

export interface StreamLimits {
  readonly perUser: number;
  readonly total: number;
}

/** Videos and audio that are being sent: each keeps a file or a connection to S3 open. */
export class OpenStreams {
  readonly #ofUser = new Map<string, number>();
  #total = 0;

  constructor(private readonly limits: StreamLimits) {}

  /** @returns closes it; may be called twice @throws ReviewFailure TOO_MANY_REQUESTS */
  open(user: string): () => void {
    const own = this.#ofUser.get(user) ?? 0;
    if (own >= this.limits.perUser || this.#total >= this.limits.total) {
      throw new TooMany('Too many videos are open. Close some tabs, and try again.', 5);
    }
    this.#ofUser.set(user, own + 1);
    this.#total += 1;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#total -= 1;
      const left = (this.#ofUser.get(user) ?? 1) - 1;
      if (left === 0) this.#ofUser.delete(user);
      else this.#ofUser.set(user, left);
    };
  }

  get total(): number {
    return this.#total;
  }
}
