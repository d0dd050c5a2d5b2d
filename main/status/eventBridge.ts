// Sends the outbox to the bus of Amazon EventBridge that policy names, oldest first and at least once: an event leaves the
// outbox only when EventBridge has confirmed it. Without a bus, no event gets into the outbox.

import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { Logger } from '../platform/log.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { Network } from '../platform/network/network.ts';
import type { AnyEvent, DeskEvent } from '../shared/deskEvent.ts';
import { errno, errorMessage } from '../shared/errors.ts';
import { EVENT_BRIDGE_FAILED, EVENT_BRIDGE_RECOVERED } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { AwsProblem } from './awsProblem.ts';
import { problemOf, problemOfEntry } from './awsProblem.ts';
import type { Outbox, QueuedEntry, QueuedEvent } from './outbox.ts';
import type { AwsPolicy, IssuedCredentials, PutEvents, PutResult } from './putEvents.ts';
import { awsPutEvents } from './putEvents.ts';
import type { RetryLoopOptions } from './retryLoop.ts';
import { RetryLoop } from './retryLoop.ts';

export interface EventBridgePolicy extends AwsPolicy {
  /** Name or ARN; null: no events are sent. */
  readonly eventBusName: string | null;
}

export interface EventBridgeOptions extends Pick<RetryLoopOptions, 'random' | 'setTimer'> {
  /** Read for each request: policy may change. */
  readonly policy: EventBridgePolicy;
  readonly outbox: Outbox;
  readonly network: Network;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** After this time a request counts as lost. */
  readonly requestTimeoutMs?: number;
  /** Used instead of the profile or the SDK's default chain while there are any. */
  readonly credentials?: IssuedCredentials;
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

const REQUEST_TIMEOUT_MS = 30_000;
/** In the place of a file's name. */
const HEARTBEAT = 'heartbeat';
/** A change of these ends the request under way. */
const busKeys: readonly (keyof EventBridgePolicy)[] = [
  ...(['eventBusName', 'eventBridgeEndpoint', 'awsRegion', 'awsProfile'] as const),
];

export class EventBridge {
  private problem: EventBridgeProblem | null = null;
  /** So many batches are to contain one event only, to find out which one was refused. */
  private oneByOne = 0;
  private started = false;
  /** They came after the request under way had begun. */
  private newCredentials = false;
  /** In memory only, and one: it is worth nothing when it is old. */
  private heartbeat: DeskEvent | null = null;
  /** Ends the request under way. */
  private abort = new AbortController();
  private readonly loop: RetryLoop;
  private readonly aws: PutEvents;

  constructor(private readonly options: EventBridgeOptions) {
    const { policy, network, credentials, putEvents, random, setTimer } = options;
    this.aws = putEvents ?? awsPutEvents(policy, network, credentials);
    this.loop = new RetryLoop({
      attempt: () => this.sendSome(),
      ...{ longestMs: 5 * 60_000, random, setTimer },
    });
  }

  /** Why the last attempt failed; null when it succeeded, or without a bus. */
  get lastProblem(): EventBridgeProblem | null {
    return this.options.policy.eventBusName === null ? null : this.problem;
  }

  /** Resolves when the event is on the disk; does nothing without a bus. */
  async add(event: AnyEvent): Promise<void> {
    if (this.options.policy.eventBusName === null) return;
    await this.options.outbox.add(event);
    this.loop.wake();
  }

  /** Sends the event with the next request that has room for it, unless a newer one comes first. */
  offer(heartbeat: DeskEvent): void {
    if (this.options.policy.eventBusName === null) return;
    this.heartbeat = heartbeat;
    this.loop.wake();
  }

  /** Sends what an earlier process left, and from now on what is added. */
  start(): void {
    this.started = true;
    this.loop.wake();
  }

  /** Aborts the request under way, which may then be sent again, and ends the wait for the next one. */
  policyChanged(keys: ReadonlySet<string>): void {
    if (!busKeys.some((key) => keys.has(key))) return;
    this.abort.abort();
    this.abort = new AbortController();
    this.aws.forgetClient();
    this.loop.retryNow();
  }

  /** New credentials were issued: an attempt that failed for want of them is repeated at once. */
  credentialsCame(): void {
    this.newCredentials = true;
    if (this.problem !== null) this.loop.retryNow();
  }

  /** Resolves when nothing is being sent: everything is sent, or waits for its next attempt. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** Starts nothing new and aborts the request under way; what it contained may be sent again by the next start. */
  async stop(): Promise<void> {
    const stopped = this.loop.stop();
    this.abort.abort();
    await stopped;
    this.aws.forgetClient();
  }

  /** @returns whether there may be more to send at once */
  private async sendSome(): Promise<boolean> {
    const { policy, outbox } = this.options;
    const bus = policy.eventBusName;
    if (bus === null || !this.started) return false;
    try {
      const limit = this.oneByOne > 0 ? 1 : MAX_ENTRIES;
      const entries = await outbox.read(limit);
      // Behind the status events, which must not wait for it.
      if (this.heartbeat !== null && entries.length < limit)
        entries.push({ name: HEARTBEAT, event: this.heartbeat });
      if (entries.length === 0) return false;
      this.oneByOne = Math.max(0, this.oneByOne - 1);
      const batch = await this.fitting(entries, bus);
      return batch.length === 0 || (await this.send(batch, bus));
    } catch (error) {
      const message = `The outbox in the data folder cannot be read or changed. Check its disk and permissions. (${errorMessage(error)})`;
      this.failed({ kind: 'passing', code: errno(error) ?? 'OUTBOX', message, credentials: false });
      return false;
    }
  }

  /** As many as one request takes; an event that is too large even alone is set aside. */
  private async fitting(entries: readonly QueuedEntry[], bus: string): Promise<QueuedEntry[]> {
    const batch: QueuedEntry[] = [];
    let sizeBytes = 0;
    for (const entry of entries) {
      const size = sizeOf(entryOf(entry.event, bus));
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

  private async send(batch: readonly QueuedEntry[], bus: string): Promise<boolean> {
    const { signal } = this.abort;
    let results: readonly PutResult[];
    this.newCredentials = false;
    try {
      const entries = batch.map(({ event }) => entryOf(event, bus));
      results = await this.put(entries, signal);
      if (results.length !== batch.length)
        throw new Error(`EventBridge answered for ${results.length} of ${batch.length} events.`);
    } catch (error) {
      return signal.aborted || this.requestFailed(batch, problemOf(error));
    }
    let left: AwsProblem | null = null;
    let sent = 0;
    for (const [index, entry] of batch.entries()) {
      const { ErrorCode: code, ErrorMessage: message } = results[index] ?? {};
      if (code === undefined) {
        if (entry.name === HEARTBEAT) this.dropHeartbeat(entry);
        else await this.options.outbox.remove(entry.name);
        sent += 1;
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
    // The wait does not grow while some events get through.
    if (sent > 0) this.loop.attempts = 0;
    this.failed(left);
    return false;
  }

  private async requestFailed(batch: readonly QueuedEntry[], problem: AwsProblem): Promise<boolean> {
    const [first] = batch;
    if (problem.credentials && this.newCredentials) return true;
    if (problem.kind !== 'refused' || first === undefined) {
      this.failed(problem);
      return false;
    }
    if (batch.length === 1) await this.refuse(first, problem.code, problem.message);
    else this.oneByOne = batch.length;
    return true;
  }

  /** One request, aborted after its time. */
  private async put(entries: PutEventsRequestEntry[], signal: AbortSignal): Promise<readonly PutResult[]> {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS, setTimer = plainTimer } = this.options;
    const late = new AbortController();
    const cancel = setTimer(() => late.abort(), requestTimeoutMs);
    try {
      return await this.aws.put(entries, AbortSignal.any([late.signal, signal]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      const message = `no answer within ${requestTimeoutMs} ms`;
      throw Object.assign(new Error(message, { cause: error }), { code: 'ETIMEDOUT' });
    } finally {
      cancel();
    }
  }

  /** A newer one stays. */
  private dropHeartbeat({ event }: QueuedEntry): void {
    if (this.heartbeat === event) this.heartbeat = null;
  }

  private async refuse(entry: QueuedEntry, code: string, message: string): Promise<void> {
    const { name, event } = entry;
    const { eventDeduplicationId } = event.detail;
    if (name === HEARTBEAT) {
      this.dropHeartbeat(entry);
      this.options.log.warn('EventBridge rejects a heartbeat', { code, reason: message });
      return;
    }
    await this.options.outbox.setAside(name, 'refused');
    const what =
      'EventBridge rejects a status event permanently; it is set aside in the outbox, the others continue';
    this.options.log.error(what, { file: `${name}.refused`, eventDeduplicationId, code, reason: message });
  }

  private recovered(): void {
    this.loop.attempts = 0;
    if (this.problem === null) return;
    const { code, since } = this.problem;
    this.problem = null;
    this.options.log.info('status events reach EventBridge again', {
      event: EVENT_BRIDGE_RECOVERED,
      was: code,
      since: toTimestamp(since),
    });
  }

  /** Logs each new reason once. */
  private failed({ kind, code, message, credentials }: AwsProblem): void {
    const { clock, log, outbox } = this.options;
    if (credentials) this.aws.forgetClient();
    const permanent = kind === 'permanent';
    if (this.problem?.code !== code) {
      log.warn('status events do not reach EventBridge; they wait in the outbox', {
        event: EVENT_BRIDGE_FAILED,
        code,
        reason: message,
        pending: outbox.pending,
      });
      this.problem = { code, message, permanent, since: clock.now() };
    }
    this.loop.retryLater(permanent);
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
