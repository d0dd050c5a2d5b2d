// The chapters of a recording: one for each piece of its timeline, as far as the format has room.

import type { Chapter } from '../media/textTracks.ts';
import type { GapFacts } from '../shared/names.ts';
import { chapterTitle, runTitle } from '../shared/slateTexts.ts';
import type { Gap, Piece } from '../spool/timeline.ts';
import { isShort } from './assemble.ts';

/** Each may be followed by the chapter of a run: fewer than MAX_CHAPTERS in all. */
const MAX_GAPS = 120;

/** Of more gaps than have room the longest ones. The manifest lists all. */
export function chaptersOf(pieces: readonly Piece[], factsOf: (gap: Gap) => GapFacts): Chapter[] {
  const longestFirst = pieces
    .filter((piece) => piece.kind === 'gap')
    .sort((one, other) => other.to - other.from - (one.to - one.from) || one.from - other.from);
  const kept = new Set(longestFirst.slice(0, MAX_GAPS));
  const [first] = pieces;
  const chapters: Chapter[] = [];
  let isRun = false;
  for (const piece of pieces) {
    const isFirst = piece === first;
    if (piece.kind === 'gap' ? !kept.has(piece) && !isFirst : isRun) continue;
    isRun = piece.kind === 'run';
    const title =
      piece.kind === 'run'
        ? runTitle(piece.from, isFirst)
        : chapterTitle(factsOf(piece), isFirst || !isShort(piece));
    chapters.push({ atMs: piece.from - (first?.from ?? 0), title });
  }
  return chapters;
}
