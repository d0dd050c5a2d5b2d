import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CELL_SIZE,
  crc16,
  decodeTimecode,
  encodeTimecode,
  findTimecode,
  STRIP,
  whiteRects,
  type Luma,
  type Timecode,
} from '../../rig/timecode.ts';
import { looksSensitive, sensitiveShare } from '../../rig/sensitive.ts';

const sample: Timecode = { timeMs: 1_795_218_440_657, monitor: 2, phase: 41, sensitive: true };

/** The code as a grey picture, in limited-range levels and with a gradient over it, as a bad encoder might. */
function picture(code: Timecode, scale = 1, tilt = 0): Luma {
  const width = Math.ceil((STRIP.x + STRIP.width + 60) * scale);
  const height = Math.ceil((STRIP.y + STRIP.height + 20) * scale);
  const rects = whiteRects(code);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sx, sy] = [x / scale, y / scale];
      const white = rects.some((r) => sx >= r.x && sx < r.x + r.width && sy >= r.y && sy < r.y + r.height);
      data[y * width + x] = (white ? 235 : 16) + ((tilt * x) / width - tilt / 2) * (white ? 1 : -1);
    }
  }
  return { data, width, height };
}

describe('timecode', () => {
  it('has the CRC of the standard', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x29b1);
  });

  it('uses 88 cells and keeps to its strip', () => {
    expect(encodeTimecode(sample)).toHaveLength(88);
    for (const rect of whiteRects(sample)) {
      expect(rect.x).toBeGreaterThanOrEqual(STRIP.x + CELL_SIZE / 2);
      expect(rect.x + rect.width).toBeLessThanOrEqual(STRIP.x + STRIP.width - CELL_SIZE / 2);
      expect(rect.y + rect.height).toBeLessThanOrEqual(STRIP.y + STRIP.height - CELL_SIZE / 2);
    }
  });

  it('reads back whatever it wrote, and finds the scale by itself', () => {
    fc.assert(
      fc.property(
        fc.record({
          timeMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
          monitor: fc.integer({ min: 0, max: 15 }),
          phase: fc.integer({ min: 0, max: 255 }),
          sensitive: fc.boolean(),
        }),
        fc.double({ min: 0.22, max: 1.2, noNaN: true }),
        (code, scale) => {
          const luma = picture(code, scale, 20);
          expect(decodeTimecode(luma, scale)).toEqual(code);
          expect(findTimecode(luma)?.code).toEqual(code);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says null, never a wrong time, for one flipped cell', () => {
    const luma = picture(sample);
    for (let cell = 0; cell < 88; cell++) {
      const data = Uint8Array.from(luma.data);
      const left = STRIP.x + 12 + (cell % 22) * CELL_SIZE;
      const top = STRIP.y + 12 + Math.floor(cell / 22) * CELL_SIZE;
      for (let y = top; y < top + CELL_SIZE; y++) {
        for (let x = left; x < left + CELL_SIZE; x++)
          data[y * luma.width + x] = 251 - data[y * luma.width + x]!;
      }
      expect(decodeTimecode({ ...luma, data }, 1)).toBeNull();
      // At a slightly wrong scale the flipped cell may lie beside every sample: then the code is the true one.
      expect([undefined, sample]).toContainEqual(findTimecode({ ...luma, data })?.code);
    }
  });

  it('says null for a slate, for noise and for a picture that is too small', () => {
    const flat = { data: new Uint8Array(640 * 140).fill(90), width: 640, height: 140 };
    expect(findTimecode(flat)).toBeNull();
    let seed = 1;
    const noise = flat.data.map(() => (seed = (seed * 48271) % 2147483647) & 255);
    expect(findTimecode({ ...flat, data: noise })).toBeNull();
    expect(findTimecode({ data: new Uint8Array(100), width: 10, height: 10 })).toBeNull();
  });

  it('refuses what has no code', () => {
    expect(() => encodeTimecode({ ...sample, monitor: 16 })).toThrow(RangeError);
    expect(() => encodeTimecode({ ...sample, phase: 1.5 })).toThrow(RangeError);
    expect(() => encodeTimecode({ ...sample, timeMs: -1 })).toThrow(RangeError);
  });
});

describe('sensitive colours', () => {
  it('knows them after encoding, and nothing a desktop usually shows', () => {
    for (const [r, g, b] of [
      [255, 0, 255],
      [0, 255, 0],
      [230, 40, 235],
      [60, 235, 70],
    ] as const) {
      expect(looksSensitive(r, g, b)).toBe(true);
    }
    for (const [r, g, b] of [
      [255, 255, 255],
      [0, 0, 0],
      [200, 60, 60],
      [37, 99, 235],
      [22, 163, 74],
      [128, 128, 128],
      [250, 204, 21],
    ] as const) {
      expect(looksSensitive(r, g, b)).toBe(false);
    }
    expect(sensitiveShare(Uint8Array.of(255, 0, 255, 10, 10, 10))).toBe(0.5);
  });
});
