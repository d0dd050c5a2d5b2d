// Which frame is shown when, from the times of all frames (Activity.timesMs, rising). Frames last as long as the screen did not
// change: milliseconds or minutes.

import type { Activity } from '../../../../contract.ts';

/**
 * How far from a frame's edges a seek stays, in ms. The MP4's ticks are finer than a millisecond, and a browser rounds a time to
 * microseconds: at the edge itself the frame before could be shown.
 */
const EDGE_MS = 4;

/** The frame shown at a moment; the first one before it begins. -1: there are no frames. */
export function frameAt(timesMs: Activity['timesMs'], atMs: number): number {
  if (timesMs.length === 0) return -1;
  let [low, high] = [0, timesMs.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((timesMs[middle] ?? 0) <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** When a frame begins and when the next one does, or the video ends. */
export function frameSpan(
  timesMs: Activity['timesMs'],
  index: number,
  durationMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = timesMs[index] ?? 0;
  return { fromMs, toMs: timesMs[index + 1] ?? Math.max(fromMs, durationMs) };
}

/**
 * The time to give to a <video> so that it shows the frame of `atMs`: that very time, but a little inside of the frame, and in the
 * middle of a frame that is too short for that.
 */
export function seekTarget(timesMs: Activity['timesMs'], atMs: number, durationMs: number): number {
  const wanted = Math.min(Math.max(0, atMs), durationMs);
  const index = frameAt(timesMs, wanted);
  if (index < 0) return wanted;
  const { fromMs, toMs } = frameSpan(timesMs, index, durationMs);
  if (toMs - fromMs <= 2 * EDGE_MS) return (fromMs + toMs) / 2;
  return Math.min(Math.max(wanted, fromMs + EDGE_MS), toMs - EDGE_MS);
}

/** Where the frame begins that is `steps` after the one at `atMs` (before it, if negative). */
export function stepFrom(timesMs: Activity['timesMs'], atMs: number, steps: number): number {
  const index = frameAt(timesMs, atMs) + steps;
  return timesMs[Math.min(Math.max(0, index), timesMs.length - 1)] ?? atMs;
}
