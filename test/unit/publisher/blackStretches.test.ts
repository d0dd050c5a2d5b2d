// The stretches of black frames that a manifest states: those of its own runs, as far as they are in the recording.
import { expect, it } from 'vitest';
import { buildManifest } from '../../../main/publisher/buildManifest.ts';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { timelineOf } from '../../../main/spool/timeline.ts';
import { toTimestamp } from '../../../main/shared/time.ts';
import { ledgerOf, recording, run } from '../support/journalEntries.ts';

const black = (runId: string, from: number, to: number | null): JournalEntry => ({
  ...{ type: 'run.black', runId, from, to },
});

/** Of a recording from 100,000 to 200,000, with these entries. */
function blackOf(...entries: readonly (JournalEntry | JournalEntry[])[]) {
  const ledger = ledgerOf(recording('one', 100_000, 200_000), ...entries);
  const found = ledger.recordings.get('one')!;
  return buildManifest({
    ...{ ledger, recording: found, startTime: 100_000, stopped: found.stopped! },
    ...{ pieces: timelineOf(ledger, found), runs: [...ledger.runs.values()] },
    assembled: { codec: 'avc1.42c01f', width: 1920, height: 1080, frames: 1, bitsPerSecond: 1 },
    receipt: { key: 'a/one.mp4', sizeBytes: 1, location: 'file:///a/one.mp4', digest: {} },
    format: { width: 1920, height: 1080, fps: 5, encoder: 'libopenh264' },
    ...{ integrity: undefined, appVersion: '0.0.0', os: 'any' },
  } as unknown as Parameters<typeof buildManifest>[0]).black;
}

const stretch = (from: number, to: number) => ({
  ...{ startTime: toTimestamp(from), endTime: toTimestamp(to) },
  ...{ offsetMs: from - 100_000, durationMs: to - from },
});

it('has none where none was journaled', () => {
  expect(blackOf(run('a', 100_000, 200_000))).toBeUndefined();
});

it('has one from its begin to its end, which a second entry states', () => {
  expect(
    blackOf(run('a', 100_000, 200_000), black('a', 120_000, null), black('a', 120_000, 150_000)),
  ).toEqual({ totalMs: 30_000, stretches: [stretch(120_000, 150_000)] });
});

it('lasts until the end of its run, or of the recording, where nothing has ended it', () => {
  expect(
    blackOf(
      run('a', 100_000, 140_000),
      black('a', 120_000, null),
      run('b', 141_000, 230_000),
      black('b', 180_000, null),
    ),
  ).toEqual({
    totalMs: 40_000,
    stretches: [stretch(120_000, 140_000), stretch(180_000, 200_000)],
  });
});

it('leaves out what another contact has recorded', () => {
  expect(
    blackOf(
      run('before', 50_000, 100_000),
      black('before', 60_000, 90_000),
      run('a', 100_000, 230_000),
      black('a', 201_000, 220_000),
    ),
  ).toBeUndefined();
});

it('lists a hundred at most, and counts all', () => {
  const many = Array.from({ length: 120 }, (_, index) =>
    black('a', 110_000 + index * 600, 110_500 + index * 600),
  );
  const found = blackOf(run('a', 100_000, 200_000), many);
  expect(found?.stretches).toHaveLength(100);
  expect(found?.stretches[99]).toEqual(stretch(110_000 + 99 * 600, 110_500 + 99 * 600));
  expect(found?.totalMs).toBe(120 * 500);
});
