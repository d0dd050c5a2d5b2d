// The lengths that the filter offers. Upper bounds are inclusive for the server, hence one millisecond less.

import type { Filters } from '../route.ts';
import { list } from '../strings/list.ts';
import { length } from '../words.ts';

const MINUTE = 60_000;

interface LengthRange {
  readonly name: keyof typeof list.lengths;
  readonly minDurationMs: number | undefined;
  readonly maxDurationMs: number | undefined;
}

export const lengthRanges: readonly LengthRange[] = [
  { name: 'under1', minDurationMs: undefined, maxDurationMs: MINUTE - 1 },
  { name: 'to5', minDurationMs: MINUTE, maxDurationMs: 5 * MINUTE - 1 },
  { name: 'to15', minDurationMs: 5 * MINUTE, maxDurationMs: 15 * MINUTE - 1 },
  { name: 'to60', minDurationMs: 15 * MINUTE, maxDurationMs: 60 * MINUTE - 1 },
  { name: 'over60', minDurationMs: 60 * MINUTE, maxDurationMs: undefined },
];

/** What is chosen; `other`: the address has a range of its own. */
export function lengthRangeOf({
  minDurationMs,
  maxDurationMs,
}: Filters): { readonly name: string; readonly text: string } | undefined {
  if (minDurationMs === undefined && maxDurationMs === undefined) return undefined;
  const known = lengthRanges.find(
    (one) => one.minDurationMs === minDurationMs && one.maxDurationMs === maxDurationMs,
  );
  if (known !== undefined) return { name: known.name, text: list.lengths[known.name] };
  const text = list.lengthBetween(
    length(minDurationMs ?? 0),
    maxDurationMs === undefined ? '…' : length(maxDurationMs),
  );
  return { name: 'other', text };
}
