// A gap in its parts: what blocked capture, and when that changed.
import { describe, expect, it } from 'vitest';
import type { PauseReason } from '../../../main/shared/names.ts';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { timelineOf } from '../../../main/spool/timeline.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';

const paused = (reason: PauseReason, at: number): JournalEntry => ({ type: 'capture.paused', at, reason });
const unpaused = (reason: PauseReason, at: number): JournalEntry => ({
  type: 'capture.unpaused',
  at,
  reason,
});

/** The gaps of a recording from 1000 to 11,000, as reason, from and to. */
function gaps(...entries: readonly (JournalEntry | JournalEntry[])[]): [string, number, number][] {
  const ledger = ledgerOf(recording('one', 1000, 11_000), ...entries);
  const pieces = timelineOf(ledger, ledger.recordings.get('one')!);
  return pieces.flatMap((piece) => (piece.kind === 'gap' ? [[piece.reason, piece.from, piece.to]] : []));
}

describe('a gap', () => {
  it('is named after the pause that explains it, its head and tail included', () => {
    // 3800 to 4000: frames that were not awaited; 6000 to 6300: capture on its way back.
    expect(
      gaps(
        run('a', 1000, 3800, 'locked'),
        paused('locked', 4000),
        unpaused('locked', 6000),
        run('b', 6300, 11_000),
      ),
    ).toEqual([['locked', 3800, 6300]]);
  });

  it('changes its reason where what blocks capture changes', () => {
    expect(
      gaps(
        run('a', 1000, 3800, 'suspended'),
        entry.suspended('one', 4000),
        paused('locked', 5000),
        entry.resumed('one', 6000),
        unpaused('locked', 8000),
        run('b', 8300, 11_000),
      ),
    ).toEqual([
      ['suspended', 3800, 6000],
      ['locked', 6000, 8300],
    ]);
  });

  it('is suspended during a suspension, even if there are other reasons', () => {
    expect(
      gaps(
        run('a', 1000, 3800, 'locked'),
        paused('locked', 4000),
        entry.suspended('one', 5000),
        unpaused('locked', 5500),
        entry.resumed('one', 6000),
        run('b', 6300, 11_000),
      ),
    ).toEqual([
      ['locked', 3800, 5000],
      ['suspended', 5000, 6300],
    ]);
  });

  it('after a fault is a fault until something else blocks capture', () => {
    expect(
      gaps(
        run('a', 1000, 4000, 'interrupted'),
        entry.suspended('one', 5000),
        entry.resumed('one', 6000),
        run('b', 6300, 11_000),
      ),
    ).toEqual([
      ['interrupted', 4000, 5000],
      ['suspended', 5000, 6300],
    ]);
  });

  it('across a restart is the suspension’s if there was one, and the restart’s if not', () => {
    expect(
      gaps(
        run('a', 1000, 4000, 'suspended'),
        entry.suspended('one', 4100),
        entry.resumed('one', 9000),
        run('b', 9300, 11_000),
      ),
    ).toEqual([['suspended', 4000, 9300]]);
    expect(gaps(run('a', 1000, 4000, 'app-restarted'), run('b', 9300, 11_000))).toEqual([
      ['app-restarted', 4000, 9300],
    ]);
  });

  it('at the start is the current pause’s, although it began before', () => {
    expect(gaps(paused('asleep', 1000), unpaused('asleep', 2000), run('a', 2300, 11_000))).toEqual([
      ['asleep', 1000, 2300],
    ]);
  });

  it('at the start is named by the run that ended without a frame, if that was the first one', () => {
    const failed = (id: string, at: number): JournalEntry[] => [
      entry.opened(id, at),
      entry.closed(id, null, 'display-unavailable'),
    ];
    expect(gaps(failed('a', 1000), run('b', 2300, 11_000))).toEqual([['display-unavailable', 1000, 2300]]);
    expect(gaps(run('a', 1500, 4000), failed('b', 4100))).toEqual([
      ['interrupted', 1000, 1500],
      ['interrupted', 4000, 11_000],
    ]);
  });

  it('at the end is that of the pause that lasts', () => {
    expect(gaps(run('a', 1000, 4000, 'locked'), paused('locked', 4000))).toEqual([['locked', 4000, 11_000]]);
  });

  it('between two displays is called by the change, and then by there being none', () => {
    expect(
      gaps(
        run('a', 1000, 4000, 'display-changed'),
        paused('display-unavailable', 4200),
        unpaused('display-unavailable', 7000),
        run('b', 7300, 11_000),
      ),
    ).toEqual([
      ['display-changed', 4000, 4200],
      ['display-unavailable', 4200, 7300],
    ]);
  });
});
