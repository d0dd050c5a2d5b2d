/* eslint-disable max-lines -- one room's behavior on one kind of test spool, in sections */
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { temporaryFolder } from '../support/folders.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { makeTestVideo, topBoxes } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { journalEntries, openedSession, testKeys, writeJournal, writeRun } from '../support/keys.ts';
import { objectWith } from '../support/matchers.ts';

interface TestSpool {
  readonly spool: Spool;
  readonly root: string;
  readonly unreadable: { folder: string; error: unknown; recordings: readonly string[] }[];
}

const keys = testKeys();

async function newSpool(): Promise<TestSpool> {
  const root = join(await temporaryFolder(), 'spool');
  const unreadable: TestSpool['unreadable'] = [];
  let sessions = 0;
  const spool = new Spool({
    root,
    keys,
    newSessionId: () => `session-${++sessions}`,
    onUnreadable: (folder, error, recordings) => unreadable.push({ folder, error, recordings }),
  });
  return { spool, root, unreadable };
}

async function append(session: SpoolSession, ...entries: (JournalEntry | JournalEntry[])[]): Promise<void> {
  await Promise.all(entries.flat().map((one) => session.append(one)));
}

async function addRun(session: SpoolSession, entries: JournalEntry[], runId: string): Promise<void> {
  await append(session, entries);
  const writer = await session.createRun(`${runId}.run`);
  await writer.append(Buffer.from(`pictures of ${runId}`));
  await writer.close();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const NOW = 1_000_000;
const nothing = { sessions: [], goingOn: null };

describe('a session of the spool', () => {
  it('is a folder of its own that nobody else can read, with a journal and its witness', async () => {
    const { spool, root } = await newSpool();
    const session = await openedSession(spool);
    expect(session.folder).toBe(join(root, 'session-1'));
    expect((await stat(session.folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(session.folder)).toEqual(['complete', 'journal.ndjson', 'witness']);
    await session.release();
  });

  it('has in its ledger what it has in its journal', async () => {
    const { spool } = await newSpool();
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
    const { spool } = await newSpool();
    const session = await openedSession(spool);
    await addRun(session, [...recording('one', 1000, 2000), ...run('a', 1000, 2000)], 'a');
    const reader = await session.openRun('a');
    for await (const bytes of reader.contents()) expect(Buffer.from(bytes).toString()).toBe('pictures of a');
    await reader.close();
    expect(() => session.openRun('b')).toThrow('The spool knows no run b.');
    await append(session, entry.published('one'));
    await session.release();
  });

  it('whose folder cannot be made takes no run, and keeps its entries until it can', async () => {
    const { spool, root } = await newSpool();
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
  it('comes when it is released and every recording is settled, not before', async () => {
    const { spool, root } = await newSpool();
    const session = await openedSession(spool);
    await addRun(session, [...recording('one', 1000, 2000), ...run('a', 1000, 2000)], 'a');
    await session.release();
    expect(await exists(session.folder)).toBe(true);
    await append(session, entry.published('one'));
    await session.tidy();
    expect(await readdir(root)).toEqual([]);
  });

  it('does not come while contacts may still be recorded, even if all so far are settled', async () => {
    const { spool } = await newSpool();
    const session = await openedSession(spool);
    await append(session, entry.started('one', 1000), entry.failed('one'), entry.announced('one', 'FAILED'));
    await session.tidy();
    expect(await exists(session.folder)).toBe(true);
    await session.release();
    expect(await exists(session.folder)).toBe(false);
  });

  it('does not come before FAILED is announced: only the journal knows of it', async () => {
    const { spool } = await newSpool();
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
    const { spool, root } = await newSpool();
    const session = await openedSession(spool);
    await session.release();
    await session.tidy();
    expect(await readdir(root)).toEqual([]);
  });
});

describe('run files', () => {
  /** One has the runs a and b, two has b and c. */
  async function two(): Promise<{ session: SpoolSession; files: () => Promise<string[]> }> {
    const { spool } = await newSpool();
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

  it('stay while a recording is open that began before them, whatever has been published', async () => {
    const { session, files } = await two();
    await append(session, entry.published('one'));
    await session.tidy();
    expect(await files()).toEqual(['b.run', 'c.run']);
    await append(session, entry.stopped('two', 7000));
    await end(session);
  });

  it('stay while the journal could not be told that their recording is published', async () => {
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

describe('recovery after a crash', () => {
  let video: TestVideo;

  beforeAll(async () => {
    video = await makeTestVideo(10);
  });

  /** What a process leaves behind that was killed: a journal, and run files that end anywhere. */
  async function crashed(
    root: string,
    id: string,
    entries: readonly JournalEntry[],
    runs: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<string> {
    const folder = join(root, id);
    await mkdir(folder, { recursive: true });
    const dataKey = await writeJournal(join(folder, 'journal.ndjson'), entries, keys);
    for (const [runId, data] of Object.entries(runs))
      await writeRun(join(folder, `${runId}.run`), data, dataKey);
    return folder;
  }

  async function recoverOne(spool: Spool): Promise<SpoolSession> {
    const { sessions } = await spool.recover(NOW);
    expect(sessions).toHaveLength(1);
    return sessions[0]!;
  }

  async function publishAll(session: SpoolSession): Promise<void> {
    for (const id of session.ledger.recordings.keys()) await append(session, entry.published(id));
    await session.tidy();
    expect(await exists(session.folder)).toBe(false);
  }

  it('finds nothing where there is no spool yet', async () => {
    const { spool } = await newSpool();
    expect(await spool.recover(NOW)).toMatchObject(nothing);
  });

  it('closes a run at its last whole fragment, and the recording with it', async () => {
    const fragments = topBoxes(video.bytes).filter(({ type }) => type === 'mdat');
    for (const whole of [1, 4, video.frames]) {
      const { spool, root } = await newSpool();
      const torn = video.bytes.subarray(0, (fragments[whole]?.end ?? video.bytes.length) - 1);
      await crashed(root, 'left', [...recording('one', 5000, null), ...run('a', 5000, null)], { a: torn });
      const session = await recoverOne(spool);
      const endTime = 5000 + whole * (1000 / video.fps);
      expect(session.ledger.runs.get('a')?.closed).toEqual({
        ...entry.closed('a', endTime, 'app-restarted'),
        frames: whole,
        sizeBytes: (await stat(join(session.folder, 'a.run'))).size,
      });
      expect(session.ledger.recordings.get('one')?.stopped).toEqual({
        ...entry.stopped('one', endTime),
        cause: 'app-died',
      });
      await publishAll(session);
    }
  });

  it('takes a run up to the zeros that a power cut left behind it', async () => {
    for (const zeros of [3, 8, 4096, 3 * 1024 * 1024]) {
      const { spool, root, unreadable } = await newSpool();
      const file = Buffer.concat([video.bytes, Buffer.alloc(zeros)]);
      await crashed(root, 'left', [...recording('one', 5000, null), ...run('a', 5000, null)], { a: file });
      const session = await recoverOne(spool);
      expect(unreadable).toEqual([]);
      expect(session.ledger.runs.get('a')?.closed?.frames).toBe(video.frames);
      await publishAll(session);
    }
  });

  it('writes what it has found into the journal, so that a second crash changes nothing', async () => {
    const { spool, root } = await newSpool();
    const entries = [...recording('one', 5000, null), ...run('a', 5000, null)];
    const folder = await crashed(root, 'left', entries, { a: video.bytes });
    const first = await recoverOne(spool);
    const journal = await readFile(join(folder, 'journal.ndjson'), 'utf8');
    const second = await recoverOne(spool);
    expect(second.ledger).toEqual(first.ledger);
    expect(await readFile(join(folder, 'journal.ndjson'), 'utf8')).toBe(journal);
    await publishAll(second);
    await publishAll(first);
  });

  it('leaves a stop alone that the page had asked for', async () => {
    const { spool, root } = await newSpool();
    await crashed(root, 'left', [...recording('one', 5000, 5900), ...run('a', 5000, null)], {
      a: video.bytes,
    });
    const session = await recoverOne(spool);
    expect(session.ledger.recordings.get('one')?.stopped).toEqual(entry.stopped('one', 5900));
    expect(session.ledger.runs.get('a')?.closed?.endTime).toBe(7000);
    await publishAll(session);
  });

  it('ends a suspended recording with its suspension, not before it', async () => {
    const { spool, root } = await newSpool();
    const entries = [...recording('one', 1000, null), ...run('a', 1000, 3000), entry.suspended('one', 4000)];
    await crashed(root, 'left', entries, { a: video.bytes });
    const session = await recoverOne(spool);
    expect(session.ledger.recordings.get('one')?.stopped?.endTime).toBe(4000);
    await publishAll(session);
  });

  it('closes a run that never had a picture as one without', async () => {
    const { spool, root } = await newSpool();
    const entries = [...recording('one', 1000, null), ...run('a', 1000, 3000), entry.opened('b', 3000)];
    await crashed(root, 'left', entries, { a: video.bytes });
    const session = await recoverOne(spool);
    expect(session.ledger.runs.get('b')?.closed).toEqual({
      ...entry.closed('b', null, 'app-restarted'),
      sizeBytes: 0,
    });
    expect(session.ledger.recordings.get('one')?.stopped?.endTime).toBe(3000);
    await publishAll(session);
  });

  it('fails a recording that never began, and deletes a folder in which nothing is left to announce', async () => {
    const { spool, root, unreadable } = await newSpool();
    await crashed(root, 'left', [entry.started('one', 1000), entry.opened('a', 1000)]);
    const recovered = await spool.recover(NOW);
    expect(recovered).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
    expect(await readdir(root)).toEqual(['left']);
    await append(recovered.found[0]!, entry.announced('one', 'FAILED'));
    await recovered.found[0]!.tidy();
    expect(await readdir(root)).toEqual([]);
  });

  it('fails a recording whose only run lost its pictures with the power', async () => {
    const { spool, root } = await newSpool();
    const entries = [...recording('one', 5000, null), ...run('a', 5000, null)];
    const folder = await crashed(root, 'left', entries, { a: Buffer.alloc(0) });
    const recovered = await spool.recover(NOW);
    expect(recovered).toMatchObject(nothing);
    await recovered.found[0]!.abandon();
    expect((await journalEntries(join(folder, 'journal.ndjson'), keys)).at(-1)?.type).toBe(
      'recording.failed',
    );
    expect(await readdir(folder)).toEqual(['complete', 'journal.ndjson', 'witness']);
  });

  it('deletes a folder whose recordings were all published before the crash', async () => {
    const { spool, root } = await newSpool();
    await crashed(
      root,
      'left',
      [...recording('one', 1000, 3000), ...run('a', 1000, 3000), entry.published('one')],
      {
        a: video.bytes,
      },
    );
    expect(await spool.recover(NOW)).toMatchObject(nothing);
    expect(await readdir(root)).toEqual([]);
  });

  it('drops the torn last line of a journal and goes on from there', async () => {
    const { spool, root } = await newSpool();
    const folder = await crashed(root, 'left', [...recording('one', 5000, null), ...run('a', 5000, null)], {
      a: video.bytes,
    });
    const path = join(folder, 'journal.ndjson');
    await writeFile(path, `${await readFile(path, 'utf8')}{"v":1,"entry":{"type":"cont`);
    const session = await recoverOne(spool);
    expect(session.ledger.recordings.get('one')?.stopped?.endTime).toBe(7000);
    expect((await journalEntries(path, keys)).at(-1)?.type).toBe('contact.stopped');
    await publishAll(session);
  });

  it.each([
    ['with a damaged head', 'hello\n'],
    ['of a newer Sightline', '{"v":4,"key":{}}\n'],
  ])('leaves a folder %s as it is, says so, and goes on with the others', async (_, line) => {
    const { spool, root, unreadable } = await newSpool();
    const bad = await crashed(root, 'bad', recording('one', 1000, null), { a: video.bytes });
    const sealed = await readFile(join(bad, 'a.run'));
    const path = join(bad, 'journal.ndjson');
    const text = line + (await readFile(path, 'utf8'));
    await writeFile(path, text);
    await crashed(root, 'good', [...recording('two', 5000, null), ...run('b', 5000, null)], {
      b: video.bytes,
    });
    const session = await recoverOne(spool);
    expect(session.id).toBe('good');
    expect(unreadable).toEqual([
      { folder: bad, error: objectWith({ code: 'SPOOL_UNREADABLE' }), recordings: ['one'] },
    ]);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect((await readFile(join(bad, 'a.run'))).equals(sealed)).toBe(true);
    await publishAll(session);
  });

  it('leaves a folder without a journal as it is', async () => {
    const { spool, root, unreadable } = await newSpool();
    await mkdir(join(root, 'foreign'), { recursive: true });
    await writeFile(join(root, 'foreign', 'notes.txt'), 'mine');
    expect(await spool.recover(NOW)).toMatchObject(nothing);
    expect(unreadable).toHaveLength(1);
    expect(await readdir(join(root, 'foreign'))).toEqual(['notes.txt']);
  });

  it('takes away a folder that was made in the moment in which the power went', async () => {
    const { spool, root, unreadable } = await newSpool();
    await mkdir(join(root, 'empty'), { recursive: true });
    await writeFile(
      join((await mkdir(join(root, 'torn'), { recursive: true })) ?? '', 'journal.ndjson'),
      '{"v":2,"ke',
    );
    expect(await spool.recover(NOW)).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
    expect(await readdir(root)).toEqual([]);
  });

  it('takes no notice of files beside the folders', async () => {
    const { spool, root, unreadable } = await newSpool();
    await mkdir(root);
    await writeFile(join(root, 'notes.txt'), 'mine');
    expect(await spool.recover(NOW)).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
  });
});
