// The queue of status events for one destination (the file, the outbox): writes them in order, each until it is durable.
// Must never drop an event.

import type { Logger } from '../platform/log.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { AnyEvent } from '../shared/deskEvent.ts';
import type { Failure } from '../shared/errors.ts';
import { errno, errorMessage, failure } from '../shared/errors.ts';
import type { RetryLoopOptions } from './retryLoop.ts';
import { RetryLoop } from './retryLoop.ts';

export interface QueuedWrite {
  /** After the first attempt: null when the event is durable, otherwise why it waits for the next attempt. */
  readonly tried: Promise<Failure | null>;
  /** Resolves when the event is durable, however long that takes; never rejects. */
  readonly durable: Promise<void>;
}

export interface EventQueueOptions extends Pick<RetryLoopOptions, 'random' | 'setTimer'> {
  /** The destination, as messages name it. */
  readonly place: string;
  /** Resolves when the event is durable. Called for one event at a time. */
  readonly write: (event: AnyEvent) => Promise<void>;
  readonly log: Logger;
  /** After this time a write that hangs (on a share) counts as failed; it is not started twice. */
  readonly slowMs?: number;
}

const SLOW_MS = 5000;

interface Entry {
  /** A newer one takes its place. */
  readonly replaceable?: true;
  readonly event: AnyEvent;
  readonly tried: (why: Failure | null) => void;
  readonly durable: () => void;
}

export class EventQueue {
  private readonly entries: Entry[] = [];
  private problem: Failure | null = null;
  private readonly loop: RetryLoop;

  constructor(private readonly options: EventQueueOptions) {
    const { random, setTimer } = options;
    this.loop = new RetryLoop({ attempt: () => this.writeNext(), longestMs: 60_000, random, setTimer });
  }

  add(event: AnyEvent): QueuedWrite {
    let tried: Entry['tried'] = () => undefined;
    let durable: Entry['durable'] = () => undefined;
    const write = {
      tried: new Promise<Failure | null>((resolve) => (tried = resolve)),
      durable: new Promise<void>((resolve) => (durable = resolve)),
    };
    this.entries.push({ event, tried, durable });
    this.loop.wake();
    if (this.problem !== null) tried(this.problem);
    return write;
  }

  /** In place of an event that was offered before and is not written yet: of these only the newest is of use. */
  offer(event: AnyEvent): void {
    // The first entry may be on its way.
    const older = this.entries.findIndex(({ replaceable }, index) => index > 0 && replaceable === true);
    if (older !== -1) this.entries.splice(older, 1);
    this.entries.push({ event, replaceable: true, tried: () => undefined, durable: () => undefined });
    this.loop.wake();
  }

  /** Ends the wait for the next attempt. */
  retryNow(): void {
    this.loop.retryNow();
  }

  /** Resolves when nothing is being written: everything is durable, or waits for its next attempt. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  private async writeNext(): Promise<boolean> {
    const [entry] = this.entries;
    if (entry === undefined) return false;
    const { write, slowMs = SLOW_MS } = this.options;
    const endWatch = plainTimer(() => this.failed(new Error(`no answer within ${slowMs} ms`)), slowMs);
    try {
      await write(entry.event);
    } catch (error) {
      this.failed(error);
      this.loop.retryLater();
      return false;
    } finally {
      endWatch();
    }
    this.entries.shift();
    this.recovered();
    entry.tried(null);
    entry.durable();
    return true;
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

  private recovered(): void {
    this.loop.attempts = 0;
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
