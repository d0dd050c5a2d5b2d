// Notes that two people changed at the same time: what can be merged is, the rest is for the reviewer to decide. Nobody's text is lost.

import type { NoteEntry } from '../../../../contract.ts';

export interface Conflict {
  readonly id: string;
  /** null: removed. */
  readonly mine: NoteEntry | null;
  readonly theirs: NoteEntry | null;
}

export interface Merged {
  /** Without those in conflict. */
  readonly entries: readonly NoteEntry[];
  readonly conflicts: readonly Conflict[];
}

/** @param base what both began with */
export function mergeNotes(
  base: readonly NoteEntry[],
  mine: readonly NoteEntry[],
  theirs: readonly NoteEntry[],
): Merged {
  const find = (entries: readonly NoteEntry[], id: string): NoteEntry | null =>
    entries.find((entry) => entry.id === id) ?? null;
  const ids = new Set([...theirs, ...mine, ...base].map(({ id }) => id));
  const entries: NoteEntry[] = [];
  const conflicts: Conflict[] = [];
  for (const id of ids) {
    const [was, my, their] = [find(base, id), find(mine, id), find(theirs, id)];
    if (isSame(my, their) || isSame(my, was)) {
      if (their !== null) entries.push(their);
    } else if (isSame(their, was)) {
      if (my !== null) entries.push(my);
    } else {
      conflicts.push({ id, mine: my, theirs: their });
    }
  }
  return { entries: inOrder(entries), conflicts };
}

/** General ones first, then by the moment; of one moment in the same order for everybody. */
export function inOrder(entries: readonly NoteEntry[]): NoteEntry[] {
  return [...entries].sort((a, b) => (a.atMs ?? -1) - (b.atMs ?? -1) || (a.id < b.id ? -1 : 1));
}

/** Who changed it and when is the server's to say. */
export function isSame(one: NoteEntry | null, other: NoteEntry | null): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.text === other.text &&
    one.atMs === other.atMs &&
    one.score?.criterion === other.score?.criterion &&
    one.score?.points === other.score?.points
  );
}
