// What playing leaves out: suspensions, and stretches in which nothing changes.

import type { Manifest } from '../../../../../main/shared/manifest.ts';
import type { Stretch } from './stillness.ts';

export interface Skip extends Stretch {
  readonly why: 'suspended' | 'still';
}

/** A suspension's first moment stays visible, so that its slate is seen. */
const SLATE_SEEN_MS = 400;

/** In order, without overlap: where both apply, it is a suspension. */
export function plannedSkips(
  gaps: Manifest['gaps'],
  still: readonly Stretch[],
  skip: { readonly suspensions: boolean; readonly still: boolean },
): Skip[] {
  const suspensions: Skip[] = gaps
    .filter(({ reason }) => skip.suspensions && reason === 'suspended')
    .map(({ offsetMs, durationMs }) => ({
      fromMs: offsetMs + SLATE_SEEN_MS,
      toMs: offsetMs + durationMs,
      why: 'suspended' as const,
    }))
    .filter(({ fromMs, toMs }) => toMs > fromMs);
  const stills = skip.still
    ? still
        .flatMap((stretch) => without(stretch, suspensions))
        .map((one) => ({ ...one, why: 'still' as const }))
    : [];
  return [...suspensions, ...stills].sort((a, b) => a.fromMs - b.fromMs);
}

/** What remains of a stretch between others. */
function without(stretch: Stretch, others: readonly Stretch[]): Stretch[] {
  let parts: Stretch[] = [{ fromMs: stretch.fromMs, toMs: stretch.toMs }];
  for (const other of others) {
    parts = parts.flatMap((part) =>
      other.toMs <= part.fromMs || other.fromMs >= part.toMs
        ? [part]
        : [
            { fromMs: part.fromMs, toMs: other.fromMs },
            { fromMs: other.toMs, toMs: part.toMs },
          ].filter(({ fromMs, toMs }) => toMs > fromMs),
    );
  }
  return parts;
}

/**
 * Where to go on from `atMs` while playing; null: nothing is to be left out here. Skips that touch are one jump.
 * @param chosenMs where the reviewer last went: what lies there was asked for, so it is played
 */
export function jumpFrom(
  skips: readonly Skip[],
  atMs: number,
  chosenMs: number | null,
): { readonly toMs: number; readonly why: Skip['why'] } | null {
  const contains = ({ fromMs, toMs }: Skip, ms: number): boolean => fromMs <= ms && ms < toMs;
  const first = skips.find((skip) => contains(skip, atMs));
  if (first === undefined || (chosenMs !== null && contains(first, chosenMs))) return null;
  let { toMs } = first;
  for (let next = first; ;) {
    const from = next;
    const found = skips.find((skip) => skip !== from && contains(skip, toMs));
    if (found === undefined) return { toMs, why: first.why };
    next = found;
    ({ toMs } = found);
  }
}

/** How much a list of skips leaves out, in ms. */
export function skippedMs(skips: readonly Skip[]): number {
  return skips.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
