// Where the status window opens: it never covers the indicator.
import { describe, expect, it } from 'vitest';
import { boundsOn } from '../../../main/indicator/model.ts';
import type { Rect } from '../../../main/shared/names.ts';
import { windowBounds } from '../../../main/statusWindow/placement.ts';

const SIZE = { width: 620, height: 760 };
const TITLE_BAR = 40;

function overlap(window: Rect, b: Rect): boolean {
  const bottom = window.y + window.height + TITLE_BAR;
  return (
    window.x < b.x + b.width && b.x < window.x + window.width && window.y < b.y + b.height && b.y < bottom
  );
}

describe('the status window', () => {
  it('opens in the middle where the indicator is elsewhere, or nowhere', () => {
    const area = { x: 0, y: 0, width: 1920, height: 1040 };
    const middle = { x: 650, y: 120, ...SIZE };
    expect(windowBounds(area, SIZE, null)).toEqual(middle);
    expect(windowBounds(area, SIZE, { x: 1500, y: 990, width: 380, height: 36 })).toEqual(middle);
  });

  it.each([
    { x: 0, y: 0, width: 1440, height: 868 },
    { x: 0, y: 0, width: 1280, height: 720 },
    { x: -1280, y: 200, width: 1280, height: 1024 },
    { x: 0, y: 0, width: 800, height: 600 },
    { x: 0, y: 0, width: 640, height: 480 },
  ])('leaves it free wherever it is, and stays within $width × $height', (area) => {
    for (const x of [0, 0.25, 0.5, 0.99])
      for (const y of [0, 0.5, 0.98]) {
        const indicator = boundsOn(area, { places: { 7: { x, y } } }, 7);
        const window = windowBounds(area, SIZE, indicator);
        expect(overlap(window, indicator), JSON.stringify({ x, y, window })).toBe(false);
        expect(window.x).toBeGreaterThanOrEqual(area.x);
        expect(window.y).toBeGreaterThanOrEqual(area.y);
        expect(window.x + window.width).toBeLessThanOrEqual(area.x + area.width);
        expect(window.y + window.height + TITLE_BAR).toBeLessThanOrEqual(area.y + area.height);
      }
  });
});
