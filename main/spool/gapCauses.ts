// What caused each gap of a timeline and what ended it, for the manifest. Pure.

import type { GapCause, GapEnd, GapReason } from '../shared/names.ts';
import { gapOfPause } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { Ledger } from './ledger.ts';
import type { Piece } from './timeline.ts';

interface ExplainedGap {
  readonly by: GapCause;
  /** null: it lasts until the end of the recording. */
  readonly endedBy: GapEnd | null;
}

/** A time in which something kept capture from running. */
interface Block extends ExplainedGap {
  readonly reason: GapReason;
  readonly from: Moment;
  readonly to: Moment;
}

/** For gaps that neither a suspension nor a pause explains. */
const defaults: Readonly<Record<GapReason, { by: GapCause; endedBy: GapEnd }>> = {
  suspended: { by: 'page', endedBy: 'page' },
  interrupted: { by: 'sightline', endedBy: 'sightline' },
  'app-restarted': { by: 'sightline', endedBy: 'page' },
  'spool-full': { by: 'system', endedBy: 'sightline' },
  unreadable: { by: 'system', endedBy: 'sightline' },
  'display-changed': { by: 'system', endedBy: 'sightline' },
  'display-unavailable': { by: 'system', endedBy: 'system' },
  locked: { by: 'system', endedBy: 'system' },
  'switched-away': { by: 'system', endedBy: 'system' },
  asleep: { by: 'system', endedBy: 'system' },
};

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
    if (first === undefined) return defaults[piece.reason].by;
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
    return { by, endedBy: endedBy ?? defaults[piece.reason].endedBy };
  });
}

function blocksOf(ledger: Ledger): Block[] {
  const suspensions = [...ledger.recordings.values()].flatMap(({ suspensions: all, stopped }) =>
    all.map(({ at, resumedAt, resumedBy, by }): Block => ({
      reason: 'suspended',
      by: by ?? 'page',
      from: at,
      to: resumedAt ?? stopped?.endTime ?? Infinity,
      endedBy: resumedBy ?? 'contact-ended',
    })),
  );
  const pauses = ledger.pauses.map(({ reason, from, to, by, endedBy }): Block => {
    const gapReason = gapOfPause(reason);
    const known = reason === 'agent' ? ({ by: 'agent', endedBy: 'agent' } as const) : defaults[gapReason];
    return {
      ...{ reason: gapReason, from, to: to ?? Infinity },
      ...{ by: by ?? known.by, endedBy: endedBy ?? known.endedBy },
    };
  });
  return [...suspensions, ...pauses];
}
