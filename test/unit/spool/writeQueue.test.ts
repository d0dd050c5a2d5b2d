import { describe, expect, it, vi } from 'vitest';
import { SightlineError, failure } from '../../../main/shared/errors.ts';
import { WriteQueue } from '../../../main/spool/writeQueue.ts';

/** A disk that takes items and marks, or refuses them, as the test says. */
function disk({ incomplete = false } = {}) {
  const it = {
    written: [] as string[],
    batches: 0,
    marks: [] as boolean[],
    troubles: [] as (string | null)[],
    refuse: false,
    refuseMarks: false,
    /** Writes wait for this. */
    pace: Promise.resolve(),
  };
  const queue = new WriteQueue<string>(
    {
      async write(items) {
        await it.pace;
        if (it.refuse) throw new Error('no');
        it.written.push(...items);
        it.batches += 1;
      },
      async markIncomplete(isIncomplete) {
        await Promise.resolve();
        if (it.refuseMarks) throw new Error('no');
        it.marks.push(isIncomplete);
      },
      toError: () => new SightlineError('SPOOL_FULL', failure('SPOOL_FULL', 'full').message),
      onTrouble: (error) => it.troubles.push(error?.code ?? null),
    },
    incomplete,
  );
  return Object.assign(it, { queue });
}

const settled = (promise: Promise<void>): Promise<string> =>
  Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    new Promise<string>((resolve) => setTimeout(() => resolve('pending'), 20)),
  ]);

describe('a write queue', () => {
  it('writes items in the order of the calls', async () => {
    const { queue, written, marks } = disk();
    await Promise.all(['a', 'b', 'c'].map((item) => queue.append(item)));
    expect(written).toEqual(['a', 'b', 'c']);
    expect(marks).toEqual([]);
  });

  it('writes what waits for a write at once', async () => {
    const it = disk();
    await Promise.all(Array.from({ length: 60 }, (_, index) => it.queue.append(`item ${index}`)));
    expect(it.written).toHaveLength(60);
    expect(it.batches).toBe(2);
  });

  it('keeps what was refused, and writes it in order when the disk takes it', async () => {
    const it = disk();
    it.refuse = true;
    const failures: string[] = [];
    const all = ['a', 'b'].map((item) => it.queue.append(item, () => failures.push(item)));
    await vi.waitFor(() => expect(failures).toEqual(['a', 'b']));
    all.push(it.queue.append('c', () => failures.push('c')));
    expect(failures).toEqual(['a', 'b', 'c']);
    expect(await settled(all[0]!)).toBe('pending');
    it.refuse = false;
    await Promise.all(all);
    expect(it.written).toEqual(['a', 'b', 'c']);
    await vi.waitFor(() => expect(it.troubles).toEqual(['SPOOL_FULL', null]));
    expect(failures).toHaveLength(3);
  });

  it('is marked as incomplete from the first failure until everything is written', async () => {
    const it = disk();
    it.refuse = true;
    const written = it.queue.append('a');
    await vi.waitFor(() => expect(it.marks).toEqual([true]));
    expect(await settled(written)).toBe('pending');
    it.refuse = false;
    await written;
    await vi.waitFor(() => expect(it.marks).toEqual([true, false]));
  });

  it('that was left incomplete stays so until it may be complete', async () => {
    const it = disk({ incomplete: true });
    await it.queue.append('a');
    expect(it.marks).toEqual([]);
    it.queue.allowComplete();
    await vi.waitFor(() => expect(it.marks).toEqual([false]));
  });
});

describe('a guard', () => {
  it('resolves when everything before it is written', async () => {
    const it = disk();
    let go = (): void => undefined;
    it.pace = new Promise((resolve) => (go = resolve));
    void it.queue.append('a');
    const guard = it.queue.guard();
    void it.queue.append('b');
    expect(await settled(guard)).toBe('pending');
    go();
    await guard;
    expect(it.written).toContain('a');
  });

  it('resolves when the failure is marked', async () => {
    const it = disk();
    it.refuse = true;
    void it.queue.append('a');
    await it.queue.guard();
    expect(it.marks).toEqual([true]);
    void it.queue.append('b');
    expect(await settled(it.queue.guard())).toBe('resolved');
    await it.queue.close();
  });

  it('rejects when neither the item nor the mark could be written, and resolves when one could be later', async () => {
    const it = disk();
    it.refuse = it.refuseMarks = true;
    void it.queue.append('a');
    await expect(it.queue.guard()).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    it.refuseMarks = false;
    await it.queue.guard();
    expect(it.marks).toEqual([true]);
    await it.queue.close();
  });

  it('does not trust a mark that is being taken away', async () => {
    const it = disk({ incomplete: true });
    let go = (): void => undefined;
    await it.queue.append('a');
    it.queue.allowComplete();
    await vi.waitFor(() => expect(it.marks).toEqual([false]));
    it.pace = new Promise((resolve) => (go = resolve));
    void it.queue.append('b');
    expect(await settled(it.queue.guard())).toBe('pending');
    go();
    await it.queue.guard();
  });
});

describe('closing a queue', () => {
  it('gives up what could not be written', async () => {
    const it = disk();
    it.refuse = true;
    const written = it.queue.append('a');
    await vi.waitFor(() => expect(it.troubles).toEqual(['SPOOL_FULL']));
    await it.queue.close();
    expect(await settled(written)).toBe('resolved');
    expect(it.written).toEqual([]);
    expect(await settled(it.queue.append('b'))).toBe('resolved');
    expect(it.queue.isClosed).toBe(true);
  });
});
