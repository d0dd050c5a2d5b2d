// What a witness states of its session: how many lines and chunks were synced, and of each recording that is neither
// published nor failed what must not change later: its contact, when it began and ended, what was announced. Pure.

import { z } from 'zod';
import type { JournalEntry } from './journalEntry.ts';
import { announcedSchema, contactSchema, identitySchema, moment, stopCauseSchema } from './journalEntry.ts';

const runSchema = z.object({
  runId: z.string(),
  file: z.string(),
  frameMs: z.number(),
  startTime: moment.nullable(),
  /** Synced; the first contains no frame. */
  chunks: z.number().int().nonnegative(),
  /** From its first frame to the last that was synced; null: there was none. */
  lengthMs: z.number().nullable(),
});

const recordingSchema = z.object({
  recordingId: z.string(),
  at: moment,
  contact: contactSchema.pick({ contactId: true, channel: true }),
  agent: identitySchema.pick({ agentArn: true, instanceArn: true, instanceAlias: true }),
  startTime: moment.nullable(),
  stopped: z.object({ endTime: moment, cause: stopCauseSchema }).nullable(),
  announced: z.array(announcedSchema),
});

export const statementSchema = z.object({
  /** Rises with each statement. */
  count: z.number().int().nonnegative(),
  /** The number of the journal's next line. */
  lines: z.number().int().nonnegative(),
  /** The newest moment with content: open recordings last until then. */
  until: moment.nullable(),
  /** Those that are open. */
  runs: z.array(runSchema),
  /** Those that are neither published nor failed. */
  recordings: z.array(recordingSchema),
});

/** Only the newest are stated: a truncation that removes older ones removes these as well. */
const MAX_RECORDINGS = 16;

export type Statement = z.infer<typeof statementSchema>;
type StatedRun = z.infer<typeof runSchema>;
type StatedRecording = z.infer<typeof recordingSchema>;

export const emptyStatement: Statement = { count: 0, lines: 0, until: null, runs: [], recordings: [] };

/** @param lines the number of the line after this entry's */
export function withEntry(statement: Statement, entry: JournalEntry, lines: number): Statement {
  const so = { ...statement, lines, until: later(statement.until, momentOf(entry)) };
  switch (entry.type) {
    case 'contact.started': {
      // The schema leaves out the other fields.
      const known = recordingSchema.parse({ ...entry, startTime: null, stopped: null, announced: [] });
      return { ...so, recordings: [...so.recordings, known].slice(-MAX_RECORDINGS) };
    }
    case 'contact.recording':
      return changeRecording(so, entry.recordingId, () => ({ startTime: entry.startTime }));
    case 'contact.stopped': {
      const { recordingId, endTime, cause } = entry;
      return changeRecording(so, recordingId, () => ({ stopped: { endTime, cause } }));
    }
    case 'event.announced': {
      const { recordingId, status } = entry;
      return changeRecording(so, recordingId, ({ announced }) => ({ announced: [...announced, status] }));
    }
    case 'recording.published':
    case 'recording.failed':
      return { ...so, recordings: so.recordings.filter((one) => one.recordingId !== entry.recordingId) };
    case 'run.opened': {
      const { runId, file, fps } = entry;
      const run: StatedRun = { runId, file, frameMs: 1000 / fps, startTime: null, chunks: 0, lengthMs: null };
      return { ...so, runs: [...so.runs, run] };
    }
    case 'run.live': {
      const { runId, startTime } = entry;
      return { ...so, runs: so.runs.map((one) => (one.runId === runId ? { ...one, startTime } : one)) };
    }
    case 'run.closed':
      return { ...so, runs: so.runs.filter((one) => one.runId !== entry.runId) };
    default:
      return so;
  }
}

/** So much of a run is synced. */
export function withRun(so: Statement, file: string, chunks: number, lengthMs: number | null): Statement {
  const runs = so.runs.map((one) => (one.file === file ? { ...one, chunks, lengthMs } : one));
  const ends = runs.map(statedEnd);
  return { ...so, runs, until: ends.reduce(later, so.until) };
}

/** The end of the last frame that was synced; null: there was none. */
export function statedEnd({ startTime, lengthMs, frameMs }: StatedRun): number | null {
  return startTime === null || lengthMs === null ? null : Math.round(startTime + lengthMs + frameMs);
}

/** The newest moment of a recording that an entry is about; null: none. */
export function momentOf(entry: JournalEntry): number | null {
  switch (entry.type) {
    case 'contact.started':
    case 'contact.suspended':
    case 'contact.resumed':
    case 'capture.paused':
    case 'run.opened':
      return entry.at;
    case 'contact.recording':
    case 'run.live':
      return entry.startTime;
    case 'contact.stopped':
    case 'run.closed':
      return entry.endTime;
    default:
      // About the time after it, or about none.
      return null;
  }
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function changeRecording(
  so: Statement,
  id: string,
  change: (before: StatedRecording) => Partial<StatedRecording>,
): Statement {
  const recordings = so.recordings.map((one) => (one.recordingId === id ? { ...one, ...change(one) } : one));
  return { ...so, recordings };
}
