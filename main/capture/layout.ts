// Which monitors are recorded and the place of each in the video. Pure arithmetic in physical pixels: the desktop's own
// arrangement, without strips that no recorded monitor touches, scaled only if necessary.

import type { Monitor, PlacedMonitor, Rect } from '../shared/names.ts';
import { MACROBLOCK, MAX_MACROBLOCKS } from '../shared/names.ts';

/** Lists the monitors in physical pixels, in any order: the X server, Windows or Electron. */
export interface MonitorSource {
  /** @throws SightlineError NO_DISPLAY */
  monitors(): Promise<readonly Monitor[]>;
  onChange(listener: () => void): void;
  close(): void;
}

/** The frame size of a recording, set by its first run. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
}

/** One monitor's part of the grabbed area, and its place in the composed image. */
export interface Part {
  /** Within the grabbed area. */
  readonly from: Rect;
  /** Within the composed image, in screen pixels. */
  readonly to: { readonly x: number; readonly y: number };
}

export interface Composition {
  /** What is grabbed of the desktop: the smallest rectangle around the recorded monitors. */
  readonly area: Rect;
  /** Empty when the grabbed area needs no composing. */
  readonly parts: readonly Part[];
  /** Of the composed image, in screen pixels; may be odd. */
  readonly width: number;
  readonly height: number;
}

/** How the composed image is placed on the canvas; all even, as 4:2:0 requires. */
export interface Fit {
  readonly canvas: Canvas;
  /** Pixels of the canvas that the image covers. */
  readonly content: Rect;
  /** False when the image is only padded to even sizes, so that every screen pixel stays one pixel. */
  readonly scaled: boolean;
}

export interface Choice {
  /** Left to right, then top to bottom. */
  readonly recorded: readonly Monitor[];
  readonly leftOut: readonly Monitor[];
}

/**
 * At most `max` monitors: the primary one first, then by position, from left to right and from top to bottom. A
 * mirrored monitor counts once.
 */
export function chooseMonitors(monitors: readonly Monitor[], max: number): Choice {
  const byPosition = [...monitors].sort(
    (a, b) => a.x - b.x || a.y - b.y || Number(b.primary) - Number(a.primary),
  );
  const distinct = byPosition.filter(
    (one, index) => !byPosition.slice(0, index).some((earlier) => isSameRect(earlier, one)),
  );
  const ranked = [...distinct].sort((a, b) => Number(b.primary) - Number(a.primary));
  const chosen = new Set(ranked.slice(0, max));
  return {
    recorded: distinct.filter((one) => chosen.has(one)),
    leftOut: distinct.filter((one) => !chosen.has(one)),
  };
}

/** @param monitors at least one */
export function compose(monitors: readonly Monitor[]): Composition {
  const left = Math.min(...monitors.map((one) => one.x));
  const top = Math.min(...monitors.map((one) => one.y));
  const right = Math.max(...monitors.map((one) => one.x + one.width));
  const bottom = Math.max(...monitors.map((one) => one.y + one.height));
  const area = { x: left, y: top, width: right - left, height: bottom - top };
  const columns = withoutEmptyStrips(monitors.map((one) => [one.x, one.x + one.width]));
  const rows = withoutEmptyStrips(monitors.map((one) => [one.y, one.y + one.height]));
  const { width, height } = { width: columns(right), height: rows(bottom) };
  const pixels = monitors.reduce((sum, one) => sum + one.width * one.height, 0);
  // Monitors that fill the area exactly need no composing: a desktop's usual row of equal screens.
  if (pixels === area.width * area.height && !overlap(monitors)) return { area, parts: [], width, height };
  const parts = monitors.map(({ x, y, ...size }) => ({
    from: { x: x - left, y: y - top, width: size.width, height: size.height },
    to: { x: columns(x), y: rows(y) },
  }));
  return { area, parts, width, height };
}

/** @param canvas null: the image's own size, made even, scaled down only above OpenH264's limit */
export function fit({ width, height }: Composition, canvas: Canvas | null): Fit {
  if (canvas === null) {
    const even = { width: width + (width % 2), height: height + (height % 2) };
    if (macroblocks(even) <= MAX_MACROBLOCKS) {
      return { canvas: even, content: { x: 0, y: 0, width, height }, scaled: false };
    }
    const scaled = largestWithin({ width, height });
    return { canvas: scaled, content: { x: 0, y: 0, ...scaled }, scaled: true };
  }
  // Never scaled up: that costs sharpness and bytes and shows nothing more.
  if (width <= canvas.width && height <= canvas.height) {
    return { canvas, content: { ...centred(canvas, { width, height }), width, height }, scaled: false };
  }
  const factor = Math.min(canvas.width / width, canvas.height / height);
  const size = { width: evenBelow(width * factor), height: evenBelow(height * factor) };
  return { canvas, content: { ...centred(canvas, size), ...size }, scaled: true };
}

/** The monitors with their places in the video, in whole video pixels. */
export function place(monitors: readonly Monitor[], composition: Composition, fitted: Fit): PlacedMonitor[] {
  const { content } = fitted;
  const horizontal = content.width / composition.width;
  const vertical = content.height / composition.height;
  return monitors.map((monitor, index) => {
    const to = composition.parts[index]?.to ?? {
      x: monitor.x - composition.area.x,
      y: monitor.y - composition.area.y,
    };
    return {
      ...monitor,
      picture: {
        x: Math.round(content.x + to.x * horizontal),
        y: Math.round(content.y + to.y * vertical),
        width: Math.round(monitor.width * horizontal),
        height: Math.round(monitor.height * vertical),
      },
    };
  });
}

/** Maps a coordinate to its value after removing the strips that no interval covers. */
function withoutEmptyStrips(intervals: readonly (readonly [number, number])[]): (value: number) => number {
  const covered: [number, number][] = [];
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = covered.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else covered.push([from, to]);
  }
  return (value) => covered.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(value, to) - from), 0);
}

function overlap(monitors: readonly Monitor[]): boolean {
  return monitors.some((a, index) =>
    monitors
      .slice(index + 1)
      .some(
        (b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      ),
  );
}

/** Of the same shape, to within a pixel or two. */
function largestWithin({ width, height }: Canvas): Canvas {
  for (let rows = height; ; rows -= 1) {
    const size = { width: evenBelow((width * rows) / height), height: evenBelow(rows) };
    if (macroblocks(size) <= MAX_MACROBLOCKS) return size;
  }
}

function macroblocks({ width, height }: Canvas): number {
  return Math.ceil(width / MACROBLOCK) * Math.ceil(height / MACROBLOCK);
}

function isSameRect(a: Monitor, b: Monitor): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

function evenBelow(size: number): number {
  return Math.max(2, Math.floor(size / 2) * 2);
}

function centred(canvas: Canvas, size: Canvas): { x: number; y: number } {
  return { x: evenHalf(canvas.width - size.width), y: evenHalf(canvas.height - size.height) };
}

function evenHalf(room: number): number {
  return Math.floor(room / 4) * 2;
}
