import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Progress } from '../../../main/publisher/progress.ts';
import { ProgressMeter } from '../../../main/publisher/progress.ts';
import { bench, systemError } from '../support/publisher.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function meter(): { meter: ProgressMeter; told: (Progress | null)[] } {
  const told: (Progress | null)[] = [];
  return { told, meter: new ProgressMeter((progress) => told.push(progress)) };
}

describe('the meter of an upload', () => {
  it('reports at most four times a second, the last change included', () => {
    const { meter: one, told } = meter();
    for (let slice = 0; slice < 1000; slice += 1) {
      one.sent(1000);
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(250);
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told.length).toBeLessThanOrEqual(5);
    expect(told.at(-1)?.sentBytes).toBe(1_000_000);
    one.end();
  });

  it('knows the speed of the last seconds', () => {
    const { meter: one, told } = meter();
    for (let slice = 0; slice < 40; slice += 1) {
      one.sent(5000);
      vi.advanceTimersByTime(100);
    }
    expect(told.at(-1)?.bytesPerSecond).toBeGreaterThan(45_000);
    expect(told.at(-1)?.bytesPerSecond).toBeLessThan(55_000);
    one.end();
  });

  it('says once that nothing moves any more', () => {
    const { meter: one, told } = meter();
    one.sent(100);
    vi.advanceTimersByTime(300);
    one.sent(100);
    expect(told.at(-1)?.bytesPerSecond).toBeGreaterThan(0);
    const before = told.length;
    vi.advanceTimersByTime(60_000);
    expect(told.slice(before)).toEqual([{ sentBytes: 200, totalBytes: null, bytesPerSecond: 0 }]);
    one.end();
  });

  it('takes back what must go again', () => {
    const { meter: one, told } = meter();
    one.expect(500);
    one.sent(300);
    one.sent(-300);
    vi.advanceTimersByTime(250);
    expect(told.at(-1)).toMatchObject({ sentBytes: 0, totalBytes: 500 });
    one.end();
  });

  it('is silent once the try is over', () => {
    const { meter: one, told } = meter();
    one.sent(1);
    one.sent(1);
    one.end();
    one.end();
    one.sent(1);
    vi.advanceTimersByTime(60_000);
    expect(told.filter((progress) => progress === null)).toHaveLength(1);
    expect(told.at(-1)).toBeNull();
  });
});

describe('the queue as it is shown', () => {
  it('has what is under way with its progress and what waits for its turn, and notifies of each change', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    let finish = (): void => undefined;
    on.outcomes = [() => new Promise((resolve) => (finish = resolve))];
    let changes = 0;
    const end = on.publisher.watch(() => (changes += 1));
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    const progress = { sentBytes: 10, totalBytes: 100, bytesPerSecond: 5 };
    const before = changes;
    on.publisher.progressed(on.session, 'rec-1', progress);
    expect(changes).toBe(before + 1);
    expect(on.publisher.queue).toMatchObject([
      { recordingId: 'rec-1', contactId: 'contact-rec-1', state: 'sending', progress },
      { recordingId: 'rec-2', state: 'waiting', progress: null },
    ]);
    on.publisher.progressed(on.session, 'rec-1', null);
    finish();
    await on.publisher.idle();
    expect(on.publisher.queue).toEqual([]);
    end();
    const after = changes;
    on.publisher.progressed(on.session, 'rec-1', null);
    expect(changes).toBe(after);
  });

  it('says why something rests and when it is tried next, until it is', async () => {
    const on = await bench();
    on.outcomes = [systemError('EROFS')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    expect(on.publisher.queue).toMatchObject([
      {
        ...{ state: 'resting', attempts: 1, failed: false, nextTryAt: 1_800_000_002_000 },
        why: { code: 'UPLOAD_FAILED' },
      },
    ]);
    on.publisher.retryNow();
    expect(on.publisher.queue).toMatchObject([{ state: 'sending', nextTryAt: null }]);
    await on.publisher.idle();
  });

  it('has an upload whose contact continues', async () => {
    const on = await bench();
    const progress = { sentBytes: 10, totalBytes: null, bytesPerSecond: 5 };
    on.publisher.progressed(on.session, 'rec-1', progress);
    expect(on.publisher.queue).toMatchObject([{ recordingId: 'rec-1', state: 'live', progress }]);
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 0 });
  });
});
