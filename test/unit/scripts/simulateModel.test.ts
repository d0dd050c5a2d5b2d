// The simulated desks do what docs/capacity.md says of one agent.
import { expect, it } from 'vitest';
import {
  drawContact,
  FIRST_FRAME_KB,
  HELLOS_AN_HOUR,
  MEAN_CONTACT_S,
  OCCUPANCY,
  schedule,
  seeded,
} from '../../../scripts/simulate/model.ts';

const steady = { agents: 3000, seconds: 600, seed: 1 };

it('contacts have the mean length and size of the tables', () => {
  const random = seeded(1);
  const contacts = Array.from({ length: 20_000 }, (_, number) => drawContact(random, 0, number));
  const mean = (of: (one: (typeof contacts)[number]) => number): number =>
    contacts.reduce((sum, one) => sum + of(one), 0) / contacts.length;
  const lengthS = mean((one) => one.lengthS);
  expect(lengthS).toBeGreaterThan(320);
  expect(lengthS).toBeLessThan(340);
  const kBAMinute = (mean((one) => one.sizeBytes) / 1000 - FIRST_FRAME_KB) / (lengthS / 60);
  expect(Math.abs(kBAMinute - 690)).toBeLessThan(690 * 0.03);
});

it('is steady from the first second: as many contacts end as begin, in the rate of the formula', () => {
  const actions = schedule(steady);
  const expected = (steady.agents * OCCUPANCY * steady.seconds) / MEAN_CONTACT_S;
  for (const kind of ['start', 'stop'] as const) {
    const times = actions.filter((one) => one.kind === kind).map(({ atS }) => atS);
    expect(Math.abs(times.length / expected - 1)).toBeLessThan(0.05);
    const early = times.filter((atS) => atS < steady.seconds / 2).length;
    expect(Math.abs(early / times.length - 0.5)).toBeLessThan(0.03);
  }
  const hellos = actions.filter(({ kind }) => kind === 'hello').length;
  expect(Math.abs(hellos / ((steady.agents * HELLOS_AN_HOUR * steady.seconds) / 3600) - 1)).toBeLessThan(0.1);
});

it('is the same for the same seed, another for another one, and more desks leave the others as they were', () => {
  const small = { agents: 20, seconds: 600, seed: 1 };
  expect(schedule(small)).toEqual(schedule(small));
  expect(schedule({ ...small, seed: 2 })).not.toEqual(schedule(small));
  expect(schedule({ ...small, agents: 40 }).filter(({ desk }) => desk < 20)).toEqual(schedule(small));
});

it('at the start of a shift each desk signs in once, and records from then on', () => {
  const actions = schedule({ agents: 500, seconds: 60, seed: 1, shiftStart: true });
  const of = (kind: string) => actions.filter((one) => one.kind === kind).map(({ desk }) => desk);
  expect(of('hello')).toHaveLength(500);
  expect(new Set(of('hello'))).toEqual(new Set(of('start')));
});
