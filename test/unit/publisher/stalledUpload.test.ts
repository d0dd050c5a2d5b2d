// A file system that does not answer one recording's request must not block the uploads of the others. The real folder sink
// over a real spool; the hang is a FIFO without a writer, which blocks the opening process, as a hung share does.
import { execFileSync } from 'node:child_process';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { FolderSink } from '../../../main/publisher/folderSink.ts';
import { objectKey } from '../../../main/publisher/objectKey.ts';
import type { Progress } from '../../../main/publisher/progress.ts';
import { Publisher } from '../../../main/publisher/publisher.ts';
import { SET_ASIDE_AFTER_MS } from '../../../main/publisher/stallWatch.ts';
import { manifestKey } from '../../../main/publisher/sink.ts';
import type { UploadOptions } from '../../../main/publisher/upload.ts';
import { uploadRecording } from '../../../main/publisher/upload.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { makeBadge } from '../../rig/simulated.ts';
import { temporaryFolder } from '../support/folders.ts';
import { chunksOf, makeTestVideo } from '../support/fragmentedMp4.ts';
import { agent, entry, recording, run } from '../support/journalEntries.ts';
import { openedSession, testKeys } from '../support/keys.ts';
import type { LogLine } from '../support/logs.ts';
import { keepingLogger } from '../support/logs.ts';
import { durable, bench } from '../support/publisher.ts';
import { needsPosix, orLeftOut } from '../../rig/leftOut.ts';

const FRAMES = 10;
const START = 1_800_000_000_000;
const END = START + FRAMES * 200;
let chunks: Uint8Array[];

beforeAll(async () => {
  chunks = chunksOf(await makeTestVideo(FRAMES));
});

/** Recordings with these ids, all made of one run. */
async function sessionWith(...recordingIds: string[]): Promise<SpoolSession> {
  const spool = new Spool({
    root: join(await temporaryFolder(), 'spool'),
    keys: testKeys(),
    newSessionId: () => 'session',
    onUnreadable: (folder) => expect.fail(folder),
  });
  const session = await openedSession(spool);
  for (const id of recordingIds) for (const one of recording(id, START, null)) await session.append(one);
  for (const one of run('a', START, null)) await session.append(one);
  const writer = await session.createRun('a.run');
  for (const chunk of chunks) await writer.append(chunk);
  await writer.close();
  await session.append({ ...entry.closed('a', END), frames: FRAMES });
  for (const id of recordingIds) await session.append(entry.stopped(id, END));
  return session;
}

const naming = { keyPrefix: 'recordings', instanceAlias: null, attributesForKeys: [], s3Tags: [] };
const keyOf = (recordingId: string): string =>
  objectKey(naming, { agent, contact: { contactId: `contact-${recordingId}`, channel: 'VOICE' } }, START);

/** The queue over a real sink. Its timers fire when the test says so. */
function queueInto(sinkFolder: string): {
  publisher: Publisher;
  tries: string[];
  published: string[];
  log: LogLine[];
  /** Fires the timers with this delay that were not cancelled. */
  elapse: (delayMs: number) => number;
} {
  const tries: string[] = [];
  const published: string[] = [];
  const timers = new Set<{ act: () => void; delayMs: number }>();
  const { log, lines } = keepingLogger();
  const options: UploadOptions = {
    sink: new FolderSink(sinkFolder),
    ...{ naming, appVersion: '0', os: 'test', deliverDamaged: true },
    makeSlate: () => Promise.resolve(Buffer.concat([chunks[0]!, chunks[1]!])),
    makeBadge,
    blankFormat: () => Promise.resolve({ width: 160, height: 96, fps: 5, encoder: 'libx264' }),
    onProgress: (session, recordingId, progress) => publisher.progressed(session, recordingId, progress),
  };
  const publisher = new Publisher({
    publish: (session, recordingId) => {
      tries.push(recordingId);
      return uploadRecording(session, recordingId, options);
    },
    announcePublished: () => durable,
    retryEvents: () => undefined,
    onPublished: (recordingId) => published.push(recordingId),
    onFailed: () => Promise.resolve(),
    onChange: () => undefined,
    clock: { now: () => END, steps: 0, fromWall: (wall) => wall },
    random: () => 1,
    setTimer: (act, delayMs) => {
      const timer = { act, delayMs };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    log,
  });
  const elapse = (delayMs: number): number => {
    const due = [...timers].filter((timer) => timer.delayMs === delayMs);
    for (const timer of due) {
      timers.delete(timer);
      timer.act();
    }
    return due.length;
  };
  return { publisher, tries, published, log: lines, elapse };
}

describe.skipIf(needsPosix !== null)(orLeftOut('an upload whose sink does not answer', needsPosix), () => {
  it('is set aside after two minutes; the others are uploaded, and it completes when the sink answers', async () => {
    const session = await sessionWith('one', 'two', 'three');
    const sinkFolder = await temporaryFolder();
    const fifo = join(sinkFolder, manifestKey(keyOf('one')));
    await mkdir(dirname(fifo), { recursive: true });
    execFileSync('mkfifo', [fifo]);
    const { publisher, tries, published, log, elapse } = queueInto(sinkFolder);
    for (const id of ['one', 'two', 'three']) publisher.enqueue(session, id);
    const [asked] = publisher.retryNow(['one']);
    expect(publisher.queue.map(({ state }) => state)).toEqual(['sending', 'waiting', 'waiting']);

    expect(elapse(SET_ASIDE_AFTER_MS)).toBe(1);
    await vi.waitFor(() => expect(published).toEqual(['two', 'three']), { timeout: 20_000 });
    expect(await asked?.outcome).toMatchObject({
      status: 'FAILED',
      failure: { code: 'CLIENT_CONNECTION_ERROR' },
    });
    await publisher.idle();
    expect(publisher.uploads).toMatchObject({ pending: 1, reason: { code: 'CLIENT_CONNECTION_ERROR' } });
    expect(publisher.queue).toMatchObject([
      { recordingId: 'one', state: 'sending', why: { code: 'CLIENT_CONNECTION_ERROR' } },
    ]);
    expect(log).toContainEqual(expect.objectContaining({ message: 'an upload was set aside' }));
    // It is not attempted a second time while the first attempt hangs.
    publisher.retryNow();
    await publisher.idle();
    expect(tries).toEqual(['one', 'two', 'three']);

    const writer = await open(fifo, 'w');
    await writer.close();
    await rm(fifo);
    await vi.waitFor(() => expect(published).toEqual(['two', 'three', 'one']), { timeout: 20_000 });
    await vi.waitFor(() => expect(publisher.uploads).toEqual({ pending: 0, failed: 0, reason: null }), {
      timeout: 20_000,
    });
    const files = (await readdir(sinkFolder, { recursive: true })).filter((name) =>
      /\.(mp4|json)$/.test(name),
    );
    expect(files).toHaveLength(6);
  }, 60_000);
});

describe('a slow sink', () => {
  it('keeps its turn as long as bytes are written or read back, however long it takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const on = await bench(1, 'rec-1', 'rec-2');
      let complete = (): void => undefined;
      on.outcomes = [() => new Promise((resolve) => (complete = resolve))];
      on.publisher.enqueue(on.session, 'rec-1');
      on.publisher.enqueue(on.session, 'rec-2');
      const progress: Progress = { sentBytes: 0, totalBytes: 100, bytesPerSecond: 0 };
      for (let sentBytes = 1; sentBytes <= 60; sentBytes += 1) {
        await vi.advanceTimersByTimeAsync(SET_ASIDE_AFTER_MS - 1);
        on.publisher.progressed(on.session, 'rec-1', { ...progress, sentBytes });
      }
      for (let verifiedBytes = 1; verifiedBytes <= 60; verifiedBytes += 1) {
        await vi.advanceTimersByTimeAsync(SET_ASIDE_AFTER_MS - 1);
        on.publisher.progressed(on.session, 'rec-1', { ...progress, sentBytes: 60, verifiedBytes });
      }
      expect(on.tries).toEqual(['rec-1']);
      await vi.advanceTimersByTimeAsync(SET_ASIDE_AFTER_MS);
      expect(on.tries).toEqual(['rec-1', 'rec-2']);
      complete();
      await vi.waitFor(() => expect(on.published).toEqual(['rec-2', 'rec-1']), { timeout: 20_000 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('has at most three attempts set aside, and continues when one of them ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const ids = ['rec-1', 'rec-2', 'rec-3', 'rec-4'];
      const on = await bench(1, ...ids);
      const complete: (() => void)[] = [];
      on.outcomes = ids.slice(1).map(() => () => new Promise((resolve) => complete.push(resolve)));
      for (const id of ids) on.publisher.enqueue(on.session, id);
      for (const _ of ids) await vi.advanceTimersByTimeAsync(SET_ASIDE_AFTER_MS);
      expect(on.tries).toEqual(['rec-1', 'rec-2', 'rec-3']);
      for (const end of complete) end();
      const done = { pending: 0, failed: 0, reason: null };
      await vi.waitFor(() => expect(on.publisher.uploads).toEqual(done), { timeout: 20_000 });
      expect(on.published).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });
});
