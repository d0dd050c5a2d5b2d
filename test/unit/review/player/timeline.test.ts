// The player's pure parts about time: frames, stillness, skips, the timeline's items, clocks.
import { describe, expect, it } from 'vitest';
import { playingTime, utcTime } from '../../../../review/page/src/player/model/clock.ts';
import { frameAt, frameSpan, seekTarget, stepFrom } from '../../../../review/page/src/player/model/frames.ts';
import { jumpFrom, plannedSkips } from '../../../../review/page/src/player/model/skips.ts';
import { changedFrames, stillStretches } from '../../../../review/page/src/player/model/stillness.ts';
import {
  chapterFrom,
  chapterStarts,
  itemsAt,
  runAt,
  timelineItems,
} from '../../../../review/page/src/player/model/timeline.ts';
import type { Manifest } from '../../../../main/shared/manifest.ts';
import { madeRecording } from '../../../rig/reviewLibrary.ts';

const times = [0, 200, 401, 1401, 1602];

describe('frames', () => {
  it('finds the frame that is shown', () => {
    expect([-5, 0, 199, 200, 1400, 1401, 99_999].map((ms) => frameAt(times, ms))).toEqual([
      0, 0, 0, 1, 2, 3, 4,
    ]);
    expect(frameAt([], 5)).toBe(-1);
    expect(frameSpan(times, 4, 1700)).toEqual({ fromMs: 1602, toMs: 1700 });
  });
  it('seeks to the very moment, but never to the edge of a frame', () => {
    expect(seekTarget(times, 900, 1700)).toBe(900);
    expect(seekTarget(times, 401, 1700)).toBe(405);
    expect(seekTarget(times, 1400, 1700)).toBe(1397);
    expect(seekTarget([0, 6, 200], 1, 300)).toBe(3);
    expect(seekTarget(times, 5000, 1700)).toBe(1696);
    expect(seekTarget([], 5000, 1700)).toBe(1700);
  });
  it('steps by frames and stays inside', () => {
    expect(stepFrom(times, 900, 1)).toBe(1401);
    expect(stepFrom(times, 900, -1)).toBe(200);
    expect(stepFrom(times, 0, -1)).toBe(0);
    expect(stepFrom(times, 1650, 1)).toBe(1602);
  });
});

describe('stillness', () => {
  // As recorded from a desk of 1600 x 450: unchanged frames have 33 bytes.
  const video = { width: 1600, height: 450 };
  const activity = (frames: readonly (readonly [timeMs: number, bytes: number])[], keyFrames = [0]) => ({
    timesMs: frames.map(([timeMs]) => timeMs),
    bytes: frames.map(([, bytes]) => bytes),
    keyFrames,
  });
  const rest = [2000, 3000, 4000, 5000].map((ms) => [ms, 33] as const);

  it('is where only unchanged frames follow a change', () => {
    const desk = activity([[0, 24_000], [200, 1243], [1000, 900], ...rest, [5600, 61]]);
    expect(changedFrames(desk, video)).toEqual([true, true, true, false, false, false, false, true]);
    expect(stillStretches(desk, video, 6000)).toEqual([{ fromMs: 2000, toMs: 5400 }]);
  });
  it('lasts to the end of the recording', () => {
    expect(stillStretches(activity([[0, 24_000], ...rest]), video, 6000)).toEqual([
      { fromMs: 1000, toMs: 6000 },
    ]);
  });
  it('is nowhere if the smallest frame is larger than an unchanged one can be: something always moves', () => {
    const busy = activity([[0, 24_000], ...rest.map(([ms]) => [ms, 96] as const)]);
    expect(stillStretches(busy, video, 6000)).toEqual([]);
  });
  it('is not where a letter was typed: 26 bytes more', () => {
    const typing = activity([
      [0, 24_000],
      ...rest.map(([ms], index) => [ms, index % 2 === 0 ? 59 : 33] as const),
    ]);
    expect(stillStretches(typing, video, 5500)).toEqual([]);
  });
  it('knows unchanged frames of three large monitors, and tells nothing of key frames', () => {
    const frames = activity(
      [
        [0, 560_000],
        [1000, 183],
        [2000, 184],
        [3000, 215],
        [4000, 183],
      ],
      [0, 4],
    );
    expect(changedFrames(frames, { width: 5760, height: 1080 })).toEqual([true, false, false, true, true]);
  });
  it('has no stretches without frames', () => {
    expect(stillStretches(activity([], []), video, 6000)).toEqual([]);
  });
});

describe('skips', () => {
  const gap = (
    offsetMs: number,
    durationMs: number,
    reason: 'suspended' | 'locked',
  ): Manifest['gaps'][number] => ({
    ...{ startTime: '', endTime: '', offsetMs, durationMs, reason, by: 'page', endedBy: 'page' },
  });
  const gaps = [gap(10_000, 5000, 'suspended'), gap(30_000, 5000, 'locked')];
  const still = [{ fromMs: 8000, toMs: 14_000 }];

  it('leave out suspensions but not other gaps, and do not overlap', () => {
    expect(plannedSkips(gaps, still, { suspensions: true, still: true })).toEqual([
      { fromMs: 8000, toMs: 10_400, why: 'still' },
      { fromMs: 10_400, toMs: 15_000, why: 'suspended' },
    ]);
    expect(plannedSkips(gaps, still, { suspensions: false, still: false })).toEqual([]);
  });
  it('are one jump where they touch, and none where the reviewer went', () => {
    const skips = plannedSkips(gaps, still, { suspensions: true, still: true });
    expect(jumpFrom(skips, 8100, null)).toEqual({ toMs: 15_000, why: 'still' });
    expect(jumpFrom(skips, 7999, null)).toBeNull();
    expect(jumpFrom(skips, 15_000, null)).toBeNull();
    expect(jumpFrom(skips, 12_000, 11_000)).toBeNull();
    expect(jumpFrom(skips, 12_000, 8100)).toEqual({ toMs: 15_000, why: 'suspended' });
  });
});

describe('timeline', () => {
  const { manifest } = madeRecording(0);
  const startMs = Date.parse(manifest.startTime);
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  const items = timelineItems(manifest, [
    { kind: 'hold', startTime: at(5000), endTime: at(9000) },
    { kind: 'connected', startTime: at(-60_000), endTime: null },
    { kind: 'after-contact-work', startTime: at(50_000), endTime: at(9_000_000) },
  ]);

  it('has runs, gaps with their words, and the contact within the video', () => {
    expect(items.map(({ kind, fromMs }) => [kind, fromMs])).toEqual([
      ['run', 0],
      ['contact', 5000],
      ['gap', 10_000],
      ['run', 22_000],
      ['gap', 40_000],
      ['run', 42_000],
      ['contact', 50_000],
    ]);
    expect(items[2]).toMatchObject({ look: 'suspended', words: 'card number', toMs: 22_000 });
    expect(items[4]).toMatchObject({ look: 'lost', words: null });
    expect(items[6]!.toMs).toBe(manifest.durationMs);
  });
  it('says what lies at a moment', () => {
    expect(itemsAt(items, 12_000, 100).map(({ kind }) => kind)).toEqual(['gap']);
    expect(runAt(manifest, 12_000)).toBeNull();
    expect(runAt(manifest, 22_000)).toBe(manifest.runs[1]);
  });
  it('goes from chapter to chapter', () => {
    const starts = chapterStarts(items);
    expect(starts).toEqual([0, 10_000, 22_000, 40_000, 42_000]);
    expect(chapterFrom(starts, 10_000, 1)).toBe(22_000);
    expect(chapterFrom(starts, 25_000, -1)).toBe(22_000);
    expect(chapterFrom(starts, 23_000, -1)).toBe(10_000);
    expect(chapterFrom(starts, 50_000, 1)).toBe(50_000);
  });
  it('marks a change of the monitors between runs', () => {
    const [first, second, ...others] = manifest.runs;
    const runs = [first!, { ...second!, monitors: [] }, ...others];
    const changes = timelineItems({ ...manifest, runs }, []).filter(({ kind }) => kind === 'display-change');
    expect(changes.map(({ fromMs }) => fromMs)).toEqual([22_000, 42_000]);
  });
});

it('writes times as clocks do', () => {
  expect(playingTime(65_999)).toBe('1:05');
  expect(playingTime(3_600_000 + 65_990, true)).toBe('1:01:05.9');
  expect(playingTime(-1)).toBe('0:00');
  expect(utcTime(Date.UTC(2026, 2, 2, 9, 5, 7, 345))).toBe('09:05:07.3 UTC');
});
