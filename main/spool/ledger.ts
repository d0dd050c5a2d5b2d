// The sum of a journal: the recordings and runs of one spool session after its last entry. A fold over entries and
// nothing else, so that memory and disk can never disagree.

import type { AgentResumeCause, PauseReason } from '../shared/names.ts';
import type { JournalEntry } from './journal.ts';

type Entry<T extends JournalEntry['type']> = Extract<JournalEntry, { type: T }>;

interface Suspension {
  readonly at: number;
  readonly resumedAt: number | null;
  readonly resumedBy: Entry<'contact.resumed'>['cause'] | null;
  readonly reason: string | null;
  /** `sightline`: recovery, in doubt. */
  readonly by: 'page' | 'sightline';
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
  readonly black: readonly Entry<'run.black'>[];
}

export type LiveRun = LedgerRun & { readonly live: Entry<'run.live'> };

export interface Ledger {
  readonly recordings: ReadonlyMap<string, LedgerRecording>;
  /** In the order in which they were opened. */
  readonly runs: ReadonlyMap<string, LedgerRun>;
  readonly pauses: readonly Pause[];
  /** Times of which the journal does not know everything. */
  readonly damages: readonly Entry<'journal.damaged'>[];
  /** Why it is unknown whether something is missing at the end; null: it is known. */
  readonly unverified: Entry<'journal.unverified'>['cause'] | null;
}

/** A time without capture for all contacts, other than a page's suspension. */
interface Pause {
  readonly reason: PauseReason;
  readonly from: number;
  readonly to: number | null;
  /** Recovery assumed it in doubt. */
  readonly by: 'sightline' | null;
  /** What ended the agent's own suspension. */
  readonly endedBy: AgentResumeCause | null;
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
    case 'contact.started': {
      const recording = {
        ...{ started: entry, startTime: null, stopped: null, suspensions: [], announced: [] },
        ...{ upload: null, published: null, failed: null },
      };
      return { ...ledger, recordings: new Map(ledger.recordings).set(entry.recordingId, recording) };
    }
    case 'contact.recording':
      return changeRecording(ledger, entry.recordingId, { startTime: entry.startTime });
    case 'contact.suspended': {
      const { recordingId, at, reason = null, by = 'page' } = entry;
      return changeRecording(ledger, recordingId, ({ suspensions }) => ({
        suspensions: [...suspensions, { at, resumedAt: null, resumedBy: null, reason, by }],
      }));
    }
    case 'contact.resumed':
      return changeRecording(ledger, entry.recordingId, ({ suspensions }) => ({
        suspensions: suspensions.map((one) =>
          one.resumedAt === null ? { ...one, resumedAt: entry.at, resumedBy: entry.cause } : one,
        ),
      }));
    case 'capture.paused': {
      const { reason, at: from, by = null } = entry;
      return { ...ledger, pauses: [...ledger.pauses, { reason, from, to: null, by, endedBy: null }] };
    }
    case 'capture.unpaused':
      return {
        ...ledger,
        pauses: ledger.pauses.map((one) =>
          one.reason === entry.reason && one.to === null
            ? { ...one, to: entry.at, endedBy: entry.cause ?? null }
            : one,
        ),
      };
    case 'contact.stopped':
      return changeRecording(ledger, entry.recordingId, { stopped: entry });
    case 'event.announced':
      return changeRecording(ledger, entry.recordingId, ({ announced }) => ({
        announced: [...announced, entry.status],
      }));
    case 'upload.begun':
      return changeRecording(ledger, entry.recordingId, { upload: entry });
    case 'recording.published':
      return changeRecording(ledger, entry.recordingId, { published: entry });
    case 'recording.failed':
      return changeRecording(ledger, entry.recordingId, { failed: entry });
    case 'run.opened': {
      const run = { opened: entry, pid: null, live: null, closed: null, black: [] };
      return { ...ledger, runs: new Map(ledger.runs).set(entry.runId, run) };
    }
    case 'run.spawned':
      return changeRun(ledger, entry.runId, { pid: entry.pid });
    case 'run.live':
      return changeRun(ledger, entry.runId, { live: entry });
    case 'run.closed':
      return changeRun(ledger, entry.runId, { closed: entry });
    case 'run.black':
      return changeRun(ledger, entry.runId, ({ black }) => ({
        black: [...black.filter((one) => one.from !== entry.from), entry],
      }));
    case 'journal.damaged':
      return { ...ledger, damages: [...ledger.damages, entry] };
    case 'journal.unverified':
      return { ...ledger, unverified: entry.cause };
  }
}

/** Whether nothing of this recording is needed any more. */
export function isPublishedOrFailed(recording: LedgerRecording): boolean {
  return recording.published !== null || recording.failed !== null;
}

/** It failed, and the FAILED event is not durable yet: until then the next process needs the journal. */
export function isFailureUnannounced({ published, failed, announced }: LedgerRecording): boolean {
  return published === null && failed !== null && !announced.includes('FAILED');
}

type Change<T> = Partial<T> | ((before: T) => Partial<T>);

/** The same ledger if it has no such recording. */
function changeRecording(ledger: Ledger, id: string, change: Change<LedgerRecording>): Ledger {
  return { ...ledger, recordings: changed(ledger.recordings, id, change) };
}

function changeRun(ledger: Ledger, id: string, change: Change<LedgerRun>): Ledger {
  return { ...ledger, runs: changed(ledger.runs, id, change) };
}

function changed<T>(map: ReadonlyMap<string, T>, id: string, change: Change<T>): ReadonlyMap<string, T> {
  const before = map.get(id);
  if (before === undefined) return map;
  return new Map(map).set(id, { ...before, ...(typeof change === 'function' ? change(before) : change) });
}
