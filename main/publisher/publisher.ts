// The publication queue: finished recordings go to the sink one after the other, and are tried again for as long as
// it takes. The queue needs no file of its own: the spool's journals say what has not been published yet.

import type { Outcome, RetriedRecording } from '../shared/control.ts';
import type { Failure } from '../shared/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { QueuedWrite } from '../status/eventQueue.ts';
import type { Publication } from './delivery.ts';
import type { Progress } from './progress.ts';
import type { SetTimer } from './stallWatch.ts';
import { StallWatch } from './stallWatch.ts';
import { explainDelivery, isPermanent } from './deliveryError.ts';

export interface Uploads {
  /** Waiting, or being published now. */
  readonly pending: number;
  /** Announced as FAILED; still in the spool, and still being tried. */
  readonly failed: number;
  /** Why something waits for its next try; the newest reason where there are several. */
  readonly reason: Failure | null;
}

/** One delivery as it stands. */
export interface QueuedUpload {
  readonly recordingId: string;
  readonly contactId: string;
  /** `live`: its contact goes on. `resting`: has failed and waits for its next try. */
  readonly state: 'live' | 'waiting' | 'sending' | 'resting';
  /** Announced as FAILED. */
  readonly failed: boolean;
  readonly attempts: number;
  /** Of its newest try. */
  readonly why: Failure | null;
  /** null when it does not rest. */
  readonly nextTryAt: Moment | null;
  readonly progress: Progress | null;
}

export interface PublisherPorts {
  readonly publish: (session: SpoolSession, recordingId: string) => Promise<Publication>;
  readonly announcePublished: (
    session: SpoolSession,
    recordingId: string,
    publication: Publication,
  ) => QueuedWrite;
  /** Writes the status events that wait for their next try now. */
  readonly retryEvents: () => void;
  /** The journal knows it, too. */
  readonly onPublished: (recordingId: string, publication: Publication) => void;
  /** Resolves when the event is durable, which may take long. */
  readonly onFailed: (session: SpoolSession, recordingId: string, failure: Failure) => Promise<void>;
  readonly onChange: (uploads: Uploads) => void;
  readonly clock: Clock;
  readonly random: () => number;
  /** Returns the way to call it off. setTimeout, unless time is somebody else's. */
  readonly setTimer?: SetTimer;
  readonly log: Logger;
}

const plainTimer: SetTimer = (act, delayMs) => {
  const timer = setTimeout(act, delayMs);
  return () => clearTimeout(timer);
};

interface Job {
  readonly session: SpoolSession;
  readonly recordingId: string;
  attempts: number;
  announced: boolean;
  /** Of its newest try. */
  why: Failure | null;
  /** Does nothing when it does not rest. */
  cancelRest: () => void;
  nextTryAt: Moment | null;
  /** Asked for while it was being tried: what mended the cause may have come too late for that try. */
  again: boolean;
  /** Told what the next try comes to. */
  waiters: ((outcome: Outcome) => void)[];
}

/** Waits are drawn from [0, base * 2^attempts], up to the longest ("full jitter"). */
const RETRY_BASE_MS = 1000;
const RETRY_LONGEST_MS = 5 * 60_000;
/**
 * What cannot pass by itself is announced as FAILED after so many tries: rights, for one, take a moment to spread. It is
 * tried on then, at the longest waits, and whenever somebody says so.
 */
const PERMANENT_TRIES = 3;

export class Publisher {
  private readonly waiting: Job[] = [];
  /** Failed at least once and waiting for the next try. */
  private readonly resting = new Set<Job>();
  /** Delivered, but PUBLISHED is not durable yet. Until it is the spool keeps the recording. */
  private readonly unannounced = new Map<Job, Outcome>();
  private current: Job | null = null;
  private stopped = false;
  private idleWaiters: (() => void)[] = [];
  private readonly progress = new Map<string, { session: SpoolSession; progress: Progress }>();
  private readonly watchers = new Set<() => void>();

  private readonly stall: StallWatch;

  constructor(private readonly ports: PublisherPorts) {
    this.stall = new StallWatch(ports.setTimer ?? plainTimer, (why) => {
      if (why !== null) ports.log.warn('a delivery stands still', { recordingId: this.current?.recordingId });
      this.changed();
    });
  }

  get uploads(): Uploads {
    const { jobs } = this;
    const failed = jobs.filter((job) => job.announced).length;
    return {
      pending: jobs.length - failed,
      failed,
      reason: this.stall.reason ?? jobs.findLast((job) => job.why !== null)?.why ?? null,
    };
  }

  /** What is on its way or waits to be, in the order in which it is tried; what is under way first. */
  get queue(): QueuedUpload[] {
    const { jobs } = this;
    const queued = jobs.map((job) => ({
      recordingId: job.recordingId,
      contactId: contactOf(job.session, job.recordingId),
      state: job === this.current ? 'sending' : this.waiting.includes(job) ? 'waiting' : 'resting',
      failed: job.announced,
      attempts: job.attempts,
      why: (job === this.current ? this.stall.reason : null) ?? job.why,
      nextTryAt: job.nextTryAt,
      progress: this.progress.get(job.recordingId)?.progress ?? null,
    })) satisfies QueuedUpload[];
    const live = [...this.progress].flatMap(([recordingId, { session, progress }]) =>
      jobs.some((job) => job.recordingId === recordingId)
        ? []
        : [{ recordingId, contactId: contactOf(session, recordingId), ...newLive, progress }],
    );
    return [...queued, ...live];
  }

  /** Told of every change of the queue, progress included. @returns the way to end it */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** A delivery has come so far; null: that try of it is over. */
  progressed(session: SpoolSession, recordingId: string, progress: Progress | null): void {
    if (progress === null) this.progress.delete(recordingId);
    else this.progress.set(recordingId, { session, progress });
    if (this.current?.recordingId === recordingId) this.stall.moved(progress?.sentBytes ?? 0);
    this.tellWatchers();
  }

  enqueue(session: SpoolSession, recordingId: string): void {
    this.waiting.push({
      session,
      recordingId,
      attempts: 0,
      announced: false,
      why: null,
      cancelRest: () => undefined,
      nextTryAt: null,
      again: false,
      waiters: [],
    });
    this.changed();
    void this.work();
  }

  /**
   * Tries what waits for its next try now (support has mended the cause).
   *
   * @param names recordingIds and contactIds; everything without them
   * @returns what is tried, and what becomes of it
   */
  retryNow(names?: readonly string[]): RetriedRecording[] {
    const retried = this.jobs.flatMap((job) => {
      const { recordingId, session } = job;
      const contactId = contactOf(session, recordingId);
      if (names !== undefined && !names.includes(recordingId) && !names.includes(contactId)) return [];
      const known = this.unannounced.get(job);
      const outcome = known ?? new Promise<Outcome>((tell) => job.waiters.push(tell));
      return [{ job, recordingId, contactId, outcome: Promise.resolve(outcome) }];
    });
    if (this.unannounced.size > 0) this.ports.retryEvents();
    for (const { job } of retried) {
      if (this.resting.has(job)) this.wake(job);
      else if (job === this.current) job.again = true;
    }
    return retried.map(({ job: _, ...one }) => one);
  }

  /** Resolves when nothing is being published and nothing waits for its first try or a try that is due. */
  idle(): Promise<void> {
    if (this.current === null && (this.stopped || this.waiting.length === 0)) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Starts nothing new; what is under way is finished, or found again at the next start. */
  stop(): void {
    this.stopped = true;
    for (const job of this.resting) job.cancelRest();
  }

  private get jobs(): Job[] {
    // A try that has just ended may still be the current one.
    const current = this.current === null ? [] : [this.current];
    return [...new Set([...current, ...this.waiting, ...this.resting, ...this.unannounced.keys()])];
  }

  private async work(): Promise<void> {
    if (this.current !== null) return;
    for (;;) {
      const job = this.stopped ? undefined : this.waiting.shift();
      if (job === undefined) break;
      this.current = job;
      this.stall.begin();
      this.tellWatchers();
      const outcome = await this.attempt(job);
      this.stall.end();
      this.current = null;
      if (outcome !== null) tell(job, outcome); // from now on it is not the current one for whoever hears it
      this.changed();
    }
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** @returns null when the next try is to follow at once */
  private async attempt(job: Job): Promise<Outcome | null> {
    const { ports } = this;
    const { session, recordingId } = job;
    job.again = false;
    try {
      const publication = await ports.publish(session, recordingId);
      const { tried, durable } = ports.announcePublished(session, recordingId, publication);
      // In this order: should this process end in between, the next one delivers it again (to itself) and announces it.
      const noted = durable.then(() => this.note(job, publication));
      const outcome: Outcome = { status: 'PUBLISHED', location: publication.receipt.location };
      const whyNot = await tried;
      if (whyNot === null) await noted;
      else this.waitForEvent(job, outcome, whyNot, noted);
      return outcome;
    } catch (error) {
      return this.failed(job, error);
    }
  }

  /**
   * Resolves when the spool has nothing of the recording any more, or at the first failure. It is published, whatever
   * goes wrong: the journal retries by itself, and what is left in the spool goes with the next tidying.
   */
  private async note({ session, recordingId }: Job, publication: Publication): Promise<void> {
    const { ports } = this;
    const { location, sizeBytes } = publication.receipt;
    const at = ports.clock.now();
    const clear = async (onFailure: () => void): Promise<void> => {
      await session.append({ type: 'recording.published', recordingId, at, location, sizeBytes }, onFailure);
      try {
        ports.onPublished(recordingId, publication);
        await session.tidy();
      } catch (error) {
        ports.log.warn('a published recording could not be cleared away', {
          recordingId,
          reason: String(error),
        });
      }
    };
    await new Promise<void>((resolve) => void clear(resolve).then(resolve));
  }

  /** The other recordings go on meanwhile. */
  private waitForEvent(job: Job, outcome: Outcome, why: Failure, noted: Promise<void>): void {
    job.why = why;
    this.unannounced.set(job, outcome);
    void noted
      .catch((error: unknown) => this.failed(job, error))
      .then(() => {
        this.unannounced.delete(job);
        this.changed();
      });
  }

  private failed(job: Job, error: unknown): Outcome | null {
    const { ports } = this;
    job.attempts += 1;
    const why = explainDelivery(error);
    job.why = why;
    const { recordingId, attempts } = job;
    ports.log.warn('publishing failed', { recordingId, attempts, code: why.code, reason: why.message });
    if (!job.announced && isPermanent(error) && attempts >= PERMANENT_TRIES) {
      job.announced = true;
      void this.announceFailed(job, why);
    }
    const outcome: Outcome = { status: 'FAILED', failure: why };
    if (this.stopped) return outcome;
    if (job.again) {
      this.waiting.push(job);
      return null;
    }
    this.resting.add(job);
    const longest = Math.min(RETRY_LONGEST_MS, RETRY_BASE_MS * 2 ** attempts);
    const delayMs = ports.random() * longest;
    job.nextTryAt = ports.clock.now() + delayMs;
    job.cancelRest = (ports.setTimer ?? plainTimer)(() => this.wake(job), delayMs);
    return outcome;
  }

  private async announceFailed({ session, recordingId }: Job, why: Failure): Promise<void> {
    try {
      await this.ports.onFailed(session, recordingId, why);
    } catch (error) {
      const reason = String(error);
      this.ports.log.error('a FAILED event could not be announced', { recordingId, reason });
    }
  }

  private wake(job: Job): void {
    job.cancelRest();
    job.nextTryAt = null;
    this.resting.delete(job);
    this.waiting.push(job);
    void this.work();
  }

  private changed(): void {
    this.guarded(() => this.ports.onChange(this.uploads));
    this.tellWatchers();
  }

  private tellWatchers(): void {
    for (const watcher of this.watchers) this.guarded(watcher);
  }

  /** Whoever shows the queue must not be able to stop it. */
  private guarded(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.ports.log.error('the queue could not be shown', { reason: String(error) });
    }
  }
}

const newLive = { state: 'live', failed: false, attempts: 0, why: null, nextTryAt: null } as const;

function contactOf(session: SpoolSession, recordingId: string): string {
  return session.ledger.recordings.get(recordingId)?.started.contact.contactId ?? '';
}

function tell(job: Job, outcome: Outcome): void {
  const { waiters } = job;
  job.waiters = [];
  for (const waiter of waiters) waiter(outcome);
}
