// Ten seconds of the fuzz run (npm run fuzz has any number).
import { expect, it } from 'vitest';
import { soakFuzz } from '../soak/fuzz.ts';

it('ten seconds of random traffic: the honest recording is whole, and its requests were answered', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { complaints, attacks, answeredMs, codes, clockMaxMs, memoryMiB } = await soakFuzz({
    seconds: 10,
    seed,
  });
  console.log(`seed ${seed}:`, Object.fromEntries(attacks), {
    ...{ requests: answeredMs.length, slowestMs: answeredMs.at(-1), codes, clockMaxMs, memoryMiB },
  });
  expect(complaints, `npm run fuzz -- --seconds 10 --seed ${seed}`).toEqual([]);
  expect(codes).toBeGreaterThan(10);
  expect(answeredMs.length).toBeGreaterThan(10);
  expect([...attacks.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(50);
}, 120_000);
