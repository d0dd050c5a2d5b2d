import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseMonitors, compose, fit, place } from '../../../main/capture/layout.ts';
import type { Monitor } from '../../../main/shared/names.ts';
import { MACROBLOCK, MAX_MACROBLOCKS } from '../../../main/shared/names.ts';

function monitor(
  name: string,
  x: number,
  y: number,
  width: number,
  height: number,
  primary = false,
): Monitor {
  return { name, x, y, width, height, primary };
}

const names = (monitors: readonly Monitor[]): string[] => monitors.map(({ name }) => name);

describe('which monitors are recorded', () => {
  const four = [0, 1, 2, 3].map((n) => monitor(`m${n}`, n * 100, 0, 100, 100, n === 3));

  it('the primary one first, then by position; told from left to right', () => {
    const { recorded, leftOut } = chooseMonitors(four, 3);
    expect(names(recorded)).toEqual(['m0', 'm1', 'm3']);
    expect(names(leftOut)).toEqual(['m2']);
    expect(names(chooseMonitors(four, 1).recorded)).toEqual(['m3']);
  });

  it('from top to bottom where they are stacked', () => {
    const stacked = [monitor('low', 0, 900, 10, 10), monitor('high', 0, -900, 10, 10, true)];
    expect(names(chooseMonitors(stacked, 3).recorded)).toEqual(['high', 'low']);
  });

  it('one that mirrors another is that one, and the primary one of the two', () => {
    const mirrored = [monitor('a', 0, 0, 100, 100), monitor('b', 0, 0, 100, 100, true)];
    const { recorded, leftOut } = chooseMonitors(mirrored, 3);
    expect(names(recorded)).toEqual(['b']);
    expect(leftOut).toEqual([]);
  });
});

describe('how they stand in the picture', () => {
  it('equal ones in a row are the picture as it is', () => {
    const row = [monitor('a', 0, 0, 1920, 1080), monitor('b', 1920, 0, 1920, 1080)];
    expect(compose(row)).toEqual({
      area: { x: 0, y: 0, width: 3840, height: 1080 },
      parts: [],
      width: 3840,
      height: 1080,
    });
  });

  it('as on the desktop, with negative places too, and black where there is no monitor', () => {
    const { area, parts, width, height } = compose([
      monitor('left', -1080, -400, 1080, 1920),
      monitor('main', 0, 0, 1920, 1080),
    ]);
    expect(area).toEqual({ x: -1080, y: -400, width: 3000, height: 1920 });
    expect([width, height]).toEqual([3000, 1920]);
    expect(parts.map(({ to }) => to)).toEqual([
      { x: 0, y: 0 },
      { x: 1080, y: 400 },
    ]);
    expect(parts[1]?.from).toEqual({ x: 1080, y: 400, width: 1920, height: 1080 });
  });

  it('without the strip of one that is left out between them', () => {
    const { area, parts, width } = compose([monitor('a', 0, 0, 100, 80), monitor('c', 300, 0, 100, 80)]);
    expect(area.width).toBe(400);
    expect(width).toBe(200);
    expect(parts.map(({ to }) => to.x)).toEqual([0, 100]);
    expect(parts.map(({ from }) => from.x)).toEqual([0, 300]);
  });
});

describe('how the picture is put onto the canvas', () => {
  const of = (width: number, height: number) => compose([monitor('m', 0, 0, width, height)]);

  it('an odd size gets a column or row more, and not a pixel is scaled', () => {
    expect(fit(of(1367, 769), null)).toEqual({
      canvas: { width: 1368, height: 770 },
      content: { x: 0, y: 0, width: 1367, height: 769 },
      scaled: false,
    });
  });

  it('over the encoder’s limit it is scaled as little as can be', () => {
    const { canvas, scaled } = fit(of(5120, 2880), null);
    expect(scaled).toBe(true);
    const blocks = (canvas.width / MACROBLOCK) * (canvas.height / MACROBLOCK);
    expect(blocks).toBeGreaterThan(MAX_MACROBLOCKS * 0.98);
    expect(canvas.width / canvas.height).toBeCloseTo(16 / 9, 2);
  });

  it('a smaller layout stands in the middle of the canvas, as sharp as before', () => {
    expect(fit(of(1280, 720), { width: 3840, height: 1080 })).toMatchObject({
      content: { x: 1280, y: 180, width: 1280, height: 720 },
      scaled: false,
    });
  });

  it('a larger one is scaled down into it, in its own shape', () => {
    expect(fit(of(2560, 1440), { width: 1280, height: 800 })).toMatchObject({
      canvas: { width: 1280, height: 800 },
      content: { x: 0, y: 40, width: 1280, height: 720 },
      scaled: true,
    });
  });
});

describe('any desk', () => {
  const side = fc.integer({ min: 200, max: 4000 });
  // Monitors that do not overlap: each begins right of the one before or below it.
  const desk = fc
    .array(
      fc.record({ width: side, height: side, gap: fc.integer({ min: 0, max: 500 }), isBelow: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((specs) => {
      let [x, y] = [-700, 300];
      return specs.map(({ width, height, gap, isBelow }, index) => {
        const one = monitor(`m${index}`, x, y, width, height, index === 0);
        if (isBelow) y += height + gap;
        else x += width + gap;
        return one;
      });
    });
  const canvas = fc.option(
    fc
      .record({ width: side, height: side })
      .map(({ width, height }) => ({ width: width * 2, height: height * 2 })),
  );

  it('is seen whole: no monitor’s picture overlaps another’s or leaves the canvas', () => {
    fc.assert(
      fc.property(desk, canvas, (monitors, wanted) => {
        const composition = compose(monitors);
        const fitted = fit(composition, wanted);
        expect((fitted.canvas.width % 2) + (fitted.canvas.height % 2)).toBe(0);
        if (wanted === null) {
          const blocks =
            Math.ceil(fitted.canvas.width / MACROBLOCK) * Math.ceil(fitted.canvas.height / MACROBLOCK);
          expect(blocks).toBeLessThanOrEqual(MAX_MACROBLOCKS);
        } else {
          expect(fitted.canvas).toEqual(wanted);
        }
        const placed = place(monitors, composition, fitted);
        placed.forEach(({ picture: one }, index) => {
          expect(one.x).toBeGreaterThanOrEqual(0);
          expect(one.y).toBeGreaterThanOrEqual(0);
          // Rounded to whole pixels.
          expect(one.x + one.width).toBeLessThanOrEqual(fitted.canvas.width + 1);
          expect(one.y + one.height).toBeLessThanOrEqual(fitted.canvas.height + 1);
          for (const { picture: other } of placed.slice(index + 1)) {
            const apart = other.x >= one.x + one.width - 1 || other.y >= one.y + one.height - 1;
            const before = one.x >= other.x + other.width - 1 || one.y >= other.y + other.height - 1;
            expect(apart || before).toBe(true);
          }
          if (!fitted.scaled) expect(one.width).toBe(monitors[index]?.width);
        });
      }),
    );
  });
});
