// What journal, status events and publisher got about each recording, and in which order that is allowed.
import type { Effect, SessionRecord } from '../../../main/session/state.ts';
import type { RecoveredContact } from '../../../main/spool/recoveredContacts.ts';
import { must } from './must.ts';

interface History {
  readonly started: SessionRecord & { type: 'contact.started' };
  readonly requestedAt: number;
  readonly journal: SessionRecord['type'][];
  readonly announced: string[];
  published: number;
  startTime: number | null;
  suspendedAt: number | null;
  endTime: number | null;
}

export class RecordingHistory {
  private readonly known = new Map<string, History>();

  private readonly paused = new Set<string>();

  journaled(record: SessionRecord): void {
    if (!('recordingId' in record)) {
      const isOver = record.type === 'capture.unpaused';
      must(this.paused.has(record.reason) === isOver, `${record.type}: ${record.reason} twice in a row`);
      if (record.type === 'capture.paused') this.paused.add(record.reason);
      else this.paused.delete(record.reason);
      return;
    }
    const { type, recordingId } = record;
    if (type === 'contact.started') {
      must(!this.known.has(recordingId), 'a recording was started twice');
      const history = { journal: [], announced: [], published: 0 };
      const times = { startTime: null, suspendedAt: null, endTime: null };
      this.known.set(recordingId, { ...history, ...times, started: record, requestedAt: record.at });
    }
    const history = this.get(recordingId);
    const { journal } = history;
    const isOver = journal.includes('contact.stopped') || journal.includes('recording.failed');
    must(!isOver, `${type} after the end of a recording`);
    if (type === 'contact.recording') {
      must(history.startTime === null, 'a recording began twice');
      must(record.startTime >= history.requestedAt, 'a recording began before it was asked for');
      history.startTime = record.startTime;
    }
    if (type === 'contact.stopped') {
      must(history.startTime !== null, 'a recording was stopped that had not begun');
      must(record.endTime > history.startTime, 'a recording has no length');
      history.endTime = record.endTime;
    }
    if (type === 'recording.failed') must(history.startTime === null, 'a recording failed that had begun');
    if (type === 'contact.suspended' || type === 'contact.resumed') {
      const last = journal.findLast((one) => one === 'contact.suspended' || one === 'contact.resumed');
      must((last === 'contact.suspended') === (type === 'contact.resumed'), `${type} twice in a row`);
      history.suspendedAt = type === 'contact.suspended' ? record.at : null;
    }
    journal.push(type);
  }

  announced({ recordingId, status, contact }: Effect & { type: 'announce' }): void {
    const { announced, journal, endTime } = this.get(recordingId);
    must(announced.length === (status === 'INITIATED' ? 0 : 1), `${status} after ${announced.join(', ')}`);
    announced.push(status);
    if (status === 'FAILED') must(journal.at(-1) === 'recording.failed', 'a failure is not in the journal');
    if (status !== 'COMPLETED') return;
    must(contact.phase.kind === 'stopping', 'a recording was completed that was not stopped');
    must(endTime === contact.phase.endTime, 'a recording ends elsewhere than the journal says');
  }

  published(recordingId: string): void {
    const history = this.get(recordingId);
    must(history.announced.at(-1) === 'COMPLETED', 'a recording is published that was not completed');
    history.published += 1;
  }

  get suspendedByAgent(): boolean {
    return this.paused.has('agent');
  }

  /** What follows goes into a new journal. */
  newSpoolSession(): void {
    this.paused.clear();
  }

  /** What recovery makes of the journal after the process was killed: what never began has failed, the rest goes on. */
  restart(leftAt: number): RecoveredContact[] {
    const { suspendedByAgent } = this;
    this.paused.clear();
    if (suspendedByAgent) this.paused.add('agent');
    return [...this.known].flatMap(([recordingId, history]) => {
      if (history.journal.includes('contact.stopped') && history.published === 0) {
        history.announced.splice(1, 1, 'COMPLETED');
        history.published = 1;
      }
      if (!isOpen(history)) return [];
      const { startTime, suspendedAt, started } = history;
      if (startTime === null) {
        history.journal.push('recording.failed');
        history.announced.push('FAILED');
        return [];
      }
      const { contact: info, agent, at: requestedAt } = started;
      return [{ recordingId, info, agent, requestedAt, startTime, suspendedAt, leftAt }];
    });
  }

  /** When nothing is open any more. */
  checkEnds(): void {
    for (const [id, { announced, published }] of this.known) {
      must(announced.length === 2, `${id} was announced as ${announced.join(', ')}`);
      must(published === (announced[1] === 'COMPLETED' ? 1 : 0), `${id} was published ${published} times`);
    }
  }

  get(recordingId: string): History {
    const history = this.known.get(recordingId);
    must(history !== undefined, `the journal knows no recording ${recordingId}`);
    return history;
  }
}

function isOpen({ journal }: History): boolean {
  return !journal.includes('contact.stopped') && !journal.includes('recording.failed');
}
