// Uploaded, but the status event about it cannot be written yet.
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../main/shared/errors.ts';
import { bench, delivered, durable, receipt } from '../support/publisher.ts';

const why = failure('EVENTS_NOT_WRITTEN', 'Status events cannot be written.');

/** PUBLISHED of the first recording waits until `write` is called. */
async function stuckBench() {
  const on = await bench(1, 'rec-1', 'rec-2');
  let write = (): void => undefined;
  on.telling = { tried: Promise.resolve(why), durable: new Promise((resolve) => (write = resolve)) };
  on.publisher.enqueue(on.session, 'rec-1');
  await on.publisher.idle();
  on.telling = durable;
  return { ...on, on, write };
}

describe('a recording whose PUBLISHED event is not durable', () => {
  it('stays in the spool, unpublished, and counts as pending, with the reason', async () => {
    const { on } = await stuckBench();
    expect(on.session.ledger.recordings.get('rec-1')?.published).toBeNull();
    await on.session.tidy();
    expect(await readdir(on.session.folder)).toContain('journal.ndjson');
    expect(on.publisher.uploads).toEqual({ pending: 1, failed: 0, reason: why });
    expect(on.publisher.queue).toMatchObject([{ recordingId: 'rec-1', state: 'resting', why }]);
    expect(on.uploads.at(-1)).toMatchObject({ pending: 1, reason: why });
  });

  it('delays no other upload', async () => {
    const { on } = await stuckBench();
    on.publisher.enqueue(on.session, 'rec-2');
    await on.publisher.idle();
    expect(on.session.ledger.recordings.get('rec-2')?.published).toMatchObject(delivered);
    expect(on.publisher.uploads).toMatchObject({ pending: 1 });
  });

  it('is noted as published once it is, without a second upload', async () => {
    const { on, write } = await stuckBench();
    const settled = new Promise<void>((resolve) =>
      on.publisher.watch(() => on.publisher.uploads.pending === 0 && resolve()),
    );
    write();
    await settled;
    expect(on.session.ledger.recordings.get('rec-1')?.published).toMatchObject(delivered);
    expect(on.tries).toEqual(['rec-1']);
    expect(on.publisher.uploads).toEqual({ pending: 0, failed: 0, reason: null });
  });

  it('has its event retried at once upon a requested retry, and nothing sent again', async () => {
    const { on } = await stuckBench();
    const [retried] = on.publisher.retryNow(['rec-1']);
    expect(await retried?.outcome).toEqual({ status: 'PUBLISHED', location: receipt.location });
    expect(on.eventRetries).toBe(1);
    expect(on.tries).toEqual(['rec-1']);
  });
});

describe('a FAILED event that is not durable', () => {
  it('delays no upload', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    on.onFailed = () => new Promise(() => undefined);
    on.outcomes = Array.from({ length: 3 }, () => () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    });
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    for (const _ of [2, 3]) {
      on.publisher.retryNow();
      await on.publisher.idle();
    }
    expect(on.failed).toHaveLength(1);
    on.publisher.enqueue(on.session, 'rec-2');
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-2']);
    on.publisher.stop();
  });

  it('that throws before it is a promise is logged, and the recording is tried again', async () => {
    const on = await bench();
    on.onFailed = () => {
      throw new Error('The spool knows no recording.');
    };
    on.outcomes = Array.from({ length: 3 }, () => () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    });
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    for (const _ of [2, 3, 4]) {
      on.publisher.retryNow();
      await on.publisher.idle();
    }
    expect(on.log).toContainEqual({
      level: 'error',
      message: 'a FAILED event could not be announced',
      fields: { recordingId: 'rec-1', reason: 'Error: The spool knows no recording.' },
    });
    expect(on.published).toEqual(['rec-1']);
  });
});
