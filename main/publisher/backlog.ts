// What waits for its upload: how much, how large, and since when.

import type { Moment } from '../shared/time.ts';
import type { LedgerRun } from '../spool/ledger.ts';
import type { UnpublishedRecording } from './overdueWatch.ts';

export interface Backlog {
  readonly waiting: number;
  /** In the spool. Contacts at the same time share runs, which count once. */
  readonly waitingBytes: number;
  /** The end of the oldest recording; null: none waits. */
  readonly oldest: Moment | null;
}

export function backlogOf(recordings: readonly UnpublishedRecording[]): Backlog {
  const runs = new Set<LedgerRun>();
  let oldest: Moment | null = null;
  for (const { session, recordingId } of recordings) {
    const { recordings: known, runs: all } = session.ledger;
    const recording = known.get(recordingId);
    const end = recording?.stopped?.endTime;
    if (recording === undefined || end === undefined) continue;
    oldest = Math.min(oldest ?? end, end);
    for (const run of all.values()) {
      const from = run.live?.startTime ?? Infinity;
      const to = run.closed?.endTime ?? -Infinity;
      if (from < end && to > (recording.startTime ?? end)) runs.add(run);
    }
  }
  const waitingBytes = [...runs].reduce((sum, { closed }) => sum + (closed?.sizeBytes ?? 0), 0);
  return { waiting: recordings.length, waitingBytes, oldest };
}
