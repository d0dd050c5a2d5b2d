// Builds status events in AWS's shape (main/shared/statusEvent.ts) and delivers each, in order, first to the NDJSON
// file and the outbox, then to the pages. An event that could not be written is still pushed; the log says so.

import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Failure } from '../shared/errors.ts';
import type { Integrity } from '../shared/manifest.ts';
import type { ClientInfo, RecordingStatus, StatusDetail, StatusEvent } from '../shared/statusEvent.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { Logger } from '../platform/log.ts';
import type { StatusHub } from './hub.ts';

export interface Subject {
  readonly recordingId: string;
  readonly contactId: string;
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly browser?: string | undefined;
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
      readonly integrity?: Integrity['state'] | undefined;
    }
  | { readonly status: 'FAILED'; readonly startTime: Moment; readonly failure: Failure };

export interface StatusEventsOptions {
  readonly file: string;
  readonly hub: StatusHub;
  readonly clock: Clock;
  readonly newEventId: () => string;
  /** What the event says of this machine, as it is now. */
  readonly clientInfo: () => ClientInfo;
  readonly log: Logger;
  /** What is to go to EventBridge waits here; add() resolves when the event is on the disk. */
  readonly outbox?: { add(event: StatusEvent): Promise<void> } | undefined;
}

export class StatusEvents {
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: StatusEventsOptions) {}

  /** Resolves when the event is in the file and the outbox and has been pushed; never rejects. */
  announce(subject: Subject, announcement: Announcement): Promise<void> {
    const event = this.build(subject, announcement);
    this.last = this.last.then(() => this.deliver(event));
    return this.last;
  }

  /** Does something after the events announced so far and before those to come. Never rejects. */
  between(act: () => Promise<void>): Promise<void> {
    this.last = this.last
      .then(act)
      .catch((error: unknown) => this.options.log.error('between two events', { reason: String(error) }));
    return this.last;
  }

  /** Resolves when everything announced so far has been delivered. */
  flush(): Promise<void> {
    return this.last;
  }

  private async deliver(event: StatusEvent): Promise<void> {
    const { file, hub, log, outbox } = this.options;
    try {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, `${JSON.stringify(event)}\n`, { mode: 0o640, flush: true });
    } catch (error) {
      log.error('a status event could not be written', { file, reason: String(error), event: event.id });
    }
    try {
      await outbox?.add(event);
    } catch (error) {
      log.error('a status event could not be queued for EventBridge', {
        reason: String(error),
        event: event.id,
      });
    }
    hub.pushEvent(event);
  }

  private build(subject: Subject, announcement: Announcement): StatusEvent {
    const { instanceArn, contactId, agentArn, browser } = subject;
    const contactArn = `${instanceArn}/contact/${contactId}`;
    const now = this.options.clock.now();
    const common = {
      version: '1.0' as const,
      eventDeduplicationId: deduplicationId(subject.recordingId, announcement.status),
      instanceArn,
      contactArn,
      agentArn,
      clientInfo: { ...this.options.clientInfo(), ...(browser === undefined ? {} : { browser }) },
    };
    return {
      version: '0',
      id: this.options.newEventId(),
      'detail-type': 'Screen Recording Status Changed',
      source: 'sightline',
      ...arnParts(instanceArn),
      time: toTimestamp(now),
      resources: [contactArn, instanceArn],
      detail: { ...common, ...detailOf(announcement, now) },
    };
  }
}

/** The same for every repetition of the same news, however often it is sent. */
function deduplicationId(recordingId: string, status: RecordingStatus): string {
  return `${recordingId}:${status}`;
}

/** `arn:aws:connect:<region>:<account>:instance/<id>` (AWS Service Authorization Reference, Amazon Connect). */
function arnParts(arn: string): { account: string; region: string } {
  const [, , , region = '', account = ''] = arn.split(':');
  return { account, region };
}

type CommonKey =
  'version' | 'eventDeduplicationId' | 'instanceArn' | 'contactArn' | 'agentArn' | 'clientInfo';
type Variable<T> = T extends StatusDetail ? Omit<T, CommonKey> : never;

function detailOf(announcement: Announcement, now: Moment): Variable<StatusDetail> {
  switch (announcement.status) {
    case 'INITIATED':
      return { recordingStatus: 'INITIATED' };
    case 'COMPLETED':
      return { recordingStatus: 'COMPLETED', recordingInfo: span(announcement) };
    case 'PUBLISHED':
      return {
        recordingStatus: 'PUBLISHED',
        recordingInfo: {
          ...span(announcement),
          publishTime: toTimestamp(now),
          location: announcement.location,
          durationInMillis: announcement.endTime - announcement.startTime,
          sizeInBytes: announcement.sizeBytes,
          ...(announcement.integrity === undefined ? {} : { integrity: announcement.integrity }),
        },
      };
    case 'FAILED':
      return {
        recordingStatus: 'FAILED',
        recordingInfo: { startTime: toTimestamp(announcement.startTime) },
        failureInfo: announcement.failure,
      };
  }
}

function span(times: { startTime: Moment; endTime: Moment }): { startTime: string; endTime: string } {
  return { startTime: toTimestamp(times.startTime), endTime: toTimestamp(times.endTime) };
}
