// The order and the persistence of a journal's entries: each is written after the one before it, and one that could not
// be written is retried until it is. While any is missing on the disk the journal is marked as incomplete, so that a
// later process knows that it does not know everything (in doubt it captures nothing).

import type { SightlineError } from '../shared/errors.ts';

export interface WriteQueuePorts<T> {
  /** Resolves when all of the items are durable. One call at a time; again with the same ones after a failure. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /**
   * Durably notes whether the journal lacks an entry. Must not need disk space to note that it does.
   * @throws whatever the disk says
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

interface Guard {
  /** The newest item when the guard was asked for; null: none was pending. */
  readonly upTo: object | null;
  readonly resolve: () => void;
  readonly reject: (error: SightlineError) => void;
}

/** Waits between attempts; the last one repeats. Short enough for several attempts within a request's deadline. */
const RETRY_DELAYS_MS = [100, 200, 400, 800, 1600, 2000] as const;

/** So many items at most are written at once: a failure costs no more than these again. */
const MAX_BATCH = 64;

export class WriteQueue<T> {
  private readonly pending: Pending<T>[] = [];
  private guards: Guard[] = [];
  private current: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private lookAgain = false;
  private failures = 0;
  private closed = false;
  private error: SightlineError | null = null;

  /**
   * @param markedIncomplete whether the journal is marked already
   * @param mayComplete false: the mark stays even when everything is written, until `allowComplete`
   */
  constructor(
    private readonly ports: WriteQueuePorts<T>,
    private markedIncomplete: boolean,
    private mayComplete = true,
  ) {}

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
   * @param onFailure called at the first failed attempt, or at once while writing fails
   */
  append(item: T, onFailure: (error: SightlineError) => void = () => undefined): Promise<void> {
    if (this.closed) return Promise.resolve();
    if (this.error !== null) onFailure(this.error);
    return new Promise((resolve) => {
      this.pending.push({ item, written: resolve, failed: onFailure });
      this.run();
    });
  }

  /**
   * Resolves once a later process cannot miss what has been appended so far: it is durable, or the journal is marked as
   * incomplete. @throws SightlineError when neither could be done
   */
  guard(): Promise<void> {
    const newest = this.pending.at(-1);
    if (newest === undefined || this.markedIncomplete) return Promise.resolve();
    return new Promise((resolve, reject) => this.guards.push({ upTo: newest, resolve, reject }));
  }

  /** From now on a journal that has everything may be marked as complete. */
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
    this.settleGuards(() => true, null);
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
        this.settleGuards(({ upTo }) => batch.some((one) => one === upTo), null);
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
      this.settleGuards(() => true, null);
    } catch {
      this.settleGuards(() => true, error);
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
      // Safe: what is marked is only believed less than it deserves.
      this.markedIncomplete = true;
    });
  }

  private settleGuards(settles: (guard: Guard) => boolean, error: SightlineError | null): void {
    const settled = this.guards.filter(settles);
    if (settled.length === 0) return;
    this.guards = this.guards.filter((guard) => !settles(guard));
    for (const { resolve, reject } of settled) {
      if (error === null) resolve();
      else reject(error);
    }
  }
}
