// The pure parts of the benchmarks: the seeded day, and what recordings are compared with.
import { expect, test } from 'vitest';
import { dayOf, sceneNames } from '../../bench/desk/day.ts';
import { shownAt } from '../../bench/frames.ts';
import { editDistance } from '../../bench/ocr.ts';
import { bytesWithin, candidates } from '../../bench/quality.ts';
import { ssim } from '../../bench/ssim.ts';

test.each(sceneNames)('the same seed gives the same %s, another seed another one', (scene) => {
  expect(dayOf(scene, 7, 30)).toEqual(dayOf(scene, 7, 30));
  expect(dayOf(scene, 8, 30)).not.toEqual(dayOf(scene, 7, 30));
});

test.each(sceneNames)('%s changes no text while it rests, and every rest lasts a second', (scene) => {
  const { actions, rests } = dayOf(scene, 3, 30);
  expect(rests.length).toBeGreaterThan(0);
  for (const { fromMs, toMs } of rests) {
    expect(toMs - fromMs).toBeGreaterThanOrEqual(1_000);
    const meanwhile = actions.filter((one) => one.atMs >= fromMs && one.atMs < toMs && one.do !== 'video');
    expect(meanwhile).toEqual([]);
  }
});

test('in a mixed minute the agent types for 15 s and pages for 20 s', () => {
  const { actions } = dayOf('mixed', 1, 60);
  const within = (kind: string): number[] => actions.filter((one) => one.do === kind).map((one) => one.atMs);
  expect(Math.max(...within('type'))).toBeLessThan(15_000);
  expect(Math.min(...within('page'))).toBe(25_000);
  expect(Math.max(...within('scroll'))).toBeLessThan(45_000);
});

test('a frame is shown until the next one', () => {
  const frames = [{ atMs: 100 }, { atMs: 300 }, { atMs: 9_000 }];
  expect([99, 100, 299, 8_999, 9_000].map((atMs) => shownAt(frames, atMs))).toEqual([-1, 0, 0, 1, 2]);
});

test('a sample is compared with what the screen showed in the last grab interval, and nothing older', () => {
  const every50 = Array.from({ length: 40 }, (_, index) => ({ atMs: index * 50 }));
  const near = candidates(every50, 1_000, 30).map((index) => every50[index]!.atMs);
  expect([near[0], near.at(-1)]).toEqual([650, 1_000]);
});

test('bytes are those of the packets of the scene', () => {
  const packets = [1, 2, 3].map((second) => ({ atMs: second * 1000, sizeBytes: second }));
  expect(bytesWithin(packets, 2_000, 3_000)).toBe(2);
});

test('ssim is 1 for the same picture and falls with every disturbance', () => {
  const [width, height] = [64, 32];
  const text = Uint8Array.from({ length: width * height }, (_, index) => (index % 5 < 2 ? 20 : 230));
  const blurred = text.map((value, index) => Math.round((value + (text[index + 1] ?? value)) / 2));
  const empty = new Uint8Array(text.length).fill(230);
  const [slightly, wholly] = [blurred, empty].map((other) => ssim(text, other, width, height)) as [
    number,
    number,
  ];
  expect(ssim(text, Uint8Array.from(text), width, height)).toBe(1);
  expect(slightly).toBeLessThan(0.99);
  expect(wholly).toBeLessThan(slightly);
});

test.each([
  ['', 'abc', 3],
  ['invoice 4711', 'invoice 4711', 0],
  ['invoice 4711', 'involce 471', 2],
])('%j and %j differ by %i characters', (read, shown, errors) => {
  expect(editDistance(read, shown)).toBe(errors);
});
