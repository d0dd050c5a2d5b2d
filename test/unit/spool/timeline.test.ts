import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import type { Ledger } from '../../../main/spool/ledger.ts';
import type { Piece } from '../../../main/spool/timeline.ts';
import { timelineOf } from '../../../main/spool/timeline.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';

function timeline(ledger: Ledger, recordingId: string): Piece[] {
  const found = ledger.recordings.get(recordingId);
  if (found === undefined) throw new Error(`no recording ${recordingId}`);
  return timelineOf(ledger, found);
}

/** A recording "one" from 1000 to 11,000 and what else happened. */
function one(...entries: readonly (JournalEntry | JournalEntry[])[]): Piece[] {
  return timeline(ledgerOf(recording('one', 1000, 11_000), ...entries), 'one');
}

const picture = (runId: string, from: number, to: number): Piece => ({ kind: 'run', runId, from, to });
const gap = (reason: (Piece & { kind: 'gap' })['reason'], from: number, to: number): Piece => ({
  kind: 'gap',
  reason,
  from,
  to,
});

describe('the timeline of one recording', () => {
  it('is its run, when there was nothing but that', () => {
    expect(one(run('a', 1000, 11_000))).toEqual([picture('a', 1000, 11_000)]);
  });

  it('is empty while it is open, and when it has no start', () => {
    expect(timeline(ledgerOf(recording('one', 1000, null), run('a', 1000, null)), 'one')).toEqual([]);
    expect(timeline(ledgerOf(entry.started('one', 1000), entry.stopped('one', 5000)), 'one')).toEqual([]);
  });

  it('has a gap where a run ended and the next began later, with the reason of that end', () => {
    for (const reason of ['interrupted', 'display-unavailable', 'app-restarted'] as const) {
      expect(one(run('a', 1000, 4000, reason), run('b', 6000, 11_000))).toEqual([
        picture('a', 1000, 4000),
        gap(reason, 4000, 6000),
        picture('b', 6000, 11_000),
      ]);
    }
  });

  it.each([117, 199, 5])('has a gap for a suspension that was stopped %i ms after it began', (ms) => {
    const pieces = one(run('a', 1000, 11_000 - ms, 'suspended'), entry.suspended('one', 11_000 - ms));
    expect(pieces).toEqual([picture('a', 1000, 11_000 - ms), gap('suspended', 11_000 - ms, 11_000)]);
  });

  it('has no run that reaches into a suspension, although a crash closed it a frame later', () => {
    const pieces = one(
      run('a', 1000, 4150, 'app-restarted'),
      entry.suspended('one', 4000),
      entry.resumed('one', 5700),
      run('b', 6000, 11_000),
    );
    expect(pieces).toEqual([
      picture('a', 1000, 4000),
      gap('suspended', 4000, 6000),
      picture('b', 6000, 11_000),
    ]);
  });

  it('calls a gap suspended when a suspension explains it', () => {
    const pieces = one(
      run('a', 1000, 4000),
      entry.suspended('one', 4000),
      entry.resumed('one', 5700),
      run('b', 6000, 11_000),
    );
    expect(pieces).toEqual([
      picture('a', 1000, 4000),
      gap('suspended', 4000, 6000),
      picture('b', 6000, 11_000),
    ]);
  });

  it('calls a gap suspended when another contact’s suspension explains it', () => {
    const pieces = one(
      recording('two', 1000, 10_000),
      run('a', 1000, 4000),
      entry.suspended('two', 4000),
      run('b', 10_300, 11_000),
    );
    expect(pieces[1]).toEqual(gap('suspended', 4000, 10_300));
  });

  it('does not call a gap suspended for a suspension at another time', () => {
    const pieces = one(
      recording('two', 1000, 3000),
      entry.suspended('two', 2000), // ended by the stop of its contact
      run('a', 1000, 2000),
      run('b', 3000, 7000, 'display-unavailable'),
      run('c', 8000, 11_000),
    );
    expect(pieces.filter((piece) => piece.kind === 'gap')).toEqual([
      gap('suspended', 2000, 3000),
      gap('display-unavailable', 7000, 8000),
    ]);
  });

  it('shows the last frame during a hole shorter than a frame', () => {
    expect(one(run('a', 1000, 4000), run('b', 4199, 11_000))).toEqual([
      picture('a', 1000, 4199),
      picture('b', 4199, 11_000),
    ]);
    expect(one(run('a', 1000, 4000), run('b', 4200, 11_000))).toHaveLength(3);
  });

  it('shows the last frame to the end when less than a frame is missing there', () => {
    expect(one(run('a', 1000, 10_801))).toEqual([picture('a', 1000, 11_000)]);
    expect(one(run('a', 1000, 10_800))).toEqual([
      picture('a', 1000, 10_800),
      gap('interrupted', 10_800, 11_000),
    ]);
  });

  it('ends the older run of a rotation where the newer one begins', () => {
    expect(one(run('a', 1000, 5150), run('b', 5000, 11_000))).toEqual([
      picture('a', 1000, 5000),
      picture('b', 5000, 11_000),
    ]);
    expect(one(run('a', 1000, null), run('b', 5000, 11_000))).toEqual([
      picture('a', 1000, 5000),
      picture('b', 5000, 11_000),
    ]);
  });

  it('takes nothing from before its start: a run that began earlier is another recording’s', () => {
    expect(one(run('earlier', 500, 5000), run('a', 1000, 11_000))).toEqual([picture('a', 1000, 11_000)]);
  });

  it('takes nothing from after its end', () => {
    expect(one(run('a', 1000, 60_000), run('later', 11_000, 70_000))).toEqual([picture('a', 1000, 11_000)]);
  });

  it('counts a run that is still being written as far as it is asked for', () => {
    expect(one(run('a', 1000, null))).toEqual([picture('a', 1000, 11_000)]);
  });

  it('has no piece for a run without frames', () => {
    expect(one(entry.opened('dead', 900), entry.closed('dead', null), run('a', 1000, 11_000))).toEqual([
      picture('a', 1000, 11_000),
    ]);
    expect(one(run('a', 1000, 4000), run('dead', 6000, 6000), run('b', 8000, 11_000))).toEqual([
      picture('a', 1000, 4000),
      gap('interrupted', 4000, 8000),
      picture('b', 8000, 11_000),
    ]);
  });

  it('is one gap when it was suspended from its start to its end', () => {
    const pieces = one(recording('two', 500, null), entry.suspended('two', 700));
    expect(pieces).toEqual([gap('suspended', 1000, 11_000)]);
  });

  it('ends in a gap when capture did not come back before the end', () => {
    expect(one(run('a', 1000, 4000, 'display-unavailable'))).toEqual([
      picture('a', 1000, 4000),
      gap('display-unavailable', 4000, 11_000),
    ]);
    expect(one(run('a', 1000, 4000), entry.suspended('one', 4000))).toEqual([
      picture('a', 1000, 4000),
      gap('suspended', 4000, 11_000),
    ]);
  });

  it('begins in a gap when it was started during another contact’s suspension', () => {
    const pieces = one(
      recording('two', 100, 9000),
      entry.suspended('two', 500),
      entry.resumed('two', 2700),
      run('a', 3000, 11_000),
    );
    expect(pieces).toEqual([gap('suspended', 1000, 3000), picture('a', 3000, 11_000)]);
  });
});

describe('any timeline', () => {
  const moment = fc.integer({ min: 0, max: 20_000 });
  const runs = fc.array(
    fc.record({
      from: moment,
      length: fc.option(fc.integer({ min: 0, max: 8000 })),
      reason: fc.constantFrom('interrupted' as const, 'display-unavailable' as const),
    }),
    { maxLength: 8 },
  );
  const suspensions = fc.array(
    fc.record({ who: fc.constantFrom('one', 'two'), at: moment, length: fc.option(fc.nat({ max: 5000 })) }),
    { maxLength: 4 },
  );
  const story = fc
    .record({ start: moment, length: fc.integer({ min: 1, max: 15_000 }), runs, suspensions })
    .map(({ start, length, runs: made, suspensions: asked }) => {
      const ledger = ledgerOf(
        recording('one', start, start + length),
        recording('two', 0, 30_000),
        ...made.map(({ from, length: lasts, reason }, index) =>
          run(`run-${index}`, from, lasts === null ? null : from + lasts, reason),
        ),
        ...asked.map(({ who, at, length: lasts }) => [
          entry.suspended(who, at),
          ...(lasts === null ? [] : [entry.resumed(who, at + lasts)]),
        ]),
      );
      return { start, end: start + length, ledger, pieces: timeline(ledger, 'one') };
    });

  it('covers the recording from its start to its end without a hole and without an overlap', () => {
    fc.assert(
      fc.property(story, ({ start, end, pieces }) => {
        expect(pieces[0]?.from).toBe(start);
        expect(pieces.at(-1)?.to).toBe(end);
        pieces.forEach((piece, index) => {
          expect(piece.from).toBeLessThan(piece.to);
          if (index > 0) expect(piece.from).toBe(pieces[index - 1]?.to);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('shows a run from its first frame, once, and for no more than a frame after its last one', () => {
    fc.assert(
      fc.property(story, ({ ledger, pieces }) => {
        const shown = pieces.flatMap((piece) => (piece.kind === 'run' ? [piece] : []));
        expect(new Set(shown.map((piece) => piece.runId)).size).toBe(shown.length);
        for (const { runId, from, to } of shown) {
          const { live, closed } = ledger.runs.get(runId)!;
          expect(from).toBe(live?.startTime);
          expect(to).toBeLessThan((closed?.endTime ?? Infinity) + 200);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('calls a gap suspended exactly when a suspension touches it', () => {
    fc.assert(
      fc.property(story, ({ ledger, pieces }) => {
        const spans = [...ledger.recordings.values()]
          .flatMap(({ suspensions: held, stopped }) =>
            held.map((span) => ({ from: span.at, to: span.resumedAt ?? stopped?.endTime ?? Infinity })),
          )
          // One that ended in the millisecond in which it began is told by the run that it cut.
          .filter((span) => span.to > span.from);
        for (const piece of pieces) {
          if (piece.kind === 'run') continue;
          const touches = spans.some((span) => span.from < piece.to && span.to > piece.from);
          expect(piece.reason === 'suspended').toBe(touches);
        }
      }),
      { numRuns: 500 },
    );
  });
});
