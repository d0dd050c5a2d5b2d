// Journal entries for tests: short ways to write down what happened, all with the same agent.
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { addEntry, emptyLedger } from '../../../main/spool/ledger.ts';
import type { Ledger } from '../../../main/spool/ledger.ts';

type Entry<T extends JournalEntry['type']> = Extract<JournalEntry, { type: T }>;

export const agent = {
  agentArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa/agent/22222222-bbbb',
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa',
  instanceAlias: 'acme',
};

export const entry = {
  started: (recordingId: string, at: number): Entry<'contact.started'> => ({
    type: 'contact.started',
    recordingId,
    at,
    contact: { contactId: `contact-${recordingId}`, channel: 'VOICE' },
    agent,
  }),
  recording: (recordingId: string, startTime: number): Entry<'contact.recording'> => ({
    type: 'contact.recording',
    recordingId,
    startTime,
  }),
  suspended: (recordingId: string, at: number, reason?: string): Entry<'contact.suspended'> => ({
    type: 'contact.suspended',
    recordingId,
    at,
    ...(reason === undefined ? {} : { reason }),
  }),
  resumed: (recordingId: string, at: number): Entry<'contact.resumed'> => ({
    type: 'contact.resumed',
    recordingId,
    at,
    cause: 'page',
  }),
  stopped: (recordingId: string, endTime: number): Entry<'contact.stopped'> => ({
    type: 'contact.stopped',
    recordingId,
    endTime,
    cause: 'stopped',
  }),
  published: (recordingId: string): Entry<'recording.published'> => ({
    type: 'recording.published',
    recordingId,
    at: 99_000,
    location: 'file:///recordings/one.mp4',
    sizeBytes: 1000,
  }),
  failed: (recordingId: string): Entry<'recording.failed'> => ({
    type: 'recording.failed',
    recordingId,
    failure: { code: 'CAPTURE_FAILED', message: 'No frame.', source: 'CLIENT' },
  }),
  announced: (recordingId: string, status: Entry<'event.announced'>['status']): Entry<'event.announced'> => ({
    type: 'event.announced',
    recordingId,
    status,
  }),
  opened: (runId: string, at: number): Entry<'run.opened'> => ({
    type: 'run.opened',
    runId,
    at,
    file: `${runId}.run`,
    encoder: 'libopenh264',
    fps: 5,
    monitors: [
      {
        ...{ name: 'DP-1', x: 0, y: 0, width: 1920, height: 1080, primary: true },
        picture: { x: 0, y: 0, width: 1920, height: 1080 },
      },
    ],
    leftOut: [],
  }),
  live: (runId: string, startTime: number): Entry<'run.live'> => ({
    type: 'run.live',
    runId,
    startTime,
    width: 1920,
    height: 1080,
  }),
  closed: (
    runId: string,
    endTime: number | null,
    gapReason: Entry<'run.closed'>['gapReason'] = 'interrupted',
  ): Entry<'run.closed'> => ({
    type: 'run.closed',
    runId,
    endTime,
    frames: endTime === null ? 0 : 1,
    sizeBytes: 1,
    gapReason,
  }),
};

/** A run from its first frame to its last; `to` null: still being written. */
export function run(
  runId: string,
  from: number,
  to: number | null,
  gapReason: Entry<'run.closed'>['gapReason'] = 'interrupted',
): JournalEntry[] {
  return [
    entry.opened(runId, from - 200),
    entry.live(runId, from),
    ...(to === null ? [] : [entry.closed(runId, to, gapReason)]),
  ];
}

/** A recording from its start to its stop; `to` null: still open. */
export function recording(recordingId: string, from: number, to: number | null): JournalEntry[] {
  return [
    entry.started(recordingId, from),
    entry.recording(recordingId, from),
    ...(to === null ? [] : [entry.stopped(recordingId, to)]),
  ];
}

export function ledgerOf(...entries: readonly (JournalEntry | readonly JournalEntry[])[]): Ledger {
  return entries.flat().reduce(addEntry, emptyLedger);
}
