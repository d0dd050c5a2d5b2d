// Sends the outbox to a bus of Amazon EventBridge, oldest first and at least once: an event leaves the outbox only
// when EventBridge has confirmed it. Woken by an addition and by its own timer; must never poll and never give up.

import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { Logger } from '../platform/log.ts';
import { errno, errorMessage } from '../shared/errors.ts';
import { EVENT_BRIDGE_FAILED, EVENT_BRIDGE_RECOVERED } from '../shared/logEvents.ts';
import type { SetTimer } from '../platform/deadline.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { AwsProblem } from './awsProblem.ts';
import { problemOf, problemOfEntry } from './awsProblem.ts';
import type { Outbox, QueuedEntry, QueuedEvent } from './outbox.ts';
import type { AwsOptions, PutEvents, PutResult } from './putEvents.ts';
import { awsPutEvents } from './putEvents.ts';

export interface EventBridgeOptions extends AwsOptions {
  /** Name or ARN. */
  readonly bus: string;
  readonly outbox: Outbox;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: () => number;
  readonly log: Logger;
  readonly setTimer?: SetTimer;
  /** After how long a request counts as lost. */
  readonly requestTimeoutMs?: number;
  /** Sends a request to AWS; the AWS SDK unless given. */
  readonly putEvents?: PutEvents;
}

export interface EventBridgeProblem {
  readonly code: string;
  /** What happened and what to do. */
  readonly message: string;
  /** It needs a fix: waiting does not help. */
  readonly permanent: boolean;
  readonly since: Moment;
}

/** PutEvents takes up to 10 entries; 256 KB is what every region took before the limit was raised to 1 MB. */
export const MAX_ENTRIES = 10;
export const MAX_BYTES = 256 * 1024;

/** Waits are drawn from [0, base * 2^attempts], up to the longest ("full jitter"). */
const RETRY_BASE_MS = 1000;
const RETRY_LONGEST_MS = 5 * 60_000;
const REQUEST_TIMEOUT_MS = 30_000;

export class EventBridge {
  private problem: EventBridgeProblem | null = null;
  private attempts = 0;
  /** So many batches are to hold one event only, to find out which one was refused. */
  private oneByOne = 0;
  private running: Promise<void> | null = null;
  private woken = false;
  private cancelRest: (() => void) | null = null;
  private started = false;
  private readonly stopping = new AbortController();
  private readonly aws: PutEvents;
  private readonly setTimer: SetTimer;

  constructor(private readonly options: EventBridgeOptions) {
    this.aws = options.putEvents ?? awsPutEvents(options);
    this.setTimer = options.setTimer ?? plainTimer;
  }

  /** How many events wait to be sent. */
  get pending(): number {
    return this.options.outbox.pending;
  }

  /** Why the last attempt failed; null when it succeeded. */
  get lastProblem(): EventBridgeProblem | null {
    return this.problem;
  }

  /** Sends what is there, and from now on what is added. */
  start(): void {
    this.started = true;
    this.options.outbox.onAdded = () => this.wake();
    this.wake();
  }

  /** Ends the wait for the next attempt (the cause may be fixed). */
  retryNow(): void {
    this.endRest();
    this.wake();
  }

  /** Resolves when nothing is being sent: everything is delivered, or waits for its next attempt. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** Starts nothing new and gives up the request under way; what it carried may be sent again by the next start. */
  async stop(): Promise<void> {
    this.options.outbox.onAdded = () => undefined;
    this.stopping.abort();
    this.endRest();
    await this.idle();
    this.aws.close();
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private get due(): boolean {
    return this.woken && this.started && !this.stopped && this.cancelRest === null;
  }

  private wake(): void {
    this.woken = true;
    if (this.due) this.running ??= this.work();
  }

  private async work(): Promise<void> {
    do {
      this.woken = false;
      while (await this.sendSome());
    } while (this.due);
    // In the same step as the last check, so that no call falls in between.
    this.running = null;
  }

  /** @returns whether to go on at once */
  private async sendSome(): Promise<boolean> {
    if (this.stopped) return false;
    try {
      const entries = await this.options.outbox.read(this.oneByOne > 0 ? 1 : MAX_ENTRIES);
      if (entries.length === 0) return false;
      this.oneByOne = Math.max(0, this.oneByOne - 1);
      const batch = await this.fitting(entries);
      return batch.length === 0 || (await this.send(batch));
    } catch (error) {
      const message = `The outbox in the data folder cannot be read or changed. Check its disk and permissions. (${errorMessage(error)})`;
      this.rest({ kind: 'passing', code: errno(error) ?? 'OUTBOX', message, credentials: false }, false);
      return false;
    }
  }

  /** As many as one request takes; one that is too large alone goes out of the way. */
  private async fitting(entries: readonly QueuedEntry[]): Promise<QueuedEntry[]> {
    const batch: QueuedEntry[] = [];
    let sizeBytes = 0;
    for (const entry of entries) {
      const size = sizeOf(entryOf(entry.event, this.options.bus));
      if (size > MAX_BYTES) {
        await this.refuse(entry, 'TooLarge', `It has ${size} bytes; EventBridge takes ${MAX_BYTES}.`);
        continue;
      }
      if (sizeBytes + size > MAX_BYTES) break;
      sizeBytes += size;
      batch.push(entry);
    }
    return batch;
  }

  private async send(batch: readonly QueuedEntry[]): Promise<boolean> {
    let results: readonly PutResult[];
    try {
      results = await this.put(batch.map(({ event }) => entryOf(event, this.options.bus)));
      if (results.length !== batch.length)
        throw new Error(`EventBridge answered for ${results.length} of ${batch.length} events.`);
    } catch (error) {
      if (this.stopped) return false;
      return this.requestFailed(batch, problemOf(error));
    }
    let left: AwsProblem | null = null;
    let delivered = 0;
    for (const [index, entry] of batch.entries()) {
      const { ErrorCode: code, ErrorMessage: message } = results[index] ?? {};
      if (code === undefined) {
        await this.options.outbox.remove(entry.name);
        delivered += 1;
        continue;
      }
      const problem = problemOfEntry(code, message);
      if (problem.kind === 'refused') await this.refuse(entry, code, problem.message);
      else if (left?.kind !== 'permanent') left = problem;
    }
    if (left === null) {
      this.recovered();
      return true;
    }
    this.rest(left, delivered > 0);
    return false;
  }

  private async requestFailed(batch: readonly QueuedEntry[], problem: AwsProblem): Promise<boolean> {
    const [first] = batch;
    if (problem.kind !== 'refused' || first === undefined) {
      this.rest(problem, false);
      return false;
    }
    if (batch.length === 1) await this.refuse(first, problem.code, problem.message);
    else this.oneByOne = batch.length;
    return true;
  }

  /** One request, given up after its time. */
  private async put(entries: PutEventsRequestEntry[]): Promise<readonly PutResult[]> {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.options;
    const late = new AbortController();
    const cancel = this.setTimer(() => late.abort(), requestTimeoutMs);
    try {
      return await this.aws.put(entries, AbortSignal.any([late.signal, this.stopping.signal]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      const words = `no answer within ${requestTimeoutMs} ms`;
      throw Object.assign(new Error(words, { cause: error }), { code: 'ETIMEDOUT' });
    } finally {
      cancel();
    }
  }

  private async refuse({ name, event }: QueuedEntry, code: string, message: string): Promise<void> {
    await this.options.outbox.setAside(name, 'refused');
    const { eventDeduplicationId } = event.detail;
    const what =
      'EventBridge rejects a status event permanently; it is set aside in the outbox, the others continue';
    this.options.log.error(what, { file: `${name}.refused`, eventDeduplicationId, code, reason: message });
  }

  private recovered(): void {
    this.attempts = 0;
    if (this.problem === null) return;
    const { code, since } = this.problem;
    this.problem = null;
    this.options.log.info('status events reach EventBridge again', {
      event: EVENT_BRIDGE_RECOVERED,
      was: code,
      since: toTimestamp(since),
    });
  }

  /** Waits for the next attempt. Logs each new reason once. */
  private rest({ kind, code, message, credentials }: AwsProblem, progress: boolean): void {
    const { clock, log, random } = this.options;
    if (credentials) this.aws.forgetCredentials();
    const permanent = kind === 'permanent';
    if (this.problem?.code !== code) {
      log.warn('status events do not reach EventBridge; they wait in the outbox', {
        event: EVENT_BRIDGE_FAILED,
        code,
        reason: message,
        pending: this.pending,
      });
      this.problem = { code, message, permanent, since: clock.now() };
    }
    this.attempts = progress ? 1 : this.attempts + 1;
    if (this.stopped) return;
    const longestMs = permanent ? RETRY_LONGEST_MS : RETRY_BASE_MS * 2 ** Math.min(this.attempts, 20);
    this.cancelRest = this.setTimer(
      () => {
        this.cancelRest = null;
        this.wake();
      },
      random() * Math.min(RETRY_LONGEST_MS, longestMs),
    );
  }

  private endRest(): void {
    this.cancelRest?.();
    this.cancelRest = null;
  }
}

function entryOf(event: QueuedEvent, bus: string): PutEventsRequestEntry {
  return {
    Source: event.source,
    DetailType: event['detail-type'],
    Detail: JSON.stringify(event.detail),
    Resources: event.resources,
    Time: new Date(event.time),
    EventBusName: bus,
  };
}

/** As AWS counts ("Calculating PutEvents event entry size", EventBridge User Guide): 14 for the time, the rest in UTF-8. */
export function sizeOf({ Source, DetailType, Detail, Resources = [] }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 14);
}
