import { expect, it } from 'vitest';
import { BusiestMinute } from '../../../main/media/bitRate.ts';

it('is the most that any 60 seconds have, wherever they begin', () => {
  const busiest = new BusiestMinute();
  expect(busiest.bitsPerSecond).toBe(0);
  for (let second = 0; second < 300; second += 1)
    busiest.add(second * 1000, second >= 100 && second < 150 ? 60_000 : 600);
  // 50 seconds of 60,000 bytes, 10 of 600.
  expect(busiest.bitsPerSecond).toBe(Math.round(((50 * 60_000 + 10 * 600) * 8) / 60));
});

it('counts less than a minute as a minute, and a frame of exactly a minute ago no more', () => {
  const busiest = new BusiestMinute();
  busiest.add(0, 600_000);
  expect(busiest.bitsPerSecond).toBe(80_000);
  busiest.add(60_000, 600_000);
  expect(busiest.bitsPerSecond).toBe(80_000);
});
