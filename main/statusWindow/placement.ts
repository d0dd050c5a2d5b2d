// Where the status window opens. Pure.

import type { Rect } from '../shared/names.ts';

const GAP = 12;
/** For the title bar, which the window's own height does not contain. */
const TITLE_BAR = 40;

/**
 * In the middle of the work area, or moved by as little as it takes to leave the indicator free.
 * @param avoid where the indicator is or would be; null: nowhere
 */
export function windowBounds(
  workArea: Rect,
  wanted: { width: number; height: number },
  avoid: Rect | null,
): Rect {
  const width = Math.min(wanted.width, workArea.width);
  const height = Math.min(wanted.height, workArea.height - TITLE_BAR);
  const [left, top] = [workArea.x, workArea.y];
  const x = left + Math.round((workArea.width - width) / 2);
  const y = top + Math.round((workArea.height - TITLE_BAR - height) / 2);
  const middle = { x, y, width, height };
  if (avoid === null || !touches(middle, avoid)) return middle;
  const above = avoid.y - GAP - TITLE_BAR - top;
  const below = top + workArea.height - (avoid.y + avoid.height + GAP) - TITLE_BAR;
  const beside = [
    { ...middle, x: avoid.x - GAP - width },
    { ...middle, x: avoid.x + avoid.width + GAP },
  ]
    .filter((one) => one.x >= left && one.x + width <= left + workArea.width)
    .sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x));
  if (beside[0] !== undefined) return beside[0];
  return above >= below
    ? { ...middle, y: top, height: Math.min(height, above) }
    : { ...middle, y: avoid.y + avoid.height + GAP, height: Math.min(height, below) };
}

function touches({ x, y, width, height }: Rect, b: Rect): boolean {
  const bottom = y + height + TITLE_BAR;
  return x < b.x + b.width + GAP && b.x < x + width + GAP && y < b.y + b.height + GAP && b.y < bottom + GAP;
}
