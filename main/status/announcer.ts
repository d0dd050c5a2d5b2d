// Announces what happened to recordings, and journals an event once it is durable. The next process announces what is not
// journaled, with the same deduplication id: at least once.

import type { Logger } from '../platform/log.ts';
import type { Effect } from '../session/state.ts';
import type { Failure } from '../shared/errors.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { Moment } from '../shared/time.ts';
import type { CurrentSpoolSession } from '../spool/currentSession.ts';
import type { LedgerRecording } from '../spool/ledger.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { QueuedWrite } from './eventQueue.ts';
import { newestEvents } from './eventsReader.ts';
import type { Announcement, StatusEvents, Subject } from './statusEvents.ts';

type Started = LedgerRecording['started'];
/** What a journal says has happened. OVERDUE is not: whoever finds the recording watches it again. */
type Unannounced = Exclude<Announcement, { status: 'PUBLISHED' | 'OVERDUE' }>;

/** What the publisher knows of an upload (publisher/upload.ts). */
interface PublishedRecording {
  readonly receipt: { readonly location: string; readonly sizeBytes: number };
  readonly manifest: Pick<Manifest, 'startTime' | 'endTime' | 'integrity' | 'black'>;
  readonly manifestSha256: string;
}

export class Announcer {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly statusEvents: Pick<StatusEvents, 'announce'>,
    private readonly log: Logger,
  ) {}

  /** As StatusEvents, but `durable` includes the journal. @throws when the session has no such recording */
  announce(session: SpoolSession, recordingId: string, announcement: Announcement): QueuedWrite {
    const started = session.ledger.recordings.get(recordingId)?.started;
    if (started === undefined) throw new Error(`The spool has no recording ${recordingId}.`);
    const subject = subjectOf(recordingId, started.contact, started.agent);
    const { tried, durable } = this.statusEvents.announce(subject, announcement);
    const { status } = announcement;
    // PUBLISHED needs no entry: the journal says that a recording is published only after the event is durable.
    const journaled =
      status === 'PUBLISHED' ? durable : durable.then(() => this.journal(session, recordingId, status));
    const triedAndJournaled = tried.then(async (why) => {
      if (why === null) await journaled;
      return why;
    });
    this.last = Promise.all([this.last, triedAndJournaled]);
    return { tried: triedAndJournaled, durable: journaled };
  }

  announcePublished(session: SpoolSession, recordingId: string, result: PublishedRecording): QueuedWrite {
    const { receipt, manifest, manifestSha256 } = result;
    return this.announce(session, recordingId, {
      status: 'PUBLISHED',
      startTime: Date.parse(manifest.startTime),
      endTime: Date.parse(manifest.endTime),
      location: receipt.location,
      sizeBytes: receipt.sizeBytes,
      manifestSha256,
      blackMs: manifest.black?.totalMs,
      integrity: manifest.integrity?.state,
    });
  }

  /** Announces that a recording cannot be uploaded. Resolves when the event is durable, which may take long. */
  announceUploadFailed(
    session: SpoolSession,
    recordingId: string,
    failure: Failure,
    now: Moment,
  ): Promise<void> {
    const startTime = session.ledger.recordings.get(recordingId)?.startTime ?? now;
    return this.announce(session, recordingId, { status: 'FAILED', startTime, failure }).durable;
  }

  announceOverdue(
    session: SpoolSession,
    recordingId: string,
    overdueMinutes: number,
    reason: Failure | null,
  ): void {
    const recording = session.ledger.recordings.get(recordingId);
    if (recording === undefined || recording.stopped === null) return;
    const { startTime, started, stopped } = recording;
    const times = { startTime: startTime ?? started.at, endTime: stopped.endTime };
    this.announce(session, recordingId, { status: 'OVERDUE', ...times, overdueMinutes, reason });
  }

  /** Of a contact whose recording could not even begin: no journal has it. */
  announceRefused(
    recordingId: string,
    contact: Started['contact'],
    agent: Started['agent'],
    startTime: Moment,
    failure: Failure,
  ): void {
    this.statusEvents.announce(subjectOf(recordingId, contact, agent), {
      status: 'FAILED',
      startTime,
      failure,
    });
  }

  /** Announces what the session decided: also the failure of a recording that no journal contains. */
  async announceDecision(
    decision: Effect & { type: 'announce' },
    current: CurrentSpoolSession,
  ): Promise<void> {
    const { recordingId } = decision;
    const announcement = announcementOf(decision);
    if (announcement === null) return;
    const session = current.sessionOf(recordingId);
    const { durable } =
      session?.ledger.recordings.has(recordingId) === true
        ? this.announce(session, recordingId, announcement)
        : this.statusEvents.announce(
            subjectOf(recordingId, decision.contact.info, decision.contact.agent),
            announcement,
          );
    await durable;
    if (decision.status === 'FAILED') current.forget(recordingId);
  }

  /** Announces what an earlier process journaled and did not announce. Resolves after the first attempt. */
  async announceRecovered(session: SpoolSession): Promise<void> {
    const writes = [...session.ledger.recordings].flatMap(([recordingId, recording]) =>
      unannouncedEvents(recording).map((event) => this.announce(session, recordingId, event)),
    );
    await Promise.all(writes.map(({ tried }) => tried));
  }

  /**
   * Announces recordings as FAILED whose journal cannot be read: their earlier events say what they are. Not again for the
   * same reason, and not after PUBLISHED.
   */
  async announceUnreadable(eventsFile: string, failures: ReadonlyMap<string, Failure>): Promise<void> {
    const events = await newestEvents(eventsFile);
    for (const [recordingId, failure] of failures) {
      const event = events.get(recordingId);
      if (event === undefined) continue;
      const { contactArn, agentArn, instanceArn, clientInfo, sightline, ...detail } = event.detail;
      if (detail.recordingStatus === 'PUBLISHED') continue;
      if (detail.recordingStatus === 'FAILED' && detail.failureInfo.code === failure.code) continue;
      const contactId = contactArn.slice(contactArn.lastIndexOf('/') + 1);
      const startTime = 'recordingInfo' in detail ? detail.recordingInfo.startTime : event.time;
      await this.statusEvents.announce(
        { recordingId, contactId, agentArn, instanceArn, browser: clientInfo.browser, sightline },
        { status: 'FAILED', startTime: Date.parse(startTime), failure },
      ).tried;
    }
  }

  /** Resolves when everything announced so far is journaled, or waits for its next attempt. */
  async idle(): Promise<void> {
    await this.last;
  }

  private async journal(
    session: SpoolSession,
    recordingId: string,
    status: Exclude<Announcement['status'], 'PUBLISHED'>,
  ): Promise<void> {
    try {
      // Where the first attempt fails, the journal retries.
      await session.tryAppend({ type: 'event.announced', recordingId, status }).catch(() => undefined);
      // A failed recording is deleted after its last event.
      if (status === 'FAILED') await session.tidy();
    } catch (error) {
      this.log.warn('a status event may be announced again', { recordingId, status, reason: String(error) });
    }
  }
}

/** What the journal says of a recording and no process has announced, in order. */
export function unannouncedEvents(recording: LedgerRecording): Unannounced[] {
  const { announced, startTime, stopped, failed, started, published } = recording;
  if (published !== null) return [];
  const events: Unannounced[] = [{ status: 'INITIATED' }];
  if (startTime !== null && stopped !== null)
    events.push({ status: 'COMPLETED', startTime, endTime: stopped.endTime });
  if (failed !== null) events.push({ status: 'FAILED', startTime: started.at, failure: failed.failure });
  return events.filter(({ status }) => !announced.includes(status));
}

/** The same facts, whether the session or the journal has them: an event of the next process says no less. */
function subjectOf(
  recordingId: string,
  { contactId, channel, queue, initialContactId, trial }: Started['contact'],
  { agentArn, instanceArn, browser }: Started['agent'],
): Subject {
  const sightline = {
    channel,
    ...(queue === undefined ? {} : { queue }),
    ...(initialContactId === undefined ? {} : { initialContactId }),
    ...(trial === undefined ? {} : { trial }),
  };
  return { recordingId, contactId, agentArn, instanceArn, browser, sightline };
}

/** null: a decision without an event. */
function announcementOf(decision: Effect & { type: 'announce' }): Unannounced | null {
  const { requestedAt, phase } = decision.contact;
  switch (decision.status) {
    case 'INITIATED':
      return { status: 'INITIATED' };
    case 'FAILED':
      return { status: 'FAILED', startTime: requestedAt, failure: decision.failure };
    case 'COMPLETED': {
      if (phase.kind !== 'stopping') return null;
      const { startTime, endTime } = phase;
      return { status: 'COMPLETED', startTime, endTime };
    }
  }
}
