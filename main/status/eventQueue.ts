// The queue of status events for one destination (the file, the outbox): writes them in order, each until it is durable.
// A failed write is retried with backoff, without a limit; otherwise there is no timer. Must never drop an event.

import type { Logger } from '../platform/log.ts';
import type { Failure } from '../shared/errors.ts';
import { errno, errorMessage, failure } from '../shared/errors.ts';
import type { SetTimer } from '../platform/deadline.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { StatusEvent } from '../shared/statusEvent.ts';

export interface QueuedWrite {
  /** After the first attempt: null when the event is durable, otherwise why it waits for the next attempt. */
  readonly tried: Promise<Failure | null>;
  /** Resolves when the event is durable, however long that takes; never rejects. */
  readonly durable: Promise<void>;
}

export interface EventQueueOptions {
  /** The destination, as messages name it. */
  readonly place: string;
  /** Resolves when the event is durable. Called for one event at a time. */
  readonly write: (event: StatusEvent) => Promise<void>;
  readonly log: Logger;
  readonly random?: () => number;
  readonly setTimer?: SetTimer;
  /** After this time a write that hangs (on a share) counts as failed; it is not started twice. */
  readonly slowMs?: number;
}

const SLOW_MS = 5000;
/** Waits are drawn from [0, base * 2^attempts], up to the longest ("full jitter"). */
const RETRY_BASE_MS = 1000;
const RETRY_LONGEST_MS = 60_000;

interface Entry {
  readonly event: StatusEvent;
  readonly tried: (why: Failure | null) => void;
  readonly durable: () => void;
}

export class EventQueue {
  private readonly entries: Entry[] = [];
  private last: Promise<void> = Promise.resolve();
  private attempts = 0;
  private problem: Failure | null = null;
  private cancelRest: (() => void) | null = null;

  constructor(private readonly options: EventQueueOptions) {}

  add(event: StatusEvent): QueuedWrite {
    let tried: Entry['tried'] = () => undefined;
    let durable: Entry['durable'] = () => undefined;
    const telling = {
      tried: new Promise<Failure | null>((resolve) => (tried = resolve)),
      durable: new Promise<void>((resolve) => (durable = resolve)),
    };
    this.entries.push({ event, tried, durable });
    if (this.cancelRest === null) this.work();
    if (this.problem !== null) tried(this.problem);
    return telling;
  }

  /** Ends the wait for the next attempt. */
  retryNow(): void {
    this.cancelRest?.();
    this.cancelRest = null;
    if (this.entries.length > 0) this.work();
  }

  /** Runs a function while nothing is written. Never rejects. */
  between(act: () => Promise<void>): Promise<void> {
    this.last = this.last
      .then(act)
      .catch((error: unknown) =>
        this.options.log.error('an action between two status events failed', { reason: String(error) }),
      );
    this.retryNow();
    return this.last;
  }

  /** Resolves when nothing is being written: everything is durable, or waits for its next attempt. */
  idle(): Promise<void> {
    return this.last;
  }

  private work(): void {
    this.last = this.last.then(() => this.writeAll());
  }

  private async writeAll(): Promise<void> {
    if (this.cancelRest !== null) return;
    for (let entry = this.entries[0]; entry !== undefined; entry = this.entries[0]) {
      const { write, slowMs = SLOW_MS } = this.options;
      const endWatch = plainTimer(() => this.failed(new Error(`no answer within ${slowMs} ms`)), slowMs);
      try {
        await write(entry.event);
      } catch (error) {
        this.failed(error);
        this.rest();
        return;
      } finally {
        endWatch();
      }
      this.entries.shift();
      this.recovered();
      entry.tried(null);
      entry.durable();
    }
  }

  /** Logs each new reason once. */
  private failed(error: unknown): void {
    const { log, place } = this.options;
    const problem = explain(error, place);
    if (this.problem?.message !== problem.message) {
      const { code, message } = problem;
      log.error(message, { code, reason: errorMessage(error), waiting: this.entries.length });
    }
    this.problem = problem;
    for (const entry of this.entries) entry.tried(problem);
  }

  private rest(): void {
    const { random = Math.random, setTimer = plainTimer } = this.options;
    this.attempts += 1;
    const longestMs = Math.min(RETRY_LONGEST_MS, RETRY_BASE_MS * 2 ** Math.min(this.attempts, 20));
    this.cancelRest = setTimer(() => this.retryNow(), random() * longestMs);
  }

  private recovered(): void {
    this.attempts = 0;
    if (this.problem === null) return;
    this.problem = null;
    this.options.log.info(`status events are written to ${this.options.place} again`);
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Free some space on it.',
  EDQUOT: 'The quota of this user on that disk is used up. Free some space on it.',
  EFBIG: 'The file has reached the largest size that is allowed. Move it away.',
  EROFS: 'The disk or share is read-only. Make it writable.',
  EACCES: 'This user may not write there. Grant the right to write.',
  EPERM: 'This user may not write there. Grant the right to write.',
  EISDIR: 'A folder is in its place. Move that folder away.',
  ENOTDIR: 'A file is in the place of its folder. Move that file away.',
  EEXIST: 'A file is in the place of its folder. Move that file away.',
};

function explain(error: unknown, place: string): Failure {
  const remedy = remedies[errno(error) ?? ''] ?? 'Check that its disk or share is connected and works.';
  return failure(
    'EVENTS_NOT_WRITTEN',
    `Status events cannot be written to ${place}. ${remedy} Sightline keeps them and retries automatically.`,
  );
}
