// The limit for each agent, with a clock of the test.
import { expect, it } from 'vitest';
import { RateLimit } from '../../../cloud/broker/rateLimit.ts';

it('allows the burst, then the rate, and says how long to wait', () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 0.5, burst: 3, now: () => now });
  expect([1, 2, 3].map(() => limit.take('alice'))).toEqual([0, 0, 0]);
  expect(limit.take('alice')).toBe(2);
  now = 1999;
  expect(limit.take('alice')).toBe(1);
  now = 2000;
  expect(limit.take('alice')).toBe(0);
  expect(limit.take('alice')).toBe(2);
});

it('counts each agent alone', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => 0 });
  expect(limit.take('alice')).toBe(0);
  expect(limit.take('alice')).toBe(1);
  expect(limit.take('bob')).toBe(0);
});

it('does not grow without a limit', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => 0 });
  expect(limit.take('first')).toBe(0);
  for (let count = 0; count < 10_000; count++) limit.take(`agent-${count}`);
  // It was forgotten, which gives it a full bucket.
  expect(limit.take('first')).toBe(0);
});
