// What caused each gap of a timeline and what ended it, for the manifest. Pure.

import type { GapCause, GapEnd } from '../shared/names.ts';
import type { Ledger } from './ledger.ts';
import type { Block, Piece } from './timeline.ts';
import { blocksOf, usualCauses } from './timeline.ts';

interface ExplainedGap {
  readonly by: GapCause;
  /** null: it lasts until the end of the recording. */
  readonly endedBy: GapEnd | null;
}

/** @returns one element for each piece; null for runs */
export function gapCauses(ledger: Ledger, pieces: readonly Piece[]): (ExplainedGap | null)[] {
  const blocks = blocksOf(ledger);
  const explained = pieces.map((piece): Block[] =>
    piece.kind === 'run'
      ? []
      : blocks.filter(
          ({ reason, from, to }) => reason === piece.reason && from < piece.to && to >= piece.from,
        ),
  );
  const causeOf = (index: number): GapCause | null => {
    const piece = pieces[index];
    if (piece?.kind !== 'gap') return null;
    // Of several that overlap, the first began the gap.
    const [first, ...others] = explained[index] ?? [];
    if (first === undefined) return usualCauses[piece.reason].by;
    return others.reduce((best, one) => (one.from < best.from ? one : best), first).by;
  };
  return pieces.map((piece, index) => {
    const by = causeOf(index);
    if (piece.kind === 'run' || by === null) return null;
    if (index === pieces.length - 1) return { by, endedBy: null };
    // Of several that overlap, the last to end ended the gap, unless it lasts longer: then the next gap replaces this one.
    const [first, ...others] = explained[index] ?? [];
    const last = first && others.reduce((best, one) => (one.to > best.to ? one : best), first);
    const isOver = last !== undefined && last.to <= piece.to;
    const endedBy = isOver ? last.endedBy : causeOf(index + 1);
    return { by, endedBy: endedBy ?? usualCauses[piece.reason].endedBy };
  });
}
