// Guarantee 2 with kills: 50 cycles of the kill soak (npm run soak:kill has any number).
import { expect, it } from 'vitest';
import { soakKill } from '../soak/kill.ts';

it('50 kills of recorder, ffmpeg and power: every contact is published, whole and once, and nothing is left over', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { kills, published, lostMs, complaints } = await soakKill({ kills: 50, seed });
  const median = lostMs[Math.floor(lostMs.length / 2)];
  console.log(`seed ${seed}:`, Object.fromEntries(kills), {
    published,
    lostMs: { median, most: lostMs.at(-1) },
  });
  expect(complaints, `seed ${seed}`).toEqual([]);
  expect(published).toBeGreaterThan(40);
}, 600_000);
