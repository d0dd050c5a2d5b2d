// Does work in order, one attempt at a time, and retries what failed without a limit. Woken by new work and, after a
// failure, by a timer; must never poll and never give up.

import type { SetTimer } from '../platform/deadline.ts';
import { plainTimer } from '../platform/deadline.ts';

export interface RetryLoopOptions {
  /** Does the next piece of work; calls `retryLater` where it failed. @returns whether there may be more to do at once */
  readonly attempt: () => Promise<boolean>;
  /** Waits are drawn from [0, 1 s * 2^attempts], up to this ("full jitter"). */
  readonly longestMs: number;
  readonly random?: (() => number) | undefined;
  readonly setTimer?: SetTimer | undefined;
}

const RETRY_BASE_MS = 1000;

export class RetryLoop {
  /** Failed ones in a row. */
  attempts = 0;
  private running: Promise<void> | null = null;
  private woken = false;
  private stopped = false;
  private cancelWait: (() => void) | null = null;

  constructor(private readonly options: RetryLoopOptions) {}

  /** There is work. Does not shorten the wait after a failure. */
  wake(): void {
    this.woken = true;
    if (this.isDue) this.running ??= this.work();
  }

  /** Ends the wait for the next attempt: the cause may be fixed. */
  retryNow(): void {
    this.endWait();
    this.wake();
  }

  /** Resolves when no attempt is under way: everything is done, or waits for its next attempt. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** Starts nothing new, and waits for the attempt under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.endWait();
    await this.idle();
  }

  /** The attempt has failed: waits for the next one. @param long the longest time, as waiting does not help */
  retryLater(long = false): void {
    this.attempts += 1;
    if (this.stopped) return;
    const { longestMs, random = Math.random, setTimer = plainTimer } = this.options;
    const waitMs = long ? longestMs : Math.min(longestMs, RETRY_BASE_MS * 2 ** Math.min(this.attempts, 20));
    const wake = (): void => {
      this.cancelWait = null;
      this.wake();
    };
    this.cancelWait = setTimer(wake, random() * waitMs);
  }

  private get isDue(): boolean {
    return this.woken && !this.stopped && this.cancelWait === null;
  }

  private async work(): Promise<void> {
    do {
      this.woken = false;
      while (!this.stopped && (await this.options.attempt()));
    } while (this.isDue);
    // In the same step as the last check, so that no call falls in between.
    this.running = null;
  }

  private endWait(): void {
    this.cancelWait?.();
    this.cancelWait = null;
  }
}
