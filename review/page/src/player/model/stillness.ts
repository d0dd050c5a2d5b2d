// When nothing changed on the screen, from the sizes and times of the frames alone: nothing is decoded. It must never call a part
// still in which something changed; the other way round costs the reviewer a second.
//
// Sightline delivers a frame for each change, and one a second while there is none. One without a change is all skipped macroblocks:
// its size depends on the frame size only (measured with OpenH264: 33 bytes of 2,800 macroblocks, 70 of 8,160, 183 of 24,300, so
// 13 + 0.007 of each), and is the same in the whole recording. The smallest change seen, a letter typed, adds 26 bytes.

import type { Activity } from '../../../../contract.ts';

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

const MACROBLOCK = 16;
/** Above any frame without a change that was measured, below any with one. */
const largestUnchanged = (macroblocks: number): number => 30 + 0.009 * macroblocks;
/** How much the headers of such frames differ, in bytes. */
const HEADER_BYTES = 8;
/** What changed stays visible for so long before "play only what changes" goes on. */
const SHOWN_AFTER_CHANGE_MS = 1000;
/** It goes on so long before the next change. */
const SHOWN_BEFORE_CHANGE_MS = 200;
/** A jump over less than that disturbs more than it saves. */
const SHORTEST_MS = 1000;

/** For each frame, whether it differs from the one before it. Key frames do: their size tells nothing. */
export function changedFrames(activity: Activity, video: { width: number; height: number }): boolean[] {
  const isKey = new Set(activity.keyFrames);
  const macroblocks = Math.ceil(video.width / MACROBLOCK) * Math.ceil(video.height / MACROBLOCK);
  let smallest = Infinity;
  activity.bytes.forEach((size, index) => {
    if (!isKey.has(index)) smallest = Math.min(smallest, size);
  });
  // Where something changes all the time, the smallest frame has a change as well.
  const limit = Math.min(smallest + HEADER_BYTES, largestUnchanged(macroblocks));
  return activity.bytes.map((size, index) => isKey.has(index) || size > limit);
}

/** The parts to leave out when only what changes is played; in order, none overlap. */
export function stillStretches(
  activity: Activity,
  video: { width: number; height: number },
  durationMs: number,
): Stretch[] {
  const changed = changedFrames(activity, video);
  const changesMs = activity.timesMs.filter((_, index) => changed[index]);
  const stretches: Stretch[] = [];
  changesMs.forEach((changeMs, index) => {
    const next = changesMs[index + 1];
    const fromMs = changeMs + SHOWN_AFTER_CHANGE_MS;
    const toMs = next === undefined ? durationMs : next - SHOWN_BEFORE_CHANGE_MS;
    if (toMs - fromMs >= SHORTEST_MS) stretches.push({ fromMs, toMs });
  });
  return stretches;
}

/** How much changed in each of `count` equal parts of the recording: 0 (nothing) to 1 (the most), for a graph. */
export function activityGraph(
  activity: Activity,
  video: { width: number; height: number },
  durationMs: number,
  count: number,
): number[] {
  const changed = changedFrames(activity, video);
  const isKey = new Set(activity.keyFrames);
  const sums = new Array<number>(count).fill(0);
  activity.timesMs.forEach((timeMs, index) => {
    // Key frames hold the whole screen, not a change.
    if (changed[index] !== true || isKey.has(index)) return;
    const part = Math.min(count - 1, Math.floor((timeMs / Math.max(1, durationMs)) * count));
    sums[part] = (sums[part] ?? 0) + (activity.bytes[index] ?? 0);
  });
  // Changes differ by orders of magnitude: a letter, a page that scrolls.
  const scaled = sums.map((sum) => Math.sqrt(sum));
  const most = scaled.reduce((a, b) => Math.max(a, b), 0);
  return scaled.map((value) => (most === 0 ? 0 : value / most));
}
