// Builds status events in AWS's shape (main/shared/statusEvent.ts) and writes each, in order, to the NDJSON file and the
// outbox, then pushes it to the pages. An event that could not be written is pushed after the first try and written later.

import type { Failure } from '../shared/errors.ts';
import type { Integrity } from '../shared/manifest.ts';
import type { DeskEvent } from '../shared/deskEvent.ts';
import type { ClientInfo, ContactFacts, StatusDetail, StatusEvent } from '../shared/statusEvent.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { Logger } from '../platform/log.ts';
import type { EventBridge } from './eventBridge.ts';
import type { QueuedWrite } from './eventQueue.ts';
import { EventQueue } from './eventQueue.ts';
import { appendEvent } from './eventsFile.ts';
import type { StatusHub } from './hub.ts';

export interface Subject {
  readonly recordingId: string;
  readonly contactId: string;
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly browser?: string | undefined;
  /** Absent only where all that is known is an event of an earlier version. */
  readonly sightline?: ContactFacts | undefined;
}

export type Announcement =
  | { readonly status: 'INITIATED' }
  | { readonly status: 'COMPLETED'; readonly startTime: Moment; readonly endTime: Moment }
  | {
      readonly status: 'PUBLISHED';
      readonly startTime: Moment;
      readonly endTime: Moment;
      readonly location: string;
      readonly sizeBytes: number;
      readonly manifestSha256: string;
      readonly integrity?: Integrity['state'] | undefined;
      readonly blackMs?: number | undefined;
    }
  | {
      readonly status: 'OVERDUE';
      readonly startTime: Moment;
      readonly endTime: Moment;
      readonly overdueMinutes: number;
      readonly reason: Failure | null;
    }
  | { readonly status: 'FAILED'; readonly startTime: Moment; readonly failure: Failure };

export interface StatusEventsOptions {
  /** Read for each event: policy may change. */
  readonly policy: { readonly statusEventsFile: string };
  readonly eventBridge: Pick<EventBridge, 'add' | 'offer'>;
  readonly hub: StatusHub;
  readonly clock: Pick<Clock, 'now'>;
  readonly newEventId: () => string;
  /** What the event says of this machine, as it is now. */
  readonly clientInfo: () => ClientInfo;
  readonly log: Logger;
}

export class StatusEvents {
  /** Two queues: an unreachable share must not delay events for EventBridge, nor the other way round. */
  private readonly file: EventQueue;
  private readonly outbox: EventQueue;
  private pushed: Promise<void> = Promise.resolve();

  constructor(private readonly options: StatusEventsOptions) {
    const { policy, eventBridge, log } = options;
    this.file = new EventQueue({
      place: 'the file of policy "statusEventsFile"',
      write: (event) => appendEvent(policy.statusEventsFile, event),
      log,
    });
    this.outbox = new EventQueue({
      place: 'the outbox for EventBridge in the data folder',
      write: (event) => eventBridge.add(event),
      log,
    });
  }

  /** The event is durable when it is in the file and the outbox. Pages get it after the first attempt. */
  announce(subject: Subject, announcement: Announcement): QueuedWrite {
    const event = this.build(subject, announcement);
    const both = [this.file.add(event), this.outbox.add(event)];
    const tried = Promise.all(both.map((one) => one.tried));
    const pushed = Promise.all([tried, this.pushed]).then(() => this.options.hub.pushEvent(event));
    this.pushed = pushed;
    return {
      tried: pushed.then(async () => (await tried).find((why) => why !== null) ?? null),
      durable: Promise.all([pushed, ...both.map((one) => one.durable)]).then(() => undefined),
    };
  }

  /** Resolves when the event is durable in the file and the outbox, however long that takes. Pages do not get it. */
  async announceDesk(event: DeskEvent): Promise<void> {
    await Promise.all([this.file.add(event).durable, this.outbox.add(event).durable]);
  }

  /** For a heartbeat: where it cannot be written or sent, the newest waits, and no other. */
  offer(heartbeat: DeskEvent): void {
    this.file.offer(heartbeat);
    this.options.eventBridge.offer(heartbeat);
  }

  /** Resolves when nothing is being written: everything is durable, or waits for its next attempt. */
  async idle(): Promise<void> {
    await Promise.all([this.file.idle(), this.outbox.idle()]);
    await this.pushed;
  }

  /** Retries what waits now: the cause may be fixed. */
  retryNow(): void {
    this.file.retryNow();
    this.outbox.retryNow();
  }

  private build(subject: Subject, announcement: Announcement): StatusEvent {
    const { recordingId, instanceArn, contactId, agentArn, browser, sightline } = subject;
    const contactArn = `${instanceArn}/contact/${contactId}`;
    // `arn:aws:connect:<region>:<account>:instance/<id>` (AWS Service Authorization Reference, Amazon Connect)
    const [, , , region = '', account = ''] = instanceArn.split(':');
    const now = this.options.clock.now();
    return {
      version: '0',
      id: this.options.newEventId(),
      'detail-type':
        announcement.status === 'OVERDUE' ? 'Screen Recording Overdue' : 'Screen Recording Status Changed',
      source: 'sightline',
      account,
      time: toTimestamp(now),
      region,
      resources: [contactArn, instanceArn],
      detail: {
        version: '1.0',
        // The same for every repetition of an event.
        eventDeduplicationId: `${recordingId}:${announcement.status}`,
        ...{ instanceArn, contactArn, agentArn },
        clientInfo: { ...this.options.clientInfo(), ...(browser === undefined ? {} : { browser }) },
        ...(sightline === undefined ? {} : { sightline }),
        ...detailOf(announcement, now),
      },
    };
  }
}

type CommonKey =
  'version' | 'eventDeduplicationId' | 'instanceArn' | 'contactArn' | 'agentArn' | 'clientInfo' | 'sightline';
type Variable<T> = T extends StatusDetail ? Omit<T, CommonKey> : never;

function detailOf(announcement: Announcement, now: Moment): Variable<StatusDetail> {
  switch (announcement.status) {
    case 'INITIATED':
      return { recordingStatus: 'INITIATED' };
    case 'COMPLETED':
      return { recordingStatus: 'COMPLETED', recordingInfo: span(announcement) };
    case 'PUBLISHED': {
      const { startTime, endTime, location, sizeBytes, manifestSha256, blackMs, integrity } = announcement;
      return {
        recordingStatus: 'PUBLISHED',
        recordingInfo: {
          ...span(announcement),
          publishTime: toTimestamp(now),
          location,
          durationInMillis: endTime - startTime,
          sizeInBytes: sizeBytes,
          manifestSha256,
          ...(blackMs === undefined ? {} : { blackInMillis: blackMs }),
          ...(integrity === undefined ? {} : { integrity }),
        },
      };
    }
    case 'OVERDUE': {
      const { overdueMinutes, reason } = announcement;
      const overdueInfo = { overdueMinutes, ...(reason === null ? {} : { reason }) };
      return { recordingStatus: 'OVERDUE', recordingInfo: span(announcement), overdueInfo };
    }
    case 'FAILED': {
      const { startTime, failure } = announcement;
      const recordingInfo = { startTime: toTimestamp(startTime) };
      return { recordingStatus: 'FAILED', recordingInfo, failureInfo: failure };
    }
  }
}

function span(times: { startTime: Moment; endTime: Moment }): { startTime: string; endTime: string } {
  return { startTime: toTimestamp(times.startTime), endTime: toTimestamp(times.endTime) };
}
