// Requested retries, because the cause was fixed.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bench, receipt, systemError } from '../support/publisher.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a requested retry', () => {
  it('is of the recordings that are named, by recording or by contact, and of no other', async () => {
    const on = await bench(1, 'rec-1', 'rec-2', 'rec-3');
    on.outcomes = Array.from({ length: 3 }, () => systemError('EROFS'));
    for (const id of ['rec-1', 'rec-2', 'rec-3']) on.publisher.enqueue(on.session, id);
    await on.publisher.idle();
    const contactId = on.session.ledger.recordings.get('rec-3')!.started.contact.contactId;
    const retried = on.publisher.retryNow(['rec-1', 'nobody']);
    expect(retried).toMatchObject([{ recordingId: 'rec-1' }]);
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1']);
    expect(on.publisher.retryNow(['nobody'])).toEqual([]);
    expect(on.publisher.retryNow([contactId]).map((one) => one.recordingId)).toContain('rec-3');
    await on.publisher.idle();
    expect(on.published).toContain('rec-3');
    on.publisher.stop();
  });

  it('reports its outcome: first still failed, then published', async () => {
    const on = await bench();
    on.outcomes = [systemError('EROFS'), systemError('EROFS')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    const [first] = on.publisher.retryNow();
    expect(await first?.outcome).toMatchObject({ status: 'FAILED', failure: { code: 'UPLOAD_FAILED' } });
    const [second] = on.publisher.retryNow();
    expect(await second?.outcome).toEqual({ status: 'PUBLISHED', location: receipt.location });
    expect(on.publisher.retryNow()).toEqual([]);
  });

  it('comes after a running attempt: the cause may have been fixed too late for that', async () => {
    const on = await bench();
    let fail = (): void => undefined;
    on.outcomes = [
      () =>
        new Promise((_, reject) => (fail = () => reject(Object.assign(new Error('x'), { code: 'EROFS' })))),
    ];
    on.publisher.enqueue(on.session, 'rec-1');
    await vi.advanceTimersByTimeAsync(0);
    const [asked] = on.publisher.retryNow();
    fail();
    expect(await asked?.outcome).toMatchObject({ status: 'PUBLISHED' });
    expect(on.tries).toEqual(['rec-1', 'rec-1']);
  });

  it('is one attempt for all requests while it waits for its turn', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    let finish = (): void => undefined;
    on.outcomes = [() => new Promise((resolve) => (finish = resolve))];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    await vi.advanceTimersByTimeAsync(0);
    const [one] = on.publisher.retryNow(['rec-2']);
    const [other] = on.publisher.retryNow(['rec-2']);
    finish();
    expect(await one?.outcome).toEqual(await other?.outcome);
    expect(on.tries).toEqual(['rec-1', 'rec-2']);
  });
});
