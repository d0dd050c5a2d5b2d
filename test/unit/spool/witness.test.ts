// The end of a spool session: a truncation is distinguished from what a power cut took before it was synced.
import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { endedSuspended } from '../../../main/spool/recoveredContacts.ts';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { Seal } from '../../../main/spool/seal.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { unannouncedEvents } from '../../../main/status/announcer.ts';
import { timelineOf } from '../../../main/spool/timeline.ts';
import { WITNESS_BYTES, Witness, hintedRecordings } from '../../../main/spool/witness.ts';
import { temporaryFolder } from '../support/folders.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { chunksOf, makeTestVideo } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { journalEntries, testKeys, openedSession } from '../support/keys.ts';
import { recovered } from '../support/spool.ts';

const NOW = 60_000;
const START = 5000;
const keys = testKeys();
let video: TestVideo;
/** The initialisation segment and one fragment per frame, as capture appends them. */
let chunksOfVideo: Uint8Array[];

beforeAll(async () => {
  video = await makeTestVideo();
  chunksOfVideo = chunksOf(video);
  expect(chunksOfVideo).toHaveLength(video.frames + 1);
});

interface Left {
  readonly root: string;
  readonly folder: string;
  readonly journal: string;
  readonly run: string;
  readonly witness: string;
}

/** A session that a killed process left: the run "a" with all frames, synced; then these entries. */
async function leave(then: readonly JournalEntry[] = []): Promise<Left> {
  const root = join(await temporaryFolder(), 'spool');
  const spool = spoolAt(root, []);
  const session = await openedSession(spool);
  for (const one of [...recording('one', START, null), ...run('a', START, null)]) await session.append(one);
  const writer = await session.createRun('a.run');
  for (const chunk of chunksOfVideo) await writer.append(chunk);
  await writer.close();
  for (const one of then) await session.append(one);
  await session.abandon();
  const { folder } = session;
  return {
    ...{ root, folder, journal: join(folder, 'journal.ndjson') },
    ...{ run: join(folder, 'a.run'), witness: join(folder, 'witness') },
  };
}

type Unreadable = { error: unknown; recordings: readonly string[] }[];

function spoolAt(root: string, unreadable: Unreadable, canContinue = false): Spool {
  return new Spool({
    root,
    keys,
    newSessionId: () => 'session',
    canContinue: () => canContinue,
    onUnreadable: (_, error, recordings) => unreadable.push({ error, recordings }),
  });
}

async function recover(root: string, canContinue = false): Promise<SpoolSession> {
  const unreadable: Unreadable = [];
  const { unpublished, continued } = await recovered(spoolAt(root, unreadable, canContinue), NOW);
  expect(unreadable).toEqual([]);
  const session = continued ?? unpublished[0];
  if (session === undefined) throw new Error('nothing was found');
  return session;
}

const whole = (): number => START + (video.frames * 1000) / video.fps;
const pieces = ({ ledger }: SpoolSession, id = 'one') => timelineOf(ledger, ledger.recordings.get(id)!);
const endOf = ({ ledger }: SpoolSession, id = 'one') => ledger.recordings.get(id)?.stopped?.endTime;

/** Without its last lines. */
async function cutLines(path: string, lines: number): Promise<void> {
  const all = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  await writeFile(path, `${all.slice(0, -lines).join('\n')}\n`);
}

/** Without its last chunks. */
async function cutChunks(path: string, chunks: number): Promise<void> {
  const bytes = await readFile(path);
  const ends: number[] = [];
  for (let at = 8; at < bytes.byteLength; ends.push(at)) at += 4 + bytes.readUInt32BE(at);
  await truncate(path, ends.at(-1 - chunks));
}

describe('a session that a killed process left', () => {
  it('has all that was written, and no damage', async () => {
    const session = await recover((await leave()).root);
    expect(endOf(session)).toBe(whole());
    expect(session.ledger).toMatchObject({ damages: [], unverified: null });
    await session.abandon();
  });

  it('may continue', async () => {
    const session = await recover((await leave()).root, true);
    expect(session.openRecordings()).toHaveLength(1);
    await session.abandon();
  });
});

describe('a power cut', () => {
  it('takes what was not synced, and that is no damage', async () => {
    const left = await leave();
    const before = await readFile(left.witness);
    const session = await recover(left.root, true);
    await session.append(entry.suspended('one', 7100));
    await session.abandon();
    // The witness is not synced: it is as it was before, and the journal has more.
    await writeFile(left.witness, before);
    const found = await recover(left.root);
    expect(found.ledger).toMatchObject({ damages: [], unverified: null });
    await found.abandon();
  });

  it('leaves half a statement, and the one before it counts', async () => {
    const left = await leave();
    for (const slot of [1024, 1024 + 8 * 1024]) {
      const bytes = await readFile(left.witness);
      bytes.fill(0, slot + 50, slot + 200);
      const torn = join(await temporaryFolder(), basename(left.folder));
      await mkdir(torn);
      await writeFile(join(torn, 'witness'), bytes);
      const resumed = await Witness.resume(torn, keys);
      if (typeof resumed === 'string') throw new Error(resumed);
      expect(resumed.statement.recordings).toMatchObject([{ recordingId: 'one' }]);
      await resumed.close();
    }
  });
});

describe('a journal that was truncated', () => {
  const stopped = [entry.closed('a', 7000), entry.stopped('one', 7000)].map((one) =>
    one.type === 'run.closed' ? { ...one, frames: 10 } : one,
  );

  it('keeps the end that was announced, with the unknown time as a gap', async () => {
    const left = await leave([
      ...stopped,
      { type: 'event.announced', recordingId: 'one', status: 'COMPLETED' },
    ]);
    await cutLines(left.journal, 3);
    // And the run with it: its last three frames.
    await cutChunks(left.run, 3);
    const session = await recover(left.root);
    const one = session.ledger.recordings.get('one')!;
    expect(one.stopped).toEqual(entry.stopped('one', 7000));
    expect(unannouncedEvents(one).map(({ status }) => status)).toEqual(['INITIATED']);
    expect(session.ledger.damages).toMatchObject([{ lines: 3, to: null }]);
    expect(pieces(session)).toEqual([
      { kind: 'run', runId: 'a', from: START, to: 6400 },
      { kind: 'gap', reason: 'unreadable', from: 6400, to: 7000 },
    ]);
    await session.abandon();
    // A second start finds the same, and adds nothing.
    const lines = await journalEntries(left.journal, keys);
    const again = await recover(left.root);
    expect(again.ledger).toEqual(session.ledger);
    expect(await journalEntries(left.journal, keys)).toEqual(lines);
    await again.abandon();
  });

  it('knows of a recording of which it has lost every line', async () => {
    const left = await leave(stopped);
    await cutLines(left.journal, 6);
    const unreadable: Unreadable = [];
    const { unpublished } = await recovered(spoolAt(left.root, unreadable), NOW);
    expect(unpublished[0]?.ledger.recordings.get('one')).toMatchObject({
      started: { contact: { contactId: 'contact-one', channel: 'VOICE' } },
      startTime: START,
      stopped: { endTime: 7000 },
    });
    // Its run is in the folder and the journal does not know it: nothing is deleted.
    expect(unreadable).toMatchObject([{ error: { code: 'SPOOL_UNREADABLE' } }]);
    await unpublished[0]!.append(entry.published('one'));
    await unpublished[0]!.tidy();
    expect((await stat(left.run)).size).toBeGreaterThan(0);
  });

  it('does not continue without a page: a suspension may be among what is lost', async () => {
    const left = await leave([entry.suspended('one', 7000)]);
    await cutLines(left.journal, 1);
    const { unpublished, continued } = await recovered(spoolAt(left.root, [], true), NOW);
    expect(continued).toBeNull();
    expect(endedSuspended(unpublished[0]!)).toMatchObject([{ contactId: 'contact-one', suspended: true }]);
    await unpublished[0]!.abandon();
  });
});

describe('a run that was truncated', () => {
  it('ends where it did, although its journal line was never written', async () => {
    const left = await leave();
    await cutChunks(left.run, 4);
    const session = await recover(left.root);
    expect(endOf(session)).toBe(whole());
    expect(session.ledger.runs.get('a')?.closed).toMatchObject({ endTime: whole(), frames: video.frames });
    await session.abandon();
  });

  it('and deleted leaves the other files of its folder readable', async () => {
    const left = await leave();
    await rm(left.run);
    const session = await recover(left.root);
    expect(endOf(session)).toBe(whole());
    await session.abandon();
  });
});

describe('a folder without a journal', () => {
  it.each([
    ['nothing at all', 0],
    ['its key only', 1024],
    ['a statement of nothing', WITNESS_BYTES],
  ])('goes when the process ended while it made the witness, with %s in it', async (_, length) => {
    const root = join(await temporaryFolder(), 'spool');
    const { folder } = await openedSession(spoolAt(root, []));
    await truncate(join(folder, 'witness'), length);
    for (const name of ['journal.ndjson', 'complete']) await rm(join(folder, name));
    const unreadable: Unreadable = [];
    await recovered(spoolAt(root, unreadable), NOW);
    expect(unreadable).toEqual([]);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stays and is reported when a witness names its recordings', async () => {
    const left = await leave();
    for (const name of [left.journal, left.run, join(left.folder, 'complete')]) await rm(name);
    const unreadable: Unreadable = [];
    await recovered(spoolAt(left.root, unreadable), NOW);
    expect(unreadable).toMatchObject([{ error: { code: 'SPOOL_UNREADABLE' }, recordings: ['one'] }]);
    expect((await stat(left.witness)).size).toBeGreaterThan(0);
  });
});

describe('a witness', () => {
  it.each([
    ['missing', (path: string) => rm(path)],
    ['unreadable', (path: string) => writeFile(path, Buffer.alloc(WITNESS_BYTES))],
    ['unreadable', async (path: string) => writeFile(path, (await readFile(path)).fill(1, 1024))],
  ] as const)(
    'that is %s marks the end as not verified, and in doubt nothing continues',
    async (cause, harm) => {
      const left = await leave();
      await harm(left.witness);
      const { unpublished, continued } = await recovered(spoolAt(left.root, [], true), NOW);
      expect(continued).toBeNull();
      expect(unpublished[0]?.ledger).toMatchObject({ damages: [], unverified: cause });
      expect(endOf(unpublished[0]!)).toBe(whole());
      await unpublished[0]!.abandon();
      // There is a new one from then on; the mark stays.
      const again = await recover(left.root);
      expect(again.ledger).toEqual(unpublished[0]?.ledger);
      await again.abandon();
      await cutLines(left.journal, 1);
      const cut = await recover(left.root);
      expect(cut.ledger.damages).toMatchObject([{ lines: 1 }]);
      await cut.abandon();
    },
  );

  it('of another session, or under another key, is none', async () => {
    const [left, other] = [await leave(), await leave()];
    const moved = join(await temporaryFolder(), 'elsewhere');
    await mkdir(moved);
    await writeFile(join(moved, 'witness'), await readFile(other.witness));
    expect(await Witness.resume(moved, keys)).toBe('unreadable');
    const strangers = testKeys();
    await strangers.create();
    expect(await Witness.resume(left.folder, strangers)).toBe('unreadable');
  });

  it('reveals without a key only the ids of recordings, and only until they are published or have failed', async () => {
    const left = await leave();
    expect((await readFile(left.witness)).toString('latin1')).not.toMatch(/contact|arn:|a\.run/);
    expect(await hintedRecordings(left.folder)).toEqual(['one']);
    const session = await recover(left.root);
    await session.append(entry.failed('one'));
    await session.append({ type: 'capture.paused', at: NOW, reason: 'locked' });
    expect(await hintedRecordings(left.folder)).toEqual([]);
    await session.abandon();
  });

  it('of more recordings than it has room for states the newest ones', async () => {
    const spool = spoolAt(join(await temporaryFolder(), 'spool'), []);
    const session = await openedSession(spool);
    for (let count = 0; count < 100; count += 1)
      await session.append(entry.started(`recording-${count}`, count));
    const hinted = await hintedRecordings(session.folder);
    expect(hinted).toContain('recording-99');
    expect(hinted.length).toBeGreaterThan(10);
    expect((await stat(join(session.folder, 'witness'))).size).toBe(WITNESS_BYTES);
    await session.abandon();
  });
});

describe('a journal of the version before', () => {
  /** As that version wrote it. */
  async function older(entries: readonly JournalEntry[]): Promise<string> {
    const folder = join(await temporaryFolder(), 'spool', 'left');
    await mkdir(folder, { recursive: true });
    const { dataKey, key } = await keys.create();
    const seal = new Seal(dataKey, 'journal', 'left');
    const lines = entries.map((one, line) =>
      seal.close(line, Buffer.from(JSON.stringify(one))).toString('base64'),
    );
    await writeFile(
      join(folder, 'journal.ndjson'),
      `${[JSON.stringify({ v: 2, key }), ...lines].join('\n')}\n`,
    );
    return folder;
  }

  it('is recovered: its end is not verified, which does not mean damage, and it may continue', async () => {
    const folder = await older([...recording('one', 1000, null), ...run('a', 1000, 4000)]);
    const session = await recover(join(folder, '..'), true);
    expect(session.ledger).toMatchObject({ damages: [], unverified: 'older-version' });
    expect(session.openRecordings()).toMatchObject([{ recordingId: 'one', leftAt: 4000 }]);
    await session.append(entry.stopped('one', 4000));
    await session.abandon();
    const again = await recover(join(folder, '..'));
    expect(endOf(again)).toBe(4000);
    expect(again.ledger.damages).toEqual([]);
    await again.abandon();
  });

  it('with a damaged line is read but for that line', async () => {
    const folder = await older([
      ...recording('one', 1000, null),
      ...run('a', 1000, 4000),
      entry.stopped('one', 4000),
    ]);
    const path = join(folder, 'journal.ndjson');
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines[6] = lines[6]!.replace(/^..../, 'AAAA');
    await writeFile(path, lines.join('\n'));
    const session = await recover(join(folder, '..'));
    expect(session.ledger.damages).toMatchObject([{ line: 5, lines: 1 }]);
    await session.abandon();
  });
});

describe('a line in the middle that cannot be read', () => {
  /** Without one line of a call with a suspension in it. */
  async function without(type: JournalEntry['type'], nth = 0): Promise<SpoolSession> {
    const rest: JournalEntry[] = [
      { ...entry.closed('a', 7000, 'suspended'), frames: 10 },
      entry.suspended('one', 7100),
      entry.resumed('one', 9000),
      ...run('b', 9300, 12_000, 'interrupted'),
      ...run('c', 13_000, 15_000),
      entry.stopped('one', 15_000),
    ];
    const left = await leave(rest);
    const all = await journalEntries(left.journal, keys);
    const line = all.flatMap((one, index) => (one.type === type ? [index] : []))[nth]!;
    const lines = (await readFile(left.journal, 'utf8')).split('\n');
    lines[line + 1] = 'gone';
    await writeFile(left.journal, lines.join('\n'));
    return recover(left.root);
  }

  it.each([
    ['contact.started', 0],
    ['contact.recording', 0],
    ['contact.suspended', 0],
    ['contact.resumed', 0],
    ['contact.stopped', 0],
    ['run.opened', 1],
    ['run.live', 1],
    ['run.closed', 1],
  ] as const)(
    'costs what only it stated (%s), and no gap gets a reason that may be wrong',
    async (type, nth) => {
      const session = await without(type, nth);
      expect(endOf(session)).toBe(15_000);
      expect(session.ledger.recordings.get('one')?.startTime).toBe(START);
      const all = pieces(session);
      expect(all[0]).toMatchObject({ kind: 'run', runId: 'a', from: START, to: 7000 });
      expect(all.at(-1)).toMatchObject({ kind: 'run', runId: 'c', to: 15_000 });
      // Nothing of the suspension is a run, no matter what is lost.
      for (const piece of all)
        if (piece.kind === 'run') expect(piece.to <= 7100 || piece.from >= 9000).toBe(true);
      // What is claimed of a gap is what happened.
      for (const piece of all) {
        if (piece.kind !== 'gap' || piece.reason === 'unreadable') continue;
        if (piece.from < 9300) expect(piece.reason).toBe('suspended');
        else expect(piece).toMatchObject({ reason: 'interrupted', from: 12_000 });
      }
      await session.abandon();
    },
  );
});
