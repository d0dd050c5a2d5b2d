// What the journal, the status events and the publisher were told about each recording, and in which order that may be.
import type { Effect, SessionRecord } from '../../../main/session/state.ts';
import type { RecoveredContact } from '../../../main/spool/recoveredContacts.ts';
import { must } from './must.ts';

interface Told {
  readonly started: SessionRecord & { type: 'contact.started' };
  readonly requestedAt: number;
  readonly journal: SessionRecord['type'][];
  readonly announced: string[];
  published: number;
  startTime: number | null;
  suspendedAt: number | null;
  endTime: number | null;
}

export class ToldRecordings {
  private readonly known = new Map<string, Told>();

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
      const told = { journal: [], announced: [], published: 0 };
      const times = { startTime: null, suspendedAt: null, endTime: null };
      this.known.set(recordingId, { ...told, ...times, started: record, requestedAt: record.at });
    }
    const told = this.get(recordingId);
    const { journal } = told;
    const isOver = journal.includes('contact.stopped') || journal.includes('recording.failed');
    must(!isOver, `${type} after the end of a recording`);
    if (type === 'contact.recording') {
      must(told.startTime === null, 'a recording began twice');
      must(record.startTime >= told.requestedAt, 'a recording began before it was asked for');
      told.startTime = record.startTime;
    }
    if (type === 'contact.stopped') {
      must(told.startTime !== null, 'a recording was stopped that had not begun');
      must(record.endTime > told.startTime, 'a recording has no length');
      told.endTime = record.endTime;
    }
    if (type === 'recording.failed') must(told.startTime === null, 'a recording failed that had begun');
    if (type === 'contact.suspended' || type === 'contact.resumed') {
      const last = journal.findLast((one) => one === 'contact.suspended' || one === 'contact.resumed');
      must((last === 'contact.suspended') === (type === 'contact.resumed'), `${type} twice in a row`);
      told.suspendedAt = type === 'contact.suspended' ? record.at : null;
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
    const told = this.get(recordingId);
    must(told.announced.at(-1) === 'COMPLETED', 'a recording is published that was not completed');
    told.published += 1;
  }

  get suspendedByAgent(): boolean {
    return this.paused.has('agent');
  }

  /** What comes now goes into a journal of its own. */
  newStretch(): void {
    this.paused.clear();
  }

  /** What recovery makes of the journal after the process was killed: what never began has failed, the rest goes on. */
  restart(leftAt: number): RecoveredContact[] {
    const { suspendedByAgent } = this;
    this.paused.clear();
    if (suspendedByAgent) this.paused.add('agent');
    return [...this.known].flatMap(([recordingId, told]) => {
      if (told.journal.includes('contact.stopped') && told.published === 0) {
        told.announced.splice(1, 1, 'COMPLETED');
        told.published = 1;
      }
      if (!isOpen(told)) return [];
      const { startTime, suspendedAt, started } = told;
      if (startTime === null) {
        told.journal.push('recording.failed');
        told.announced.push('FAILED');
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

  get(recordingId: string): Told {
    const told = this.known.get(recordingId);
    must(told !== undefined, `the journal knows no recording ${recordingId}`);
    return told;
  }
}

function isOpen({ journal }: Told): boolean {
  return !journal.includes('contact.stopped') && !journal.includes('recording.failed');
}
