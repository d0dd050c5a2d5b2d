import { describe, expect, it } from 'vitest';
import { OverdueWatch } from '../../../main/publisher/overdueWatch.ts';
import { bench } from '../support/publisher.ts';

const MINUTE_MS = 60_000;

/** Two complete recordings in a real spool, and time in the test's hand. */
async function watched(overdueMinutes = 60) {
  const on = await bench(1, 'rec-1', 'rec-2');
  const { session } = on;
  const endTime = session.ledger.recordings.get('rec-1')?.stopped?.endTime ?? 0;
  let now = endTime;
  let timer: { at: number; callback: () => void } | null = null;
  let timers = 0;
  const queued = new Map([['rec-1', endTime]]);
  const told: string[] = [];
  const policy = { overdueMinutes };
  const newWatch = (): OverdueWatch =>
    new OverdueWatch({
      policy,
      clock: { now: () => now },
      unpublished: () =>
        [...queued].map(([recordingId, queuedAt]) => ({ session, recordingId, queuedAt, why: null })),
      announce: ({ recordingId }) => told.push(recordingId),
      setTimer: (callback, delayMs) => {
        timers += 1;
        const mine = { at: now + delayMs, callback };
        timer = mine;
        return () => {
          if (timer === mine) timer = null;
        };
      },
    });
  /** Fires what is due until then. */
  const until = (at: number): void => {
    while (timer !== null && timer.at <= at) {
      const { at: due, callback } = timer;
      timer = null;
      now = due;
      callback();
    }
    now = at;
  };
  return {
    session,
    endTime,
    queued,
    told,
    policy,
    newWatch,
    until,
    timers: () => timers,
    timer: () => timer,
  };
}

describe('the watch for overdue recordings', () => {
  it('notices one at its time, once, with one timer an hour and no polling', async () => {
    const on = await watched();
    const watch = on.newWatch();
    watch.look();
    on.until(on.endTime + 60 * MINUTE_MS - 1);
    expect(on.told).toEqual([]);
    on.until(on.endTime + 60 * MINUTE_MS);
    expect(on.told).toEqual(['rec-1']);
    watch.look();
    on.until(on.endTime + 600 * MINUTE_MS);
    expect(on.told).toEqual(['rec-1']);
    expect(on.timer()).toBeNull();
    expect(on.timers()).toBe(1);
  });

  it('says nothing of one that is published in time, nor with the policy off', async () => {
    const on = await watched();
    const watch = on.newWatch();
    watch.look();
    on.until(on.endTime + 59 * MINUTE_MS);
    on.queued.clear();
    watch.look();
    expect(on.timer()).toBeNull();
    on.queued.set('rec-1', on.endTime);
    on.policy.overdueMinutes = 0;
    watch.look();
    on.until(on.endTime + 600 * MINUTE_MS);
    expect(on.told).toEqual([]);
    on.policy.overdueMinutes = 10_080;
    watch.look();
    on.until(on.endTime + 10_080 * MINUTE_MS);
    expect(on.told).toEqual(['rec-1']);
  });

  it('gives what an earlier process left 30 s, and remembers what the journal says', async () => {
    const on = await watched();
    const start = on.endTime + 5000 * MINUTE_MS;
    on.until(start);
    on.queued.set('rec-1', start).set('rec-2', start);
    await on.session.append({ type: 'event.announced', recordingId: 'rec-2', status: 'OVERDUE' });
    const watch = on.newWatch();
    watch.look();
    on.until(start + 29_999);
    expect(on.told).toEqual([]);
    on.until(start + 30_000);
    expect(on.told).toEqual(['rec-1']);
  });
});
