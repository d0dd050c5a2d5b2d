import { describe, expect, it } from 'vitest';
import { MAX_CHAPTERS } from '../../../main/media/textTracks.ts';
import { chaptersOf } from '../../../main/publisher/chapters.ts';
import type { GapFacts, GapReason } from '../../../main/shared/names.ts';
import type { Gap, Piece } from '../../../main/spool/timeline.ts';

const START = Date.parse('2026-03-02T09:15:00.120Z');

/** Pieces in order, by their lengths. */
function pieces(...parts: readonly (readonly [GapReason | 'run', number])[]): Piece[] {
  let from = START;
  return parts.map(([kind, ms], index) => {
    const span = { from, to: (from += ms) };
    return kind === 'run'
      ? { kind: 'run', runId: String(index), ...span }
      : { kind: 'gap', reason: kind, ...span };
  });
}

const facts =
  (by: GapFacts['by'] = 'page', text: string | null = null) =>
  (gap: Gap): GapFacts => ({ ...gap, by, text });
const titles = (parts: Piece[], of = facts()) => chaptersOf(parts, of).map(({ title }) => title);
const titleFor = (text: string): string =>
  titles(pieces(['run', 1000], ['suspended', 2000]), facts('page', text))[1]!.replace(/^.*2\.0 s\. /, '');

describe('chapters', () => {
  it('are one for each piece of the timeline, with the time of day', () => {
    const timeline = pieces(
      ['run', 60_000],
      ['suspended', 45_000],
      ['run', 5000],
      ['interrupted', 600],
      ['run', 9000],
      ['locked', 3_725_000],
    );
    expect(chaptersOf(timeline, facts('agent'))).toEqual([
      { atMs: 0, title: '2026-03-02 09:15:00 UTC Recorded' },
      { atMs: 60_000, title: '09:16:00 UTC Recording suspended, 45.0 s. Suspended by the agent.' },
      { atMs: 105_000, title: '09:16:45 UTC Recorded' },
      { atMs: 110_000, title: '09:16:50 UTC Interrupted 0.6 s' },
      { atMs: 110_600, title: '09:16:50 UTC Recorded' },
      { atMs: 119_600, title: '09:16:59 UTC Screen locked, 1 h 2 min' },
    ]);
  });

  it('say no more than the picture: a suspension under a second has a badge, which has no text of a page', () => {
    expect(titles(pieces(['run', 1000], ['suspended', 600]), facts('page', 'card'))[1]).toBe(
      '09:15:01 UTC Suspended 0.6 s',
    );
    // Of the very first gap there is a slate.
    expect(titles(pieces(['suspended', 600]), facts('page', 'card'))[0]).toContain('by the page: card');
    expect(titles(pieces(['run', 1000], ['locked', 2000]), facts('page', 'card'))[1]).toBe(
      '09:15:01 UTC Screen locked, 2.0 s',
    );
    expect(titles(pieces(['run', 1000], ['suspended', 2000]), facts('agent', 'card'))[1]).not.toContain(
      'card',
    );
  });

  it('have a page’s text without anything that a player could take for more than text', () => {
    expect(titleFor('card number')).toBe('Suspended by the page: card number');
    expect(titleFor('<b>x</b> {\\an8} &amp; "q" %n $x `y` | ~ /p\\q')).toBe(
      'Suspended by the page: ?b?x??b? ??an8? ?amp; ?q? ?n ?x ?y? ? ? ?p?q',
    );
    expect(titleFor('a\0\r\n\t b\u202Ec\u2066')).toBe('Suspended by the page: a b c');
    expect(titleFor('кредит Ωμέγα café')).toBe('Suspended by the page: кредит Ωμέγα café');
    for (const nothing of ['', ' \n', '漢字', '<>?', '💳'])
      expect(titleFor(nothing)).toBe('Suspended by the page.');
    expect(titleFor('w'.repeat(100_000))).toBe(`Suspended by the page: ${'w'.repeat(60)}`);
  });

  it('of more gaps than have room are the longest ones, in order, from the beginning on', () => {
    const many = pieces(
      ...[['interrupted', 500] as const],
      ...Array.from(
        { length: 1000 },
        (_, index) =>
          [
            ['run', 1000],
            ['suspended', 1000 + index],
          ] as const,
      ).flat(),
    );
    const chapters = chaptersOf(many, facts());
    expect(chapters.length).toBeLessThanOrEqual(MAX_CHAPTERS);
    expect(chapters[0]!.atMs).toBe(0);
    const suspensions = chapters.filter(({ title }) => title.includes('suspended'));
    expect(suspensions).toHaveLength(120);
    expect(suspensions[0]!.title).toContain(', 1.8 s');
    const times = chapters.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(new Set(times).size).toBe(times.length);
  });
});
