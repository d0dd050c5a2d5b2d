// The quota of real spools in temporary folders; only the clock and the disk's free space are made up.
import { mkdir, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SessionKeys } from '../../../main/spool/journal.ts';
import type { QuotaLimits } from '../../../main/spool/quota.ts';
import { SpoolQuota, limitsOf } from '../../../main/spool/quota.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { recoverSessions } from '../../../main/spool/recoverSessions.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { temporaryFolder } from '../support/folders.ts';
import { entry, recording } from '../support/journalEntries.ts';
import { journalEntries, openedSession, testKeys } from '../support/keys.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

interface Bench {
  readonly root: string;
  readonly keys: SessionKeys;
  spool: Spool;
  quota: SpoolQuota;
  now: number;
  /** Of the disk; each look is counted. */
  free: () => number;
  looks: number;
  readonly problems: string[];
  /** A new process over the same folder. */
  restart(): Promise<readonly SpoolSession[]>;
  /** One recording with a run of about so many bytes, complete. */
  record(id: string, bytes: number): Promise<SpoolSession>;
  publish(session: SpoolSession, id: string): Promise<void>;
  /** The run files in the spool. */
  runs(): Promise<string[]>;
}

async function bench(limits: Partial<QuotaLimits> = {}): Promise<Bench> {
  const root = join(await temporaryFolder(), 'spool');
  const keys = testKeys();
  const sessions = new Set<SpoolSession>();
  let opened = 0;
  const build = (): { quota: SpoolQuota; spool: Spool } => {
    const quota = new SpoolQuota({
      root,
      limits: () => ({ quotaBytes: 100 * MIB, minFreeBytes: 0, keepPublishedMs: 0, ...limits }),
      now: () => it.now,
      freeBytes: async () => {
        await Promise.resolve();
        it.looks += 1;
        return it.free();
      },
      onProblem: (message) => it.problems.push(message),
    });
    const spool = new Spool({
      root,
      quota,
      keys,
      newSessionId: () => `session-${String(++opened).padStart(3, '0')}`,
      onUnreadable: (_, error) => {
        throw error;
      },
    });
    return { quota, spool };
  };
  const it: Bench = {
    root,
    keys,
    ...build(),
    now: 1_000_000,
    free: () => Infinity,
    looks: 0,
    problems: [],
    async restart() {
      for (const session of sessions) await session.abandon();
      sessions.clear();
      Object.assign(it, build());
      const recovered = await recoverSessions(it.spool, it.now);
      for (const session of recovered.unpublished) sessions.add(session);
      return recovered.unpublished;
    },
    async record(id, bytes) {
      const session = await openedSession(it.spool);
      sessions.add(session);
      for (const one of recording(id, it.now, it.now + 1000)) await session.append(one);
      const run = await session.beginRun(entry.opened(`run-${id}`, it.now));
      await session.append(entry.live(`run-${id}`, it.now));
      try {
        for (let done = 0; done < bytes; done += 64 * KIB)
          await run.append(Buffer.alloc(Math.min(64 * KIB, bytes - done)));
      } finally {
        await run.close();
        await session.append(entry.closed(`run-${id}`, it.now + 1000));
        await session.release();
      }
      return session;
    },
    async publish(session, id) {
      await session.append({ ...entry.published(id), at: it.now });
      await session.tidy();
    },
    async runs() {
      const names = await readdir(root, { recursive: true });
      return names
        .filter((name) => name.endsWith('.run'))
        .map((name) => name.replace(/^.*run-|\.run$/g, ''))
        .sort();
    },
  };
  onTestFinished(async () => {
    for (const session of sessions) await session.abandon();
  });
  return it;
}

async function sizeOf(root: string): Promise<number> {
  const names = await readdir(root, { recursive: true });
  const found = await Promise.all(names.map((name) => stat(join(root, name))));
  return found.reduce((sum, one) => sum + (one.isFile() ? one.size : 0), 0);
}

describe('the quota', () => {
  it('refuses more than it, says the figures and what to do, and keeps what is there', async () => {
    const it = await bench({ quotaBytes: 4 * MIB });
    await it.record('one', 1 * MIB);
    const refused = it.record('two', 5 * MIB);
    await expect(refused).rejects.toMatchObject({ name: 'SightlineError', code: 'SPOOL_FULL' });
    await expect(refused).rejects.toThrow(
      /uses 3\.\d MiB of its quota of 4\.0 MiB .*"spoolQuotaMiB".* so that 2 waiting recordings can be uploaded and deleted, or raise spoolQuotaMiB\. Recording then continues automatically/s,
    );
    expect(await it.runs()).toEqual(['one', 'two']);
    expect(await sizeOf(it.root)).toBeLessThanOrEqual(4 * MIB);
    expect(it.quota.usedBytes).toBe(await sizeOf(it.root));
  });

  it('speaks of the sink only when something waits for it', async () => {
    const it = await bench({ quotaBytes: 4 * MIB });
    await mkdir(it.root);
    await writeFile(join(it.root, 'somebody’s'), Buffer.alloc(4 * MIB));
    await it.restart();
    await expect(it.quota.reserveForRun()).rejects.toThrow(
      /recordings to delete\. Raise spoolQuotaMiB\. Recording/,
    );
  });

  it('takes nothing more for a run after a refusal, even when there is room again', async () => {
    const it = await bench({ quotaBytes: 4 * MIB });
    const left = await it.record('left', 3 * MIB);
    const session = await openedSession(it.spool);
    const run = await session.beginRun(entry.opened('a', it.now));
    await run.append(Buffer.from('kept'));
    await expect(run.append(Buffer.alloc(MIB))).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    await it.publish(left, 'left');
    await expect(run.append(Buffer.from('a picture after a hole'))).rejects.toMatchObject({
      code: 'SPOOL_FULL',
    });
    await run.close();
    const reader = await session.openRun('a');
    for await (const bytes of reader.contents()) expect(Buffer.from(bytes).toString()).toBe('kept');
    await reader.close();
    await session.append(entry.closed('a', it.now));
    await session.release();
  });

  it('is never in the way of a journal', async () => {
    const it = await bench({ quotaBytes: MIB });
    await expect(it.record('one', 2 * MIB)).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    const session = await openedSession(it.spool);
    for (const one of recording('two', it.now, it.now + 1)) await session.append(one);
    expect(await journalEntries(join(session.folder, 'journal.ndjson'), it.keys)).toHaveLength(3);
    await session.append(entry.failed('two'));
    await session.append(entry.announced('two', 'FAILED'));
    expect(await sizeOf(it.root)).toBeLessThanOrEqual(MIB);
    await session.release();
  });

  it('refuses to begin a run that could only be short, before anything is written for it', async () => {
    const it = await bench({ quotaBytes: 16 * MIB });
    const one = await it.record('one', 14.5 * MIB);
    const session = await openedSession(it.spool);
    const before = await sizeOf(it.root);
    await expect(session.beginRun(entry.opened('a', it.now))).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    expect(await sizeOf(it.root)).toBe(before);
    expect(session.ledger.runs.size).toBe(0);
    // The sink is fixed: recording continues without a request.
    await it.publish(one, 'one');
    await (await session.beginRun(entry.opened('a', it.now))).close();
    await session.append(entry.closed('a', it.now));
    await session.release();
  });

  it('counts what earlier processes left', async () => {
    const it = await bench({ quotaBytes: 4 * MIB });
    await it.record('one', 3 * MIB);
    await it.restart();
    expect(it.quota.usedBytes).toBe(await sizeOf(it.root));
    await expect(it.record('two', 2 * MIB)).rejects.toMatchObject({ code: 'SPOOL_FULL' });
  });
});

describe('the free space of the disk', () => {
  const limits = { minFreeBytes: 100 * MIB };

  it('is kept: recording is refused below the floor, with the figures, and continues above it', async () => {
    const it = await bench(limits);
    it.free = () => 99 * MIB;
    const refused = it.record('one', KIB);
    await expect(refused).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    await expect(refused).rejects.toThrow(
      /99\.0 MiB are free .* 100 MiB must stay free .*"spoolMinFreeMiB"/s,
    );
    it.free = () => 200 * MIB;
    await it.record('two', KIB);
  });

  it('is noticed while a run is written, no matter which program fills the disk', async () => {
    const it = await bench(limits);
    it.free = () => 200 * MIB;
    const session = await openedSession(it.spool);
    const run = await session.beginRun(entry.opened('a', it.now));
    it.free = () => 50 * MIB;
    await run.append(Buffer.alloc(KIB));
    it.now += 2000;
    await expect(run.append(Buffer.alloc(KIB))).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    await run.close();
    await session.append(entry.closed('a', it.now));
    await session.release();
  });

  it('is queried every few megabytes or seconds, not with every frame', async () => {
    const it = await bench(limits);
    const session = await openedSession(it.spool);
    const run = await session.beginRun(entry.opened('a', it.now));
    expect(it.looks).toBe(1);
    for (let count = 0; count < 40; count += 1) await run.append(Buffer.alloc(100 * KIB));
    expect(it.looks).toBe(1);
    for (let count = 0; count < 4; count += 1) await run.append(Buffer.alloc(100 * KIB));
    expect(it.looks).toBe(2);
    for (let count = 0; count < 50; count += 1) {
      it.now += 200;
      await run.append(Buffer.alloc(KIB));
    }
    expect(it.looks).toBe(7);
    await run.close();
    await session.append(entry.closed('a', it.now));
    await session.release();
  });

  it('that cannot be had is a warning, not the end', async () => {
    const it = await bench(limits);
    it.free = () => {
      throw new Error('no such call');
    };
    await it.record('one', KIB);
    expect(it.problems).toEqual(['the free space of the disk under the spool is unknown']);
  });

  it('is that of the disk the spool is on, as statfs reports it', async () => {
    const root = await temporaryFolder();
    const problems: string[] = [];
    const quota = (minFreeBytes: number): SpoolQuota =>
      new SpoolQuota({
        root,
        limits: () => ({ quotaBytes: MIB, minFreeBytes, keepPublishedMs: 0 }),
        now: () => 0,
        onProblem: (message) => problems.push(message),
      });
    await quota(1).reserveForRun();
    await expect(quota(2 ** 62).reserveForRun()).rejects.toMatchObject({
      code: 'SPOOL_FULL',
    });
    expect(problems).toEqual([]);
  });
});

describe('published recordings', () => {
  const keep = { keepPublishedMs: HOUR_MS };

  it('go at once unless policy lets them stay', async () => {
    const it = await bench();
    await it.publish(await it.record('one', KIB), 'one');
    expect(await readdir(it.root)).toEqual([]);
    expect(it.quota.usedBytes).toBe(0);
  });

  it('stay as long as policy says, sealed, without an open file', async () => {
    const it = await bench(keep);
    const session = await it.record('one', KIB);
    // The journal and its witness.
    expect(await openFiles(session.folder)).toHaveLength(2);
    await it.publish(session, 'one');
    expect(await it.runs()).toEqual(['one']);
    expect(await openFiles(session.folder)).toEqual([]);
  });

  it('go by themselves when their time is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const it = await bench(keep);
    await it.publish(await it.record('one', KIB), 'one');
    await pass(it, 0.5 * HOUR_MS);
    await it.publish(await it.record('two', KIB), 'two');
    await pass(it, 0.4 * HOUR_MS);
    expect(await it.runs()).toEqual(['one', 'two']);
    await pass(it, 0.2 * HOUR_MS);
    await vi.waitUntil(async () => (await it.runs()).join() === 'two');
    await pass(it, 0.4 * HOUR_MS);
    await vi.waitUntil(async () => (await readdir(it.root)).length === 0);
    expect(vi.getTimerCount()).toBe(0);
    await vi.waitUntil(() => it.quota.usedBytes === 0);
  });

  it('are found again by the next process, which has nothing to do with them', async () => {
    const it = await bench(keep);
    const session = await it.record('one', KIB);
    await it.publish(session, 'one');
    it.now += 0.9 * HOUR_MS;
    expect(await it.restart()).toEqual([]);
    expect(await it.runs()).toEqual(['one']);
    expect(await openFiles(session.folder)).toEqual([]);
    it.now += 0.2 * HOUR_MS;
    expect(await it.restart()).toEqual([]);
    expect(await readdir(it.root)).toEqual([]);
  });

  it('go first when quota or disk need room, oldest first, as far as necessary', async () => {
    const it = await bench({ ...keep, quotaBytes: 10 * MIB, minFreeBytes: 100 * MIB });
    const sessions = new Map<string, SpoolSession>();
    for (const id of ['a', 'b', 'c', 'unpublished']) sessions.set(id, await it.record(id, 2 * MIB));
    for (const id of ['b', 'c', 'a']) {
      it.now += 1000;
      await it.publish(sessions.get(id)!, id);
    }
    await it.record('new', 2 * MIB);
    expect(await it.runs()).toEqual(['a', 'c', 'new', 'unpublished']);
    it.free = () => 98.5 * MIB;
    await expect(it.record('newer', KIB)).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    expect(await it.runs()).toEqual(['new', 'unpublished']);
    expect(it.quota.usedBytes).toBe(await sizeOf(it.root));
  });

  it('of a session that continues are deleted as well, but nothing that an open recording may need', async () => {
    const it = await bench({ ...keep, quotaBytes: 3 * MIB });
    const session = await openedSession(it.spool);
    const write = async (runId: string, from: number): Promise<void> => {
      const run = await session.beginRun(entry.opened(runId, from));
      await session.append(entry.live(runId, from));
      try {
        await run.append(Buffer.alloc(MIB));
      } finally {
        await run.close();
        await session.append(entry.closed(runId, from + 1000));
      }
    };
    for (const one of recording('one', 1000, 2000)) await session.append(one);
    await write('run-a', 1000);
    await session.append(entry.started('two', 2000));
    await write('run-b', 2000);
    await it.publish(session, 'one');
    expect(await it.runs()).toEqual(['a', 'b']);
    await write('run-c', 3000);
    await expect(write('run-d', 4000)).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    expect(await it.runs()).toEqual(['b', 'c', 'd']);
    await session.append(entry.failed('two'));
    await session.append(entry.announced('two', 'FAILED'));
    await session.release();
  });

  it('that another program has deleted cause no error', async () => {
    const it = await bench({ ...keep, quotaBytes: 4 * MIB });
    const session = await it.record('one', 2 * MIB);
    await it.publish(session, 'one');
    await rm(session.folder, { recursive: true });
    await it.restart();
    await it.record('two', 2 * MIB);
    expect(it.quota.usedBytes).toBe(await sizeOf(it.root));
  });
});

describe('policy', () => {
  it('speaks of MiB and hours', () => {
    expect(limitsOf({ spoolQuotaMiB: 3, spoolMinFreeMiB: 2, keepPublishedHours: 1 })).toEqual({
      quotaBytes: 3 * MIB,
      minFreeBytes: 2 * MIB,
      keepPublishedMs: HOUR_MS,
    });
  });
});

async function pass(it: Bench, ms: number): Promise<void> {
  it.now += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

/** What this process has open below a folder (proc(5)). */
async function openFiles(folder: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder));
}
