// What recovery makes of the folders that a crash left.
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import type { Spool, SpoolSession } from '../../../main/spool/spool.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { makeTestVideo, topBoxes } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { journalEntries, testKeys, writeJournal, writeRun } from '../support/keys.ts';
import { objectWith } from '../support/matchers.ts';
import { append, exists, newSpool, recovered } from '../support/spool.ts';

const keys = testKeys();
const NOW = 1_000_000;
const nothing = { unpublished: [], continued: null };

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
    const { unpublished } = await recovered(spool, NOW);
    expect(unpublished).toHaveLength(1);
    return unpublished[0]!;
  }

  async function publishAll(session: SpoolSession): Promise<void> {
    for (const id of session.ledger.recordings.keys()) await append(session, entry.published(id));
    await session.tidy();
    expect(await exists(session.folder)).toBe(false);
  }

  it('finds nothing where there is no spool yet', async () => {
    const { spool } = await newSpool(keys);
    expect(await recovered(spool, NOW)).toMatchObject(nothing);
  });

  it('closes a run at its last whole fragment, and the recording with it', async () => {
    const fragments = topBoxes(video.bytes).filter(({ type }) => type === 'mdat');
    for (const whole of [1, 4, video.frames]) {
      const { spool, root } = await newSpool(keys);
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
      const { spool, root, unreadable } = await newSpool(keys);
      const file = Buffer.concat([video.bytes, Buffer.alloc(zeros)]);
      await crashed(root, 'left', [...recording('one', 5000, null), ...run('a', 5000, null)], { a: file });
      const session = await recoverOne(spool);
      expect(unreadable).toEqual([]);
      expect(session.ledger.runs.get('a')?.closed?.frames).toBe(video.frames);
      await publishAll(session);
    }
  });

  it('writes what it has found into the journal, so that a second crash changes nothing', async () => {
    const { spool, root } = await newSpool(keys);
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
    const { spool, root } = await newSpool(keys);
    await crashed(root, 'left', [...recording('one', 5000, 5900), ...run('a', 5000, null)], {
      a: video.bytes,
    });
    const session = await recoverOne(spool);
    expect(session.ledger.recordings.get('one')?.stopped).toEqual(entry.stopped('one', 5900));
    expect(session.ledger.runs.get('a')?.closed?.endTime).toBe(7000);
    await publishAll(session);
  });

  it('ends a suspended recording with its suspension, not before it', async () => {
    const { spool, root } = await newSpool(keys);
    const entries = [...recording('one', 1000, null), ...run('a', 1000, 3000), entry.suspended('one', 4000)];
    await crashed(root, 'left', entries, { a: video.bytes });
    const session = await recoverOne(spool);
    expect(session.ledger.recordings.get('one')?.stopped?.endTime).toBe(4000);
    await publishAll(session);
  });

  it('closes a run that never had a frame as one without', async () => {
    const { spool, root } = await newSpool(keys);
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
    const { spool, root, unreadable } = await newSpool(keys);
    await crashed(root, 'left', [entry.started('one', 1000), entry.opened('a', 1000)]);
    const found = await recovered(spool, NOW);
    expect(found).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
    expect(await readdir(root)).toEqual(['left']);
    await append(found.all[0]!, entry.announced('one', 'FAILED'));
    await found.all[0]!.tidy();
    expect(await readdir(root)).toEqual([]);
  });

  it('fails a recording whose only run lost its frames in a power cut', async () => {
    const { spool, root } = await newSpool(keys);
    const entries = [...recording('one', 5000, null), ...run('a', 5000, null)];
    const folder = await crashed(root, 'left', entries, { a: Buffer.alloc(0) });
    const found = await recovered(spool, NOW);
    expect(found).toMatchObject(nothing);
    await found.all[0]!.abandon();
    expect((await journalEntries(join(folder, 'journal.ndjson'), keys)).at(-1)?.type).toBe(
      'recording.failed',
    );
    expect(await readdir(folder)).toEqual(['complete', 'journal.ndjson', 'witness']);
  });

  it('deletes a folder whose recordings were all published before the crash', async () => {
    const { spool, root } = await newSpool(keys);
    await crashed(
      root,
      'left',
      [...recording('one', 1000, 3000), ...run('a', 1000, 3000), entry.published('one')],
      {
        a: video.bytes,
      },
    );
    expect(await recovered(spool, NOW)).toMatchObject(nothing);
    expect(await readdir(root)).toEqual([]);
  });

  it('drops the torn last line of a journal and continues from there', async () => {
    const { spool, root } = await newSpool(keys);
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
    const { spool, root, unreadable } = await newSpool(keys);
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
    const { spool, root, unreadable } = await newSpool(keys);
    await mkdir(join(root, 'foreign'), { recursive: true });
    await writeFile(join(root, 'foreign', 'notes.txt'), 'mine');
    expect(await recovered(spool, NOW)).toMatchObject(nothing);
    expect(unreadable).toHaveLength(1);
    expect(await readdir(join(root, 'foreign'))).toEqual(['notes.txt']);
  });

  it('takes away a folder that was made in the moment in which the power went', async () => {
    const { spool, root, unreadable } = await newSpool(keys);
    await mkdir(join(root, 'empty'), { recursive: true });
    await writeFile(
      join((await mkdir(join(root, 'torn'), { recursive: true })) ?? '', 'journal.ndjson'),
      '{"v":2,"ke',
    );
    expect(await recovered(spool, NOW)).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
    expect(await readdir(root)).toEqual([]);
  });

  it('takes no notice of files beside the folders', async () => {
    const { spool, root, unreadable } = await newSpool(keys);
    await mkdir(root);
    await writeFile(join(root, 'notes.txt'), 'mine');
    expect(await recovered(spool, NOW)).toMatchObject(nothing);
    expect(unreadable).toEqual([]);
  });
});
