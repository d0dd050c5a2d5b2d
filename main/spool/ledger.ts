// What a journal says, added up: the recordings and runs of one spool session as they stand after its last entry.
// A fold over entries and nothing else, so that memory and disk can never disagree.

import type { AgentResumeCause, PauseReason } from '../shared/names.ts';
import type { JournalEntry } from './journal.ts';

type Entry<T extends JournalEntry['type']> = Extract<JournalEntry, { type: T }>;

export interface Suspension {
  readonly at: number;
  readonly resumedAt: number | null;
  readonly resumedBy: Entry<'contact.resumed'>['cause'] | null;
  readonly reason: string | null;
  /** Recovery suspended it in doubt; absent: a page did. */
  readonly by?: 'sightline';
}

export interface LedgerRecording {
  readonly started: Entry<'contact.started'>;
  readonly startTime: number | null;
  readonly stopped: Entry<'contact.stopped'> | null;
  readonly suspensions: readonly Suspension[];
  readonly announced: readonly Entry<'event.announced'>['status'][];
  /** The newest one. */
  readonly upload: Entry<'upload.begun'> | null;
  readonly published: Entry<'recording.published'> | null;
  readonly failed: Entry<'recording.failed'> | null;
}

export interface LedgerRun {
  readonly opened: Entry<'run.opened'>;
  readonly pid: number | null;
  readonly live: Entry<'run.live'> | null;
  readonly closed: Entry<'run.closed'> | null;
}

export interface Ledger {
  readonly recordings: ReadonlyMap<string, LedgerRecording>;
  /** In the order in which they were opened. */
  readonly runs: ReadonlyMap<string, LedgerRun>;
  readonly pauses: readonly Pause[];
  /** Of what happened in these times the journal does not know everything. */
  readonly damages: readonly Entry<'journal.damaged'>[];
  /** Why it is not known whether something is missing at the end; null: it is known. */
  readonly unverified: Entry<'journal.unverified'>['cause'] | null;
}

/** A time in which capture rested for everybody, other than a suspension. */
export interface Pause {
  readonly reason: PauseReason;
  readonly from: number;
  readonly to: number | null;
  readonly by?: 'sightline';
  readonly endedBy?: AgentResumeCause;
}

export const emptyLedger: Ledger = {
  recordings: new Map(),
  runs: new Map(),
  pauses: [],
  damages: [],
  unverified: null,
};

export function addEntry(ledger: Ledger, entry: JournalEntry): Ledger {
  switch (entry.type) {
    case 'contact.started':
      return withRecording(ledger, entry.recordingId, () => ({
        started: entry,
        startTime: null,
        stopped: null,
        suspensions: [],
        announced: [],
        upload: null,
        published: null,
        failed: null,
      }));
    case 'contact.recording':
      return changeRecording(ledger, entry.recordingId, { startTime: entry.startTime });
    case 'contact.suspended':
      return changeSuspensions(ledger, entry.recordingId, (suspensions) => [
        ...suspensions,
        { at: entry.at, resumedAt: null, resumedBy: null, reason: entry.reason ?? null, ...byOf(entry) },
      ]);
    case 'contact.resumed':
      return changeSuspensions(ledger, entry.recordingId, (suspensions) =>
        suspensions.map((one) =>
          one.resumedAt === null ? { ...one, resumedAt: entry.at, resumedBy: entry.cause } : one,
        ),
      );
    case 'capture.paused':
      return {
        ...ledger,
        pauses: [...ledger.pauses, { reason: entry.reason, from: entry.at, to: null, ...byOf(entry) }],
      };
    case 'capture.unpaused':
      return {
        ...ledger,
        pauses: ledger.pauses.map((one) =>
          one.reason === entry.reason && one.to === null
            ? { ...one, to: entry.at, ...(entry.cause === undefined ? {} : { endedBy: entry.cause }) }
            : one,
        ),
      };
    case 'contact.stopped':
      return changeRecording(ledger, entry.recordingId, { stopped: entry });
    case 'event.announced': {
      const announced = ledger.recordings.get(entry.recordingId)?.announced ?? [];
      return changeRecording(ledger, entry.recordingId, { announced: [...announced, entry.status] });
    }
    case 'upload.begun':
      return changeRecording(ledger, entry.recordingId, { upload: entry });
    case 'recording.published':
      return changeRecording(ledger, entry.recordingId, { published: entry });
    case 'recording.failed':
      return changeRecording(ledger, entry.recordingId, { failed: entry });
    case 'run.opened':
      return withRun(ledger, entry.runId, { opened: entry, pid: null, live: null, closed: null });
    case 'run.spawned':
      return changeRun(ledger, entry.runId, { pid: entry.pid });
    case 'run.live':
      return changeRun(ledger, entry.runId, { live: entry });
    case 'run.closed':
      return changeRun(ledger, entry.runId, { closed: entry });
    case 'journal.damaged':
      return { ...ledger, damages: [...ledger.damages, entry] };
    case 'journal.unverified':
      return { ...ledger, unverified: entry.cause };
  }
}

function byOf({ by }: { readonly by?: 'sightline' }): { readonly by?: 'sightline' } {
  return by === undefined ? {} : { by };
}

/** Whether nothing of this recording is needed any more. */
export function isPublishedOrFailed(recording: LedgerRecording): boolean {
  return recording.published !== null || recording.failed !== null;
}

/** It failed, and the FAILED event is not durable yet: until then the next process needs the journal. */
export function isFailureUnannounced({ published, failed, announced }: LedgerRecording): boolean {
  return published === null && failed !== null && !announced.includes('FAILED');
}

function withRecording(ledger: Ledger, id: string, make: () => LedgerRecording): Ledger {
  return { ...ledger, recordings: new Map(ledger.recordings).set(id, make()) };
}

function changeRecording(ledger: Ledger, id: string, change: Partial<LedgerRecording>): Ledger {
  const recording = ledger.recordings.get(id);
  return recording === undefined ? ledger : withRecording(ledger, id, () => ({ ...recording, ...change }));
}

function changeSuspensions(
  ledger: Ledger,
  id: string,
  change: (suspensions: readonly Suspension[]) => readonly Suspension[],
): Ledger {
  const recording = ledger.recordings.get(id);
  if (recording === undefined) return ledger;
  return changeRecording(ledger, id, { suspensions: change(recording.suspensions) });
}

function withRun(ledger: Ledger, id: string, run: LedgerRun): Ledger {
  return { ...ledger, runs: new Map(ledger.runs).set(id, run) };
}

function changeRun(ledger: Ledger, id: string, change: Partial<LedgerRun>): Ledger {
  const run = ledger.runs.get(id);
  return run === undefined ? ledger : withRun(ledger, id, { ...run, ...change });
}
