import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SightlineError } from '../../../main/shared/errors.ts';
import { containing } from '../support/matchers.ts';
import type { Bench } from '../support/publisher.ts';
import { NOW, bench, delivered, systemError } from '../support/publisher.ts';

/** Lets the next attempt happen, which is due after `delayMs` and not earlier. */
async function nextTry(on: Bench, delayMs: number): Promise<void> {
  const before = on.tries.length;
  await vi.advanceTimersByTimeAsync(delayMs - 1);
  expect(on.tries).toHaveLength(before);
  await vi.advanceTimersByTimeAsync(1);
  await on.publisher.idle();
  expect(on.tries).toHaveLength(before + 1);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a recording that can be uploaded', () => {
  it('is journaled as published, announced, and removed from the spool', async () => {
    const on = await bench();
    await on.session.release();
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1']);
    expect(on.session.ledger.recordings.get('rec-1')?.published).toEqual({
      type: 'recording.published',
      recordingId: 'rec-1',
      at: NOW,
      ...delivered,
    });
    await expect(readdir(on.session.folder)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(on.failed).toEqual([]);
  });

  it('is published once, even when something goes wrong after that', async () => {
    const on = await bench();
    on.onPublished = () => {
      throw new Error('no way to tell');
    };
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.tries).toEqual(['rec-1']);
    expect(on.failed).toEqual([]);
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 0 });
    expect(on.log).toMatchObject([{ level: 'warn', fields: { recordingId: 'rec-1' } }]);
  });

  it('counts as pending until then', async () => {
    const on = await bench();
    on.publisher.enqueue(on.session, 'rec-1');
    expect(on.publisher.uploads).toMatchObject({ pending: 1, failed: 0 });
    await on.publisher.idle();
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 0 });
    expect(on.uploads).toEqual([
      { pending: 1, failed: 0, reason: null },
      { pending: 0, failed: 0, reason: null },
    ]);
  });

  it('waits for the ones before it', async () => {
    const on = await bench(1, 'rec-1', 'rec-2', 'rec-3');
    let finish = (): void => undefined;
    on.outcomes = [() => new Promise((resolve) => (finish = resolve))];
    for (const id of ['rec-1', 'rec-2', 'rec-3']) on.publisher.enqueue(on.session, id);
    await vi.advanceTimersByTimeAsync(0);
    expect(on.tries).toEqual(['rec-1']);
    expect(on.publisher.uploads).toMatchObject({ pending: 3, failed: 0 });
    finish();
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1', 'rec-2', 'rec-3']);
  });

  it('does not wait for one that cannot be', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    on.outcomes = [systemError('EACCES')];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-2']);
    expect(on.publisher.uploads).toMatchObject({ pending: 1, failed: 0 });
    on.publisher.stop();
  });
});

describe('a transient failure', () => {
  it('is never announced as FAILED: it is retried, and the reason is shown', async () => {
    const on = await bench();
    on.outcomes = Array.from({ length: 5 }, () => systemError('ETIMEDOUT'));
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    const reason = {
      code: 'UPLOAD_FAILED',
      message:
        'The recording could not be uploaded. It is kept in the spool and retried automatically. (ETIMEDOUT: no such luck)',
      source: 'CLIENT',
    };
    for (const delay of [2000, 4000, 8000, 16_000]) {
      expect(on.publisher.uploads).toEqual({ pending: 1, failed: 0, reason });
      expect(on.uploads.at(-1)).toEqual({ pending: 1, failed: 0, reason });
      await nextTry(on, delay);
    }
    await nextTry(on, 32_000);
    expect(on.failed).toEqual([]);
    expect(on.published).toEqual(['rec-1']);
    expect(on.publisher.uploads).toEqual({ pending: 0, failed: 0, reason: null });
    expect(on.session.ledger.recordings.get('rec-1')?.published).toMatchObject(delivered);
  });

  it('that passes soon is never announced', async () => {
    const on = await bench();
    on.outcomes = [systemError('ETIMEDOUT'), systemError('ETIMEDOUT')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 2000);
    await nextTry(on, 4000);
    expect(on.failed).toEqual([]);
    expect(on.published).toEqual(['rec-1']);
  });

  it('is waited for ever longer, but never longer than five minutes', async () => {
    const on = await bench();
    on.outcomes = Array.from({ length: 12 }, () => systemError('ETIMEDOUT'));
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    const seconds = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300];
    for (const delay of seconds) await nextTry(on, delay * 1000);
    on.publisher.stop();
  });

  it('is waited for by a part of that which chance decides', async () => {
    const on = await bench(0.25);
    on.outcomes = [systemError('ETIMEDOUT'), systemError('ETIMEDOUT')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 500);
    await nextTry(on, 1000);
    expect(on.published).toEqual(['rec-1']);
  });
});

describe('a permanent failure', () => {
  it.each([
    ['EACCES', 'The sink may not be written to.'],
    ['EPERM', 'The sink may not be written to.'],
    ['EROFS', 'The sink is read-only.'],
    ['ENOTDIR', 'The sink is not a folder.'],
    [
      'ENAMETOOLONG',
      'The recording could not be uploaded. It is kept in the spool and retried automatically. (ENAMETOOLONG: no such luck)',
    ],
    ['ENOSPC', 'The sink is full.'],
    ['EDQUOT', 'quota is used up'],
  ])('is announced as FAILED after the third try, with what to do about it: %s', async (code, words) => {
    const on = await bench();
    on.outcomes = Array.from({ length: 4 }, () => systemError(code));
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 2000);
    expect(on.failed).toEqual([]);
    expect(on.publisher.uploads).toMatchObject({ pending: 1, failed: 0 });
    await nextTry(on, 4000);
    expect(on.failed).toEqual([
      { recordingId: 'rec-1', why: { code: 'UPLOAD_FAILED', message: containing(words), source: 'CLIENT' } },
    ]);
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 1 });
    await nextTry(on, 8000);
    expect(on.failed).toHaveLength(1);
    await nextTry(on, 16_000);
    expect(on.published).toEqual(['rec-1']);
  });
});

describe('the reason of a failure', () => {
  it.each([['a sink that is not there', 'ENOENT', 'The sink is not there.']])(
    'says what to do about %s',
    async (_, code, words) => {
      const on = await bench();
      on.outcomes = [systemError(code)];
      on.publisher.enqueue(on.session, 'rec-1');
      await on.publisher.idle();
      expect(on.publisher.uploads.reason?.message).toContain(words);
      on.publisher.stop();
    },
  );

  it('keeps a code of our own', async () => {
    const on = await bench();
    on.outcomes = Array.from({ length: 3 }, () => () => {
      throw new SightlineError('SPOOL_UNREADABLE', 'The spool cannot be used: EIO');
    });
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 2000);
    await nextTry(on, 4000);
    expect(on.failed[0]?.why).toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: 'The spool cannot be used: EIO',
    });
    on.publisher.stop();
  });

  it('is logged for each try', async () => {
    const on = await bench();
    on.outcomes = [systemError('ETIMEDOUT')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    expect(on.log).toMatchObject([
      { level: 'warn', fields: { recordingId: 'rec-1', attempts: 1, code: 'UPLOAD_FAILED' } },
    ]);
    on.publisher.stop();
  });

  it('that cannot be announced is logged, and does not end the attempts', async () => {
    const on = await bench();
    on.outcomes = Array.from({ length: 3 }, () => systemError('EACCES'));
    on.onFailed = () => Promise.reject(new Error('no way to tell'));
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 2000);
    await nextTry(on, 4000);
    expect(on.log.at(-1)).toMatchObject({ level: 'error', fields: { reason: 'Error: no way to tell' } });
    await nextTry(on, 8000);
    expect(on.published).toEqual(['rec-1']);
  });
});

describe('support that has fixed the cause', () => {
  it('can retry everything at once, and once only', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    on.outcomes = [systemError('EROFS'), systemError('EROFS')];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    await on.publisher.idle();
    on.publisher.retryNow();
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1', 'rec-2']);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.tries).toHaveLength(4);
  });
});

describe('a publisher that is stopped', () => {
  it('tries nothing again', async () => {
    const on = await bench();
    on.outcomes = [systemError('ETIMEDOUT')];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    on.publisher.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.tries).toHaveLength(1);
  });

  it('lets what is under way finish', async () => {
    const on = await bench();
    let finish = (): void => undefined;
    on.outcomes = [() => new Promise((resolve) => (finish = resolve))];
    on.publisher.enqueue(on.session, 'rec-1');
    await vi.advanceTimersByTimeAsync(0);
    on.publisher.stop();
    finish();
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1']);
  });

  it('begins nothing that waits', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    let finish = (): void => undefined;
    on.outcomes = [() => new Promise((resolve) => (finish = resolve))];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    await vi.advanceTimersByTimeAsync(0);
    on.publisher.stop();
    finish();
    await on.publisher.idle();
    expect(on.tries).toEqual(['rec-1']);
  });

  it('plans no other try for what fails then', async () => {
    const on = await bench();
    on.outcomes = [systemError('ETIMEDOUT')];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.stop();
    await on.publisher.idle();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.tries).toHaveLength(1);
  });
});

describe('a publisher with nothing to do', () => {
  it('is idle at once', async () => {
    const on = await bench();
    await on.publisher.idle();
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 0 });
    expect(await readdir(join(on.session.folder))).toEqual(['complete', 'journal.ndjson', 'witness']);
  });
});

describe('an upload without progress', () => {
  it('is shown as such until something moves', async () => {
    const on = await bench(1, 'rec-1', 'rec-2');
    let end = (): void => undefined;
    on.outcomes = [() => new Promise<void>((resolve) => (end = resolve))];
    on.publisher.enqueue(on.session, 'rec-1');
    on.publisher.enqueue(on.session, 'rec-2');
    const progress = { totalBytes: 100, bytesPerSecond: 0 };
    await vi.advanceTimersByTimeAsync(29_000);
    on.publisher.progressed(on.session, 'rec-1', { ...progress, sentBytes: 10 });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(on.publisher.uploads.reason).toBeNull();
    // Reported at the same place again: nothing has moved.
    on.publisher.progressed(on.session, 'rec-1', { ...progress, sentBytes: 10 });
    await vi.advanceTimersByTimeAsync(1);
    expect(on.uploads.at(-1)).toMatchObject({ pending: 2, reason: { code: 'CLIENT_CONNECTION_ERROR' } });
    expect(on.publisher.queue.map(({ why }) => why?.code)).toEqual(['CLIENT_CONNECTION_ERROR', undefined]);
    on.publisher.progressed(on.session, 'rec-1', { ...progress, sentBytes: 11 });
    expect(on.uploads.at(-1)?.reason).toBeNull();
    end();
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1', 'rec-2']);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.uploads.at(-1)).toMatchObject({ pending: 0, reason: null });
  });
});

describe('a queue whose listeners throw', () => {
  it.each(['at once', 'later'])('continues when FAILED cannot be announced (%s)', async (when) => {
    const on = await bench(1, 'rec-1', 'rec-2');
    on.onFailed = () => {
      if (when === 'at once') throw new Error('The spool knows no recording rec-1.');
      return Promise.reject(new Error('The spool knows no recording rec-1.'));
    };
    const refused = systemError('EROFS');
    on.outcomes = [refused, refused, refused];
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    await nextTry(on, 2000);
    await nextTry(on, 4000);
    expect(on.failed).toHaveLength(1);
    expect(on.log.at(-1)).toMatchObject({ level: 'error', message: 'a FAILED event could not be announced' });
    on.publisher.enqueue(on.session, 'rec-2');
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-2']);
    await nextTry(on, 8000);
    expect(on.published).toEqual(['rec-2', 'rec-1']);
  });

  it('continues when it cannot be shown', async () => {
    const on = await bench();
    on.publisher.watch(() => {
      throw new Error('no window');
    });
    on.publisher.enqueue(on.session, 'rec-1');
    await on.publisher.idle();
    expect(on.published).toEqual(['rec-1']);
  });
});
