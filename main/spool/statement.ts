// What a witness states of its session: how many lines and chunks were synced, and of each recording that is not settled
// what nobody may learn differently later: whose it is, when it began and ended, what was announced. Pure.

import { z } from 'zod';
import { channelSchema } from '../shared/names.ts';
import type { JournalEntry } from './journalEntry.ts';

const moment = z.number();

const runSchema = z.object({
  runId: z.string(),
  file: z.string(),
  frameMs: z.number(),
  startTime: moment.nullable(),
  /** Synced; the first holds no picture. */
  chunks: z.number().int().nonnegative(),
  /** From its first picture to the last that was synced; null where there was none. */
  lengthMs: z.number().nullable(),
});

const recordingSchema = z.object({
  recordingId: z.string(),
  at: moment,
  contact: z.object({ contactId: z.string(), channel: channelSchema }),
  agent: z.object({
    agentArn: z.string(),
    instanceArn: z.string(),
    instanceAlias: z.string().exactOptional(),
  }),
  startTime: moment.nullable(),
  stopped: z
    .object({
      endTime: moment,
      cause: z.enum(['stopped', 'page-lost', 'agent-changed', 'shutdown', 'app-died']),
    })
    .nullable(),
  announced: z.array(z.enum(['INITIATED', 'COMPLETED', 'FAILED'])),
});

export const statementSchema = z.object({
  /** Rises with each. */
  count: z.number().int().nonnegative(),
  /** The number of the journal's next line. */
  lines: z.number().int().nonnegative(),
  /** The newest moment of which there was something: recordings that nobody has ended last until then. */
  until: moment.nullable(),
  /** Those that are open. */
  runs: z.array(runSchema),
  /** Those that are not settled. */
  recordings: z.array(recordingSchema),
});

/** Of more only the newest are stated: whoever cuts off what is older cuts these off as well. */
const MOST_RECORDINGS = 16;

export type Statement = z.infer<typeof statementSchema>;
export type StatedRun = z.infer<typeof runSchema>;
export type StatedRecording = z.infer<typeof recordingSchema>;

export const emptyStatement: Statement = { count: 0, lines: 0, until: null, runs: [], recordings: [] };

/** @param lines the number of the line after this entry's */
export function withEntry(statement: Statement, entry: JournalEntry, lines: number): Statement {
  const so = { ...statement, lines, until: later(statement.until, momentOf(entry)) };
  switch (entry.type) {
    case 'contact.started': {
      const { recordingId, at, contact, agent } = entry;
      const { agentArn, instanceArn, instanceAlias } = agent;
      const known: StatedRecording = {
        ...{ recordingId, at, startTime: null, stopped: null, announced: [] },
        contact: { contactId: contact.contactId, channel: contact.channel },
        agent: { agentArn, instanceArn, ...(instanceAlias === undefined ? {} : { instanceAlias }) },
      };
      return { ...so, recordings: [...so.recordings, known].slice(-MOST_RECORDINGS) };
    }
    case 'contact.recording':
      return withRecording(so, entry.recordingId, () => ({ startTime: entry.startTime }));
    case 'contact.stopped': {
      const { endTime, cause } = entry;
      return withRecording(so, entry.recordingId, () => ({ stopped: { endTime, cause } }));
    }
    case 'event.announced':
      return withRecording(so, entry.recordingId, ({ announced }) => ({
        announced: [...announced, entry.status],
      }));
    case 'recording.published':
    case 'recording.failed':
      return { ...so, recordings: so.recordings.filter((one) => one.recordingId !== entry.recordingId) };
    case 'run.opened': {
      const { runId, file, fps } = entry;
      const run: StatedRun = { runId, file, frameMs: 1000 / fps, startTime: null, chunks: 0, lengthMs: null };
      return { ...so, runs: [...so.runs, run] };
    }
    case 'run.live':
      return {
        ...so,
        runs: so.runs.map((one) =>
          one.runId === entry.runId ? { ...one, startTime: entry.startTime } : one,
        ),
      };
    case 'run.closed':
      return { ...so, runs: so.runs.filter((one) => one.runId !== entry.runId) };
    default:
      return so;
  }
}

/** So much of a run is synced. */
export function ranStatement(
  statement: Statement,
  file: string,
  chunks: number,
  lengthMs: number | null,
): Statement {
  const runs = statement.runs.map((one) => (one.file === file ? { ...one, chunks, lengthMs } : one));
  const ends = runs.map((run) => statedEnd(run));
  return { ...statement, runs, until: ends.reduce(later, statement.until) };
}

/** Where the last picture ends that was synced; null where there was none. */
export function statedEnd({ startTime, lengthMs, frameMs }: StatedRun): number | null {
  return startTime === null || lengthMs === null ? null : Math.round(startTime + lengthMs + frameMs);
}

/** The newest moment that an entry tells of a recording; null: none. */
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
      // Of the time after it, or of none.
      return null;
  }
}

export function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function withRecording(
  statement: Statement,
  recordingId: string,
  change: (before: StatedRecording) => Partial<StatedRecording>,
): Statement {
  const recordings = statement.recordings.map((one) =>
    one.recordingId === recordingId ? { ...one, ...change(one) } : one,
  );
  return { ...statement, recordings };
}
