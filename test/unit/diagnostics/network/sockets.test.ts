import { describe, expect, it } from 'vitest';
import { mapAtOnce } from '../../../../main/diagnostics/network/checkNetwork.ts';
import { NoAnswerError, within } from '../../../../main/diagnostics/network/sockets.ts';

const never = () => new Promise<never>(() => undefined);
const open = new AbortController().signal;

describe('within', () => {
  it('gives what the work gives, and throws what it throws', async () => {
    expect(await within(1000, open, () => Promise.resolve(7))).toBe(7);
    await expect(within(1000, open, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  });

  it('ends work that does not end, and aborts its signal', async () => {
    let given: AbortSignal | undefined;
    const work = (signal: AbortSignal) => {
      given = signal;
      return never();
    };
    await expect(within(20, open, work)).rejects.toBeInstanceOf(NoAnswerError);
    expect(given?.aborted).toBe(true);
  });

  it('ends with the time for everything, before it begins too', async () => {
    const whole = new AbortController();
    const waiting = within(60_000, whole.signal, never);
    whole.abort(new Error('out of time'));
    await expect(waiting).rejects.toThrow('out of time');
    await expect(within(60_000, whole.signal, () => Promise.resolve(1))).rejects.toThrow('out of time');
  });
});

describe('mapAtOnce', () => {
  it('keeps the order, and never does more at the same time than it may', async () => {
    let now = 0;
    let most = 0;
    const results = await mapAtOnce([5, 1, 4, 2, 3, 0], 2, async (item) => {
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
      now -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30, 0]);
    expect(most).toBe(2);
  });
});
