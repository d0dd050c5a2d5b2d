// The upload queue: finished recordings go to the sink one after the other and are retried until they arrive. The queue
// has no file, because the spool's journals state what is not published yet.

import { plainTimer } from '../platform/deadline.ts';
import type { SetTimer } from '../platform/deadline.ts';
import type { Outcome, RetriedRecording } from '../shared/control.ts';
import type { Failure } from '../shared/errors.ts';
import type { ShownUpload } from '../shared/overview.ts';
import type { AppStatePush } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { QueuedWrite } from '../status/eventQueue.ts';
import type { UnpublishedRecording } from './overdueWatch.ts';
import type { UploadResult } from './upload.ts';
import type { Progress } from './progress.ts';
import { StallWatch } from './stallWatch.ts';
import { explainUploadError, isPermanent } from './uploadError.ts';

/** `failed`: announced as FAILED; still in the spool, and still retried. `reason`: the newest one. */
export type Uploads = AppStatePush['uploads'];

export interface QueuedUpload extends Omit<ShownUpload, 'name' | 'reason' | 'progress'> {
  readonly contactId: string;
  /** Of the latest attempt. */
  readonly why: Failure | null;
  readonly progress: Progress | null;
}

export interface PublisherPorts {
  readonly publish: (session: SpoolSession, recordingId: string) => Promise<UploadResult>;
  readonly announcePublished: (
    session: SpoolSession,
    recordingId: string,
    result: UploadResult,
  ) => QueuedWrite;
  /** Retries pending status events now. */
  readonly retryEvents: () => void;
  /** Called after the journal has the entry. */
  readonly onPublished: (recordingId: string, result: UploadResult) => void;
  /** Resolves when the event is durable, which may take long. */
  readonly onFailed: (session: SpoolSession, recordingId: string, failure: Failure) => Promise<void>;
  readonly onChange: (uploads: Uploads) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly setTimer?: SetTimer;
  readonly log: Logger;
}

/** Delays are drawn from [0, base * 2^attempts], up to the longest ("full jitter"). */
const RETRY_BASE_MS = 1000;
const RETRY_LONGEST_MS = 5 * 60_000;
/** A permanent error is announced as FAILED after this many attempts (new rights, for example, take time to spread). */
const PERMANENT_TRIES = 3;
/** Each uses memory and file handles: when so many attempts make no progress, no further one is started. */
const MAX_SET_ASIDE = 3;

/** In the order of `queue`. */
const states = ['sending', 'setAside', 'waiting', 'resting', 'unannounced'] as const;

/** One recording in the queue. */
class Job {
  /**
   * `setAside`: its attempt makes no progress; it continues, and the queue does not wait for it. `resting`: failed at
   * least once; the next attempt is scheduled. `unannounced`: uploaded, but PUBLISHED is not durable yet; until it is
   * the spool keeps the recording.
   */
  state: (typeof states)[number] = 'waiting';
  attempts = 0;
  /** As FAILED. */
  announced = false;
  /** Of the latest attempt. */
  why: Failure | null = null;
  /** null unless it is resting. */
  nextTryAt: Moment | null = null;
  cancelRest = (): void => undefined;
  /** A retry was requested during an attempt, which may have started before the cause was fixed. */
  again = false;
  /** The sink has it. */
  uploaded = false;
  /** null unless it is unannounced. */
  outcome: Outcome | null = null;
  /** Called with the outcome of the next attempt. */
  readonly waiters: ((outcome: Outcome) => void)[] = [];

  constructor(
    readonly session: SpoolSession,
    readonly recordingId: string,
    readonly queuedAt: Moment,
  ) {}

  get contactId(): string {
    return contactOf(this.session, this.recordingId);
  }

  /** @param outcome null: the waiters wait for the attempt that follows */
  settle(outcome: Outcome | null): void {
    if (outcome !== null) for (const waiter of this.waiters.splice(0)) waiter(outcome);
  }
}

export class Publisher {
  /** In the order in which they entered their states. */
  private readonly all = new Set<Job>();
  /** In the current attempt. */
  private current: Job | null = null;
  private stopped = false;
  private readonly idleWaiters: (() => void)[] = [];
  private readonly progress = new Map<string, { session: SpoolSession; progress: Progress }>();
  private readonly watchers = new Set<() => void>();
  private readonly setTimer: SetTimer;
  private readonly stall: StallWatch;

  constructor(private readonly ports: PublisherPorts) {
    this.setTimer = ports.setTimer ?? plainTimer;
    this.stall = new StallWatch(this.setTimer, (why) => {
      if (why !== null)
        ports.log.warn('an upload makes no progress', { recordingId: this.current?.recordingId });
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

  /** In the order of the attempts, the current one first; then the uploads of contacts that continue. */
  get queue(): QueuedUpload[] {
    const { jobs } = this;
    const queued = jobs.map((job) => ({
      recordingId: job.recordingId,
      contactId: job.contactId,
      state: job.state === 'setAside' ? 'sending' : job.state === 'unannounced' ? 'resting' : job.state,
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

  /** What the sink does not have. `announced`: as FAILED. */
  get unpublished(): (UnpublishedRecording & { readonly announced: boolean })[] {
    return this.jobs.filter((job) => !job.uploaded);
  }

  /** Calls back on every change of the queue, progress included. @returns unsubscribes */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** @param progress null: the attempt is over */
  progressed(session: SpoolSession, recordingId: string, progress: Progress | null): void {
    if (progress === null) this.progress.delete(recordingId);
    else this.progress.set(recordingId, { session, progress });
    if (this.current?.recordingId === recordingId && progress !== null)
      this.stall.progressed(progress.sentBytes + (progress.verifiedBytes ?? 0));
    for (const job of this.in('setAside'))
      if (job.recordingId === recordingId && (progress?.bytesPerSecond ?? 0) > 0) job.why = null;
    this.notifyWatchers();
  }

  enqueue(session: SpoolSession, recordingId: string): void {
    this.all.add(new Job(session, recordingId, this.ports.clock.now()));
    this.changed();
    void this.work();
  }

  /**
   * Retries now.
   *
   * @param names recordingIds and contactIds; everything without them
   * @returns the recordings that are retried, with the outcome of each
   */
  retryNow(names?: readonly string[]): RetriedRecording[] {
    const jobs = this.jobs.filter(
      (job) => names === undefined || names.includes(job.recordingId) || names.includes(job.contactId),
    );
    const retried = jobs.map((job) => ({
      recordingId: job.recordingId,
      contactId: job.contactId,
      outcome: Promise.resolve(job.outcome ?? new Promise<Outcome>((resolve) => job.waiters.push(resolve))),
    }));
    if (this.in('unannounced').length > 0) this.ports.retryEvents();
    for (const job of jobs) {
      if (job.state === 'resting') this.wake(job);
      else if (job.state === 'sending' || job.state === 'setAside') job.again = true;
    }
    return retried;
  }

  /** Resolves when no attempt is running or due. Attempts that were set aside do not count. */
  idle(): Promise<void> {
    if (this.current === null && (this.stopped || this.in('waiting').length === 0)) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Starts nothing new. What is running completes, or is found again at the next start. */
  stop(): void {
    this.stopped = true;
    for (const job of this.in('resting')) job.cancelRest();
  }

  private get jobs(): Job[] {
    return states.flatMap((state) => this.in(state));
  }

  private in(state: Job['state']): Job[] {
    return [...this.all].filter((job) => job.state === state);
  }

  private move(job: Job, state: Job['state']): void {
    this.all.delete(job);
    this.all.add(job);
    job.state = state;
  }

  private async work(): Promise<void> {
    if (this.current !== null) return;
    while (!this.stopped && this.in('setAside').length < MAX_SET_ASIDE) {
      const [job] = this.in('waiting');
      if (job === undefined) break;
      this.current = job;
      this.move(job, 'sending');
      const stalled = this.stall.begin();
      this.notifyWatchers();
      const attempt = this.attempt(job);
      const ended = await Promise.race([attempt.then((outcome) => ({ outcome })), stalled]);
      this.stall.end();
      this.current = null;
      if ('outcome' in ended) job.settle(ended.outcome);
      else this.continueWithout(job, attempt, ended);
      this.changed();
    }
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }

  /** The deadline of an attempt. It is not aborted, and not repeated before it ends: two could write the same file. */
  private continueWithout(job: Job, attempt: Promise<Outcome | null>, why: Failure): void {
    const { recordingId } = job;
    this.ports.log.warn('an upload was set aside', { recordingId, code: why.code, reason: why.message });
    this.move(job, 'setAside');
    job.why = why;
    job.settle({ status: 'FAILED', failure: why });
    void attempt.then((outcome) => {
      if (job.state === 'setAside') this.all.delete(job);
      job.settle(outcome);
      this.changed();
      void this.work();
    });
  }

  /** @returns null when the next attempt follows immediately. Never rejects. */
  private async attempt(job: Job): Promise<Outcome | null> {
    const { ports } = this;
    const { session, recordingId } = job;
    job.again = false;
    try {
      const result = await ports.publish(session, recordingId);
      job.uploaded = true;
      const { tried, durable } = ports.announcePublished(session, recordingId, result);
      // In this order: if the process ends in between, the next one uploads the recording again and announces it.
      const noted = durable.then(() => this.note(job, result));
      const outcome: Outcome = { status: 'PUBLISHED', location: result.receipt.location };
      const whyNot = await tried;
      if (whyNot === null) {
        await noted;
        this.all.delete(job);
        return outcome;
      }
      // The other recordings do not wait for this event.
      Object.assign(job, { why: whyNot, outcome });
      this.move(job, 'unannounced');
      const done = (): boolean => this.all.delete(job);
      void noted.then(done, (error: unknown) => this.failed(job, error)).then(() => this.changed());
      return outcome;
    } catch (error) {
      return this.failed(job, error);
    }
  }

  /**
   * Resolves when the spool no longer has the recording, or at the first failure. The recording is published in any case:
   * the journal retries, and the next tidying removes what is left in the spool.
   */
  private async note({ session, recordingId }: Job, result: UploadResult): Promise<void> {
    const { ports } = this;
    const { location, sizeBytes } = result.receipt;
    const at = ports.clock.now();
    const clear = async (onFailure: () => void): Promise<void> => {
      await session.append({ type: 'recording.published', recordingId, at, location, sizeBytes }, onFailure);
      try {
        ports.onPublished(recordingId, result);
        await session.tidy();
      } catch (error) {
        const reason = String(error);
        ports.log.warn('a published recording could not be removed from the spool', { recordingId, reason });
      }
    };
    await new Promise<void>((resolve) => void clear(resolve).then(resolve));
  }

  private failed(job: Job, error: unknown): Outcome | null {
    const { ports } = this;
    job.attempts += 1;
    job.outcome = null;
    const why = explainUploadError(error);
    job.why = why;
    const { recordingId, attempts } = job;
    ports.log.warn('publishing failed', { recordingId, attempts, code: why.code, reason: why.message });
    if (!job.announced && isPermanent(error) && attempts >= PERMANENT_TRIES) {
      job.announced = true;
      void this.announceFailed(job, why);
    }
    const outcome: Outcome = { status: 'FAILED', failure: why };
    if (this.stopped) {
      this.all.delete(job);
      return outcome;
    }
    if (job.again) {
      this.move(job, 'waiting');
      return null;
    }
    this.move(job, 'resting');
    const longest = Math.min(RETRY_LONGEST_MS, RETRY_BASE_MS * 2 ** attempts);
    const delayMs = ports.random() * longest;
    job.nextTryAt = ports.clock.now() + delayMs;
    job.cancelRest = this.setTimer(() => this.wake(job), delayMs);
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
    this.move(job, 'waiting');
    void this.work();
  }

  private changed(): void {
    this.guarded(() => this.ports.onChange(this.uploads));
    this.notifyWatchers();
  }

  private notifyWatchers(): void {
    for (const watcher of this.watchers) this.guarded(watcher);
  }

  /** A listener that throws must not stop the queue. */
  private guarded(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.ports.log.error('a listener of the upload queue failed', { reason: String(error) });
    }
  }
}

const newLive = { state: 'live', failed: false, attempts: 0, why: null, nextTryAt: null } as const;

function contactOf(session: SpoolSession, recordingId: string): string {
  return session.ledger.recordings.get(recordingId)?.started.contact.contactId ?? '';
}
