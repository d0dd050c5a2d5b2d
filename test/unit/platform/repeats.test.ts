import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LimitedLogger } from '../../../main/platform/repeats.ts';
import { limitRepeats } from '../../../main/platform/repeats.ts';
import type { LogLine } from '../support/logs.ts';
import { keepingLogger } from '../support/logs.ts';

let lines: LogLine[];
let limited: LimitedLogger;

function begin(perMinute: number): void {
  const kept = keepingLogger();
  lines = kept.lines;
  limited = limitRepeats(kept.log, perMinute);
}

const refuse = (origin: string, times = 1): void => {
  for (let count = 0; count < times; count += 1) limited.warn('refused', { origin, page: String(count) });
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a log that strangers can write to', () => {
  it('has the first line of an origin at once, and one line a minute with the count of the others', () => {
    begin(1);
    refuse('https://a.example', 5000);
    refuse('https://b.example');
    expect(lines.map(({ fields }) => fields)).toEqual([
      { origin: 'https://a.example', page: '0' },
      { origin: 'https://b.example', page: '0' },
    ]);
    vi.advanceTimersByTime(60_000);
    expect(lines.slice(2).map(({ fields }) => fields)).toEqual([
      { origin: 'https://a.example', count: 4999 },
    ]);
    refuse('https://a.example', 3);
    vi.advanceTimersByTime(60_000);
    expect(lines.slice(3).map(({ fields }) => fields)).toEqual([{ origin: 'https://a.example', count: 3 }]);
    // A quiet minute ends it: the next is news again.
    vi.advanceTimersByTime(60_000);
    refuse('https://a.example');
    expect(lines.at(-1)?.fields).toEqual({ origin: 'https://a.example', page: '0' });
    expect(lines).toHaveLength(5);
  });

  it('counts all origins beyond the first twenty as one', () => {
    begin(1);
    for (let count = 0; count < 1000; count += 1) refuse(`https://evil-${count}.example`);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)?.fields).toMatchObject({ count: 979 });
    expect(lines.at(-1)?.fields).not.toHaveProperty('origin');
  });

  it('has as many lines a minute as it is allowed, message by message', () => {
    begin(3);
    refuse('https://a.example', 4);
    limited.info('connected', { origin: 'https://a.example' });
    expect(lines.map(({ message }) => message)).toEqual(['refused', 'refused', 'refused', 'connected']);
  });

  it('has all counts when it is flushed, and no timer is left', () => {
    begin(1);
    refuse('https://a.example', 2);
    limited.flush();
    expect(lines.at(-1)?.fields).toEqual({ origin: 'https://a.example', count: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });
});
