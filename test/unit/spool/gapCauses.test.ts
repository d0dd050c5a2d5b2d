// What the manifest says about each gap: what caused it, and what ended it.
import { describe, expect, it } from 'vitest';
import type { PauseReason } from '../../../main/shared/names.ts';
import { gapCauses } from '../../../main/spool/gapCauses.ts';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { timelineOf } from '../../../main/spool/timeline.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';

const paused = (reason: PauseReason, at: number): JournalEntry => ({ type: 'capture.paused', at, reason });
const unpaused = (reason: PauseReason, at: number): JournalEntry => ({
  type: 'capture.unpaused',
  at,
  reason,
});
const agentResumed = (at: number, cause: 'agent' | 'time-limit'): JournalEntry => ({
  ...{ type: 'capture.unpaused', at, reason: 'agent' },
  cause,
});

/** The gaps of a recording from 1000 to 11,000: from, reason, by and endedBy. */
function gaps(...entries: readonly (JournalEntry | JournalEntry[])[]): unknown[] {
  const ledger = ledgerOf(recording('one', 1000, 11_000), ...entries);
  const pieces = timelineOf(ledger, ledger.recordings.get('one')!);
  const causes = gapCauses(ledger, pieces);
  expect(causes).toHaveLength(pieces.length);
  return pieces.flatMap((piece, index) => {
    if (piece.kind === 'gap') return [[piece.from, piece.reason, causes[index]?.by, causes[index]?.endedBy]];
    expect(causes[index]).toBeNull();
    return [];
  });
}

describe('a gap', () => {
  it('of a suspension names the page, and what ended it', () => {
    expect(
      gaps(
        run('a', 1000, 3800, 'suspended'),
        entry.suspended('one', 4000),
        entry.resumed('one', 5000),
        run('b', 5300, 7000),
        entry.suspended('one', 7000),
        { ...entry.resumed('one', 8000), cause: 'time-limit' },
        run('c', 8300, 11_000),
      ),
    ).toEqual([
      [3800, 'suspended', 'page', 'page'],
      [7000, 'suspended', 'page', 'time-limit'],
    ]);
  });

  it('of the agent’s own suspension names the agent', () => {
    expect(
      gaps(
        run('a', 1000, 4000),
        paused('agent', 4000),
        agentResumed(5000, 'agent'),
        run('b', 5300, 7000),
        paused('agent', 7000),
        agentResumed(9000, 'time-limit'),
        run('c', 9300, 11_000),
      ),
    ).toEqual([
      [4000, 'suspended', 'agent', 'agent'],
      [7000, 'suspended', 'agent', 'time-limit'],
    ]);
  });

  it('of suspensions that overlap names the first to begin and the last to end', () => {
    expect(
      gaps(
        run('a', 1000, 4000),
        paused('agent', 4000),
        entry.suspended('one', 5000),
        agentResumed(6000, 'agent'),
        entry.resumed('one', 7000),
        run('b', 7300, 11_000),
      ),
    ).toEqual([[4000, 'suspended', 'agent', 'page']]);
    expect(
      gaps(
        run('a', 1000, 4000),
        entry.suspended('one', 4000),
        paused('agent', 5000),
        entry.resumed('one', 6000),
        agentResumed(7000, 'agent'),
        run('b', 7300, 11_000),
      ),
    ).toEqual([[4000, 'suspended', 'page', 'agent']]);
  });

  it('of another contact’s suspension can end with that contact', () => {
    expect(
      gaps(
        recording('other', 2000, 6000),
        run('a', 1000, 4000),
        entry.suspended('other', 4000),
        run('b', 6300, 11_000),
      ),
    ).toEqual([[4000, 'suspended', 'page', 'contact-ended']]);
  });

  it('of a suspension that recovery assumed names Sightline, not the page or the agent', () => {
    expect(
      gaps(
        run('a', 1000, 4000, 'app-restarted'),
        { ...entry.suspended('one', 4000), by: 'sightline' },
        { type: 'capture.paused', at: 4000, reason: 'agent', by: 'sightline' },
        entry.resumed('one', 6000),
        agentResumed(7000, 'agent'),
        run('b', 7300, 11_000),
      ),
    ).toEqual([[4000, 'suspended', 'sightline', 'agent']]);
  });

  it('that another one replaces was ended by the cause of that one', () => {
    expect(
      gaps(
        run('a', 1000, 3000, 'locked'),
        paused('locked', 3000),
        entry.suspended('one', 4000),
        entry.resumed('one', 6000),
        unpaused('locked', 8000),
        run('b', 8300, 11_000),
      ),
    ).toEqual([
      [3000, 'locked', 'system', 'page'],
      [4000, 'suspended', 'page', 'page'],
      [6000, 'locked', 'system', 'system'],
    ]);
  });

  it('that lasts until the end of the recording was not ended', () => {
    expect(gaps(run('a', 1000, 4000), entry.suspended('one', 4000))).toEqual([
      [4000, 'suspended', 'page', null],
    ]);
    expect(gaps(run('a', 1000, 4000, 'locked'), paused('locked', 4000))).toEqual([
      [4000, 'locked', 'system', null],
    ]);
  });

  it.each([
    ['interrupted', 'sightline', 'sightline'],
    ['display-changed', 'system', 'sightline'],
    ['spool-full', 'system', 'sightline'],
    ['app-restarted', 'sightline', 'page'],
  ] as const)('%s is caused by %s and ended by %s', (reason, by, endedBy) => {
    expect(gaps(run('a', 1000, 4000, reason), run('b', 6000, 11_000))).toEqual([[4000, reason, by, endedBy]]);
  });
});
