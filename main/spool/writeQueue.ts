// The order and the persistence of a journal's entries: each is written after the one before it, and one that could not
// be written is retried until it is. While any is missing on the disk the journal is marked as incomplete, so that a
// later process knows that it does not know everything (in doubt it captures nothing).

import type { SightlineError } from '../shared/errors.ts';

export interface WriteQueuePorts<T> {
  /** Resolves when all of the items are durable. One call at a time; again with the same ones after a failure. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /**
   * Durably notes whether the journal lacks an entry. Must not need disk space to note that it does.
   * @throws the disk's error
   */
  readonly markIncomplete: (incomplete: boolean) => Promise<void>;
  readonly toError: (error: unknown) => SightlineError;
  /** Called once when writing begins to fail, and with null when everything has been written after all. */
  readonly onTrouble: (error: SightlineError | null) => void;
}

interface Pending<T> {
  readonly item: T;
  readonly written: () => void;
  /** Called at the first failed attempt to write this item or one before it. */
  failed: (error: SightlineError) => void;
}

interface Guard<T> {
  /** The newest item when the guard was requested. */
  readonly upTo: Pending<T>;
  /** @param error null: resolved */
  readonly settle: (error: SightlineError | null) => void;
}

/** Waits between attempts; the last one repeats. Short enough for several attempts within a request's deadline. */
const RETRY_DELAYS_MS = [100, 200, 400, 800, 1600, 2000] as const;

/** The maximum number of items per write: a failure repeats no more than these. */
const MAX_BATCH = 64;

export class WriteQueue<T> {
  private readonly pending: Pending<T>[] = [];
  private guards: Guard<T>[] = [];
  private current: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private lookAgain = false;
  private failures = 0;
  private closed = false;
  private error: SightlineError | null = null;
  private mayComplete: boolean;

  /** @param markedIncomplete by an earlier process: the mark stays until `allowComplete`, even when everything is written */
  constructor(
    private readonly ports: WriteQueuePorts<T>,
    private markedIncomplete: boolean,
  ) {
    this.mayComplete = !markedIncomplete;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Why writing fails at present; null: it does not. */
  get trouble(): SightlineError | null {
    return this.error;
  }

  /**
   * Resolves when the item is durable, however long that takes, or when the queue is closed.
   *
   * @param onFailure called once: at the first failed attempt, or immediately while writing fails
   */
  append(item: T, onFailure: (error: SightlineError) => void = () => undefined): Promise<void> {
    if (this.closed) return Promise.resolve();
    const hasFailed = this.error !== null;
    if (this.error !== null) onFailure(this.error);
    return new Promise((resolve) => {
      this.pending.push({ item, written: resolve, failed: hasFailed ? () => undefined : onFailure });
      this.run();
    });
  }

  /**
   * Resolves once a later process cannot miss what has been appended so far: it is durable, or the journal is marked as
   * incomplete. @throws SightlineError when neither could be done
   */
  guard(): Promise<void> {
    const upTo = this.pending.at(-1);
    if (upTo === undefined || this.markedIncomplete) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.guards.push({ upTo, settle: (error) => (error === null ? resolve() : reject(error)) });
    });
  }

  /** The doubt about what an earlier process could not write has been resolved by items appended since. */
  allowComplete(): void {
    this.mayComplete = true;
    this.lookAgain = this.current !== null;
    this.run();
  }

  /** Ends after the attempt that is under way. What could not be written by then is given up. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.current;
    for (const { written } of this.pending.splice(0)) written();
    this.settleGuards(null);
  }

  /** Does nothing while an attempt or the wait for the next one is under way. */
  private run(): void {
    if (this.current !== null || this.timer !== undefined || this.closed) return;
    this.lookAgain = false;
    this.current = this.writeAll().finally(() => {
      this.current = null;
      // An item may have come after the last look at the queue.
      if (this.pending.length > 0 || this.lookAgain) this.run();
    });
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.pending.length > 0 && !this.closed) {
        const batch = this.pending.slice(0, MAX_BATCH);
        await this.ports.write(batch.map(({ item }) => item));
        this.pending.splice(0, batch.length);
        for (const { written } of batch) written();
        this.settleGuards(null, ({ upTo }) => batch.includes(upTo));
      }
    } catch (error) {
      await this.failed(this.ports.toError(error));
      return;
    }
    await this.complete();
  }

  private async failed(error: SightlineError): Promise<void> {
    const isNew = this.error === null;
    this.error = error;
    if (isNew) this.ports.onTrouble(error);
    for (const one of this.pending) {
      one.failed(error);
      one.failed = () => undefined;
    }
    try {
      if (!this.markedIncomplete) await this.ports.markIncomplete(true);
      this.markedIncomplete = true;
      this.settleGuards(null);
    } catch {
      this.settleGuards(error);
    }
    const delayMs = RETRY_DELAYS_MS[Math.min(this.failures, RETRY_DELAYS_MS.length - 1)];
    this.failures += 1;
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.run();
    }, delayMs);
    this.timer.unref();
  }

  private async complete(): Promise<void> {
    if (this.pending.length > 0 || this.closed) return;
    this.failures = 0;
    if (this.error !== null) {
      this.error = null;
      this.ports.onTrouble(null);
    }
    if (!this.markedIncomplete || !this.mayComplete) return;
    // From here on an item that is appended counts as unguarded until it is written.
    this.markedIncomplete = false;
    await this.ports.markIncomplete(false).catch(() => {
      // Safe: a marked journal is trusted less than it deserves.
      this.markedIncomplete = true;
    });
  }

  private settleGuards(
    error: SightlineError | null,
    isSettled: (guard: Guard<T>) => boolean = () => true,
  ): void {
    const settled = this.guards.filter(isSettled);
    this.guards = this.guards.filter((guard) => !settled.includes(guard));
    for (const { settle } of settled) settle(error);
  }
}
