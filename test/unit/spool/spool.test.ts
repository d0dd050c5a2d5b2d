// Sessions of the spool: their folders, what they keep and when they delete it.
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { journalEntries, openedSession, testKeys } from '../support/keys.ts';
import { append, exists, newSpool } from '../support/spool.ts';

const keys = testKeys();

async function addRun(session: SpoolSession, entries: JournalEntry[], runId: string): Promise<void> {
  await append(session, entries);
  const writer = await session.createRun(`${runId}.run`);
  await writer.append(Buffer.from(`pictures of ${runId}`));
  await writer.close();
}

describe('a session of the spool', () => {
  it('is a separate private folder with a journal and its witness', async () => {
    const { spool, root } = await newSpool(keys);
    const session = await openedSession(spool);
    expect(session.folder).toBe(join(root, 'session-1'));
    expect((await stat(session.folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(session.folder)).toEqual(['complete', 'journal.ndjson', 'witness']);
    await session.release();
  });

  it('has in its ledger what it has in its journal', async () => {
    const { spool } = await newSpool(keys);
    const session = await openedSession(spool);
    const entries = [...recording('one', 1000, 2000), ...run('a', 1000, 2000)];
    await append(session, entries);
    expect(await journalEntries(join(session.folder, 'journal.ndjson'), keys)).toEqual(entries);
    expect(session.ledger.recordings.get('one')?.stopped?.endTime).toBe(2000);
    expect(session.ledger.runs.get('a')?.closed?.endTime).toBe(2000);
    await append(session, entry.published('one'));
    await session.release();
  });

  it('gives a run’s bytes back, and knows which runs it has', async () => {
    const { spool } = await newSpool(keys);
    const session = await openedSession(spool);
    await addRun(session, [...recording('one', 1000, 2000), ...run('a', 1000, 2000)], 'a');
    const reader = await session.openRun('a');
    for await (const bytes of reader.contents()) expect(Buffer.from(bytes).toString()).toBe('pictures of a');
    await reader.close();
    expect(() => session.openRun('b')).toThrow('The spool has no run b.');
    await append(session, entry.published('one'));
    await session.release();
  });

  it('whose folder cannot be made takes no run, and keeps its entries until it can', async () => {
    const { spool, root } = await newSpool(keys);
    await writeFile(root, 'a file where the folder should be');
    const session = spool.openSession();
    const written = session.append(entry.started('one', 1000));
    await expect(session.beginRun(entry.opened('a', 1000))).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
    });
    // While that is so, the next run leaves no entry.
    await expect(session.beginRun(entry.opened('b', 1000))).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
    });
    await expect(session.tryAppend(entry.failed('one'))).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
    await rm(root);
    await written;
    await session.guard();
    await append(session, entry.started('two', 2000));
    expect(await journalEntries(join(session.folder, 'journal.ndjson'), keys)).toEqual([
      ...[
        entry.started('one', 1000),
        entry.opened('a', 1000),
        entry.failed('one'),
        entry.started('two', 2000),
      ],
    ]);
    await append(session, entry.failed('two'));
    await session.release();
  });
});

describe('the end of a session', () => {
  it('happens when it is released and every recording was published or has failed, not before', async () => {
    const { spool, root } = await newSpool(keys);
    const session = await openedSession(spool);
    await addRun(session, [...recording('one', 1000, 2000), ...run('a', 1000, 2000)], 'a');
    await session.release();
    expect(await exists(session.folder)).toBe(true);
    await append(session, entry.published('one'));
    await session.tidy();
    expect(await readdir(root)).toEqual([]);
  });

  it('does not happen while contacts may still be recorded, even if all so far were published or have failed', async () => {
    const { spool } = await newSpool(keys);
    const session = await openedSession(spool);
    await append(session, entry.started('one', 1000), entry.failed('one'), entry.announced('one', 'FAILED'));
    await session.tidy();
    expect(await exists(session.folder)).toBe(true);
    await session.release();
    expect(await exists(session.folder)).toBe(false);
  });

  it('does not come before FAILED is announced: only the journal knows of it', async () => {
    const { spool } = await newSpool(keys);
    const session = await openedSession(spool);
    await append(
      session,
      entry.started('one', 1000),
      entry.failed('one'),
      entry.announced('one', 'INITIATED'),
    );
    await session.release();
    expect(await exists(session.folder)).toBe(true);
    await append(session, entry.announced('one', 'FAILED'));
    await session.tidy();
    expect(await exists(session.folder)).toBe(false);
  });

  it('may be asked for again without harm', async () => {
    const { spool, root } = await newSpool(keys);
    const session = await openedSession(spool);
    await session.release();
    await session.tidy();
    expect(await readdir(root)).toEqual([]);
  });
});

describe('run files', () => {
  /** One has the runs a and b, two has b and c. */
  async function two(): Promise<{ session: SpoolSession; files: () => Promise<string[]> }> {
    const { spool } = await newSpool(keys);
    const session = await openedSession(spool);
    await append(session, recording('one', 1000, null));
    await addRun(session, run('a', 1000, 3000), 'a');
    await append(session, recording('two', 3000, null));
    await addRun(session, run('b', 3000, 5000), 'b');
    await append(session, entry.stopped('one', 5000));
    await addRun(session, run('c', 5000, 7000), 'c');
    const files = async (): Promise<string[]> =>
      (await readdir(session.folder)).filter((name) => name.endsWith('.run')).sort();
    return { session, files };
  }

  async function end(session: SpoolSession): Promise<void> {
    await append(session, entry.published('one'), entry.published('two'));
    await session.release();
    expect(await exists(session.folder)).toBe(false);
  }

  it('stay while a recording is open that began before them, even if others were published', async () => {
    const { session, files } = await two();
    await append(session, entry.published('one'));
    await session.tidy();
    expect(await files()).toEqual(['b.run', 'c.run']);
    await append(session, entry.stopped('two', 7000));
    await end(session);
  });

  it('stay while the journal does not state that their recording is published', async () => {
    const { session, files } = await two();
    await append(session, entry.stopped('two', 7000));
    await session.abandon();
    await session.append(entry.published('one'));
    await session.tidy();
    expect(await files()).toEqual(['a.run', 'b.run', 'c.run']);
  });

  it('go as soon as no unpublished recording needs them', async () => {
    const { session, files } = await two();
    await append(session, entry.stopped('two', 7000));
    await session.tidy();
    expect(await files()).toEqual(['a.run', 'b.run', 'c.run']);
    await append(session, entry.published('one'));
    await session.tidy();
    expect(await files()).toEqual(['b.run', 'c.run']);
    await end(session);
  });

  it('of a recording that was published first stay for the one that shares them', async () => {
    const { session, files } = await two();
    await append(session, entry.stopped('two', 7000), entry.published('two'));
    await session.tidy();
    expect(await files()).toEqual(['a.run', 'b.run']);
    await end(session);
  });

  it('that are still being written stay', async () => {
    const { session, files } = await two();
    await append(session, entry.stopped('two', 7000));
    await addRun(session, run('d', 7000, null), 'd');
    await append(session, entry.published('one'), entry.published('two'));
    await session.tidy();
    expect(await files()).toEqual(['d.run']);
    await end(session);
  });
});
