import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Throttle } from '../../../main/publisher/s3/throttle.ts';

const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The first slice after a rest comes at once, or nearly. */
async function taken(throttle: Throttle, bytes: number): Promise<void> {
  const taking = throttle.take(bytes);
  await vi.advanceTimersByTimeAsync(5);
  await taking;
}

/** So many take slice after slice for so long. @returns the bytes that they got */
async function takeFor(throttle: Throttle, ms: number, sliceBytes = 16 * KIB, takers = 1): Promise<number> {
  let taken = 0;
  const over = new AbortController();
  const isOver = (): boolean => over.signal.aborted;
  const all = Array.from({ length: takers }, async () => {
    while (!isOver()) {
      await throttle.take(sliceBytes);
      if (!isOver()) taken += sliceBytes;
    }
  });
  await vi.advanceTimersByTimeAsync(ms);
  over.abort();
  throttle.limit(null);
  await Promise.all(all);
  return taken;
}

describe('the bandwidth cap', () => {
  it('lets 500 kbit/s through, no more and hardly less', async () => {
    const throttle = new Throttle();
    throttle.limit(500);
    const bytes = await takeFor(throttle, 60_000);
    expect(bytes).toBeLessThanOrEqual(62.5 * 1000 * 60 + 16 * KIB + 62.5 * 250);
    expect(bytes).toBeGreaterThan(62.5 * 1000 * 60 * 0.97);
  });

  it('is shared by all that are sent at the same time', async () => {
    const throttle = new Throttle();
    throttle.limit(500);
    const bytes = await takeFor(throttle, 60_000, 16 * KIB, 3);
    expect(bytes).toBeLessThanOrEqual(62.5 * 1000 * 60 + 16 * KIB + 62.5 * 250);
  });

  it('has no credit for a long rest but a quarter of a second', async () => {
    const throttle = new Throttle();
    throttle.limit(500);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(await takeFor(throttle, 1000, KIB)).toBeLessThanOrEqual(62.5 * 1250 + 2 * KIB);
  });

  it('is lifted at once for waiting requests, and applies again to the next', async () => {
    const throttle = new Throttle();
    throttle.limit(8); // a byte a millisecond
    await taken(throttle, 100_000);
    let isThrough = false;
    const waiting = throttle.take(10).then(() => (isThrough = true));
    await vi.advanceTimersByTimeAsync(1000);
    expect(isThrough).toBe(false);
    throttle.limit(null);
    await waiting;
    await throttle.take(1_000_000);
    throttle.limit(8);
    await taken(throttle, 5000);
    const next = throttle.take(10).then(() => (isThrough = false));
    await vi.advanceTimersByTimeAsync(4000);
    expect(isThrough).toBe(true);
    await vi.advanceTimersByTimeAsync(1100);
    await next;
    expect(isThrough).toBe(false);
  });

  it('serves in the order of asking', async () => {
    const throttle = new Throttle();
    throttle.limit(8);
    const order: number[] = [];
    await taken(throttle, 1000);
    const all = [1, 2, 3].map((name) => throttle.take(500).then(() => order.push(name)));
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all(all);
    expect(order).toEqual([1, 2, 3]);
  });
});
