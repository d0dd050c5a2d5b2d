// Guarantee 2 with kills: 50 cycles of the kill soak (npm run soak:kill has any number).
import { expect, it } from 'vitest';
import { soakKill } from '../soak/kill.ts';

it('50 kills of recorder, ffmpeg and power, some at single system calls, or with one that fails: every contact is published, whole and once, and nothing is left over', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  // Two at a time, each on its own display and with its own store: while one records the other is judged.
  const seeds = [seed, seed + 1];
  const results = await Promise.all(
    seeds.map((one) =>
      soakKill({ kills: 25, seed: one, onProgress: (line) => console.log(`seed ${one}: ${line}`) }),
    ),
  );
  const lostMs = results.flatMap((one) => one.lostMs).sort((a, b) => a - b);
  const published = results.reduce((sum, one) => sum + one.published, 0);
  const median = lostMs[Math.floor(lostMs.length / 2)];
  for (const [index, { kills }] of results.entries())
    console.log(`25 kills with seed ${seeds[index]}:`, Object.fromEntries(kills));
  console.log({ published, lostMs: { median, most: lostMs.at(-1) } });
  expect(
    results.flatMap((one) => one.complaints),
    `seeds ${seeds.join(' and ')}`,
  ).toEqual([]);
  expect(published).toBeGreaterThan(30);
}, 600_000);
