// In any sequence of actions the quota deletes only what is published, and counts exactly what exists.
import { readdir, stat } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SpoolQuota } from '../../../main/spool/quota.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { recoverSessions } from '../../../main/spool/recoverSessions.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { WITNESS_BYTES } from '../../../main/spool/witness.ts';
import { SightlineError } from '../../../main/shared/errors.ts';
import { entry, recording } from '../support/journalEntries.ts';
import { openedSession, testKeys } from '../support/keys.ts';
import { must } from '../support/must.ts';

const KIB = 1024;
const QUOTA = 1024 * KIB;
const DISK = 2048 * KIB;
const MIN_FREE = 512 * KIB;
const KEEP_MS = 60_000;

type Action =
  /** Two contacts that share a run, the second one with a further run after it. */
  | { type: 'record'; kib: number; both: boolean }
  | { type: 'publish'; which: number }
  | { type: 'pass'; ms: number }
  /** Other files on the same disk. */
  | { type: 'fill'; kib: number }
  | { type: 'restart' };

const actions = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('record' as const),
        kib: fc.integer({ min: 1, max: 400 }),
        both: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('publish' as const), which: fc.nat({ max: 20 }) }),
    },
    fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: KEEP_MS }) }),
    fc.record({ type: fc.constant('fill' as const), kib: fc.integer({ min: 0, max: 1400 }) }),
    fc.record({ type: fc.constant('restart' as const) }),
  ),
  { maxLength: 25 },
);

class World {
  private now = 1_000_000;
  private othersBytes = 0;
  private count = 0;
  private readonly keys = testKeys();
  private sessions: SpoolSession[] = [];
  private quota: SpoolQuota;
  private spool: Spool;
  /** What has not been published: where it is, and how many bytes each of its runs has. */
  private readonly unpublished = new Map<string, { session: string; runs: Map<string, number> }>();
  refusals = 0;
  deletedEarly = 0;
  private published = new Map<string, number>();

  constructor(private readonly root: string) {
    [this.quota, this.spool] = this.build();
  }

  private build(): [SpoolQuota, Spool] {
    const quota = new SpoolQuota({
      root: this.root,
      limits: () => ({ quotaBytes: QUOTA, minFreeBytes: MIN_FREE, keepPublishedMs: KEEP_MS }),
      now: () => this.now,
      freeBytes: async () => DISK - this.othersBytes - (await sizeOf(this.root)),
      onProblem: (message) => must(false, message),
    });
    const spool = new Spool({
      root: this.root,
      quota,
      keys: this.keys,
      newSessionId: () => `session-${String(++this.count).padStart(4, '0')}`,
      onUnreadable: (_, error) => {
        throw error;
      },
    });
    return [quota, spool];
  }

  async do(action: Action): Promise<void> {
    switch (action.type) {
      case 'record':
        return this.record(action.kib * KIB, action.both);
      case 'publish':
        return this.publish(action.which);
      case 'pass':
        this.now += action.ms;
        return;
      case 'fill':
        this.othersBytes = action.kib * KIB;
        return;
      case 'restart':
        return this.restart();
    }
  }

  private async record(bytes: number, both: boolean): Promise<void> {
    const session = await openedSession(this.spool);
    this.sessions.push(session);
    const ids = both ? [`${session.id}-a`, `${session.id}-b`] : [`${session.id}-a`];
    const runs = [new Map<string, number>(), new Map<string, number>()];
    for (const [index, id] of ids.entries()) {
      const to = this.now + 1000 * (index + 1);
      for (const one of recording(id, this.now, to)) await session.append(one);
    }
    for (const index of ids.keys()) {
      const runId = `${session.id}-run${index}`;
      const from = this.now + 1000 * index;
      const written = await this.write(session, runId, from, bytes);
      if (written === 0) continue;
      // The first run is both recordings', the second one the second's alone.
      if (index === 0) runs[0]?.set(runId, written);
      runs[1]?.set(runId, written);
    }
    ids.forEach((id, index) => this.unpublished.set(id, { session: session.id, runs: runs[index]! }));
    this.now += 1000 * ids.length;
    await session.release();
  }

  private async write(session: SpoolSession, runId: string, from: number, bytes: number): Promise<number> {
    let written = 0;
    try {
      const run = await session.beginRun(entry.opened(runId, from));
      try {
        for (; written < bytes; written += KIB * 16) {
          await run.append(Buffer.alloc(KIB * 16));
          if (written === 0) await session.append(entry.live(runId, from));
        }
      } finally {
        await run.close();
        await session.append(entry.closed(runId, written === 0 ? null : from + 1000));
      }
    } catch (error) {
      must(error instanceof SightlineError && error.code === 'SPOOL_FULL', String(error));
      // Refused is only who has nothing published left to delete.
      must(
        this.sessions.every((one) => one.retainedRuns.length === 0),
        'refused although something was kept',
      );
      this.refusals += 1;
    }
    return written;
  }

  private async publish(which: number): Promise<void> {
    const ids = [...this.unpublished.keys()];
    const id = ids[which % ids.length];
    if (id === undefined) return;
    const held = this.unpublished.get(id);
    const session = this.sessions.find((one) => one.id === held?.session);
    must(session !== undefined, `${id} is nowhere`);
    await session.append({ ...entry.published(id), at: this.now });
    this.unpublished.delete(id);
    for (const runId of held?.runs.keys() ?? []) this.published.set(runId, this.now);
    await session.tidy();
  }

  private async restart(): Promise<void> {
    await this.close();
    [this.quota, this.spool] = this.build();
    const { unpublished } = await recoverSessions(this.spool, this.now);
    this.sessions = [...unpublished];
    must(
      unpublished.every((one) => [...one.ledger.recordings.keys()].some((id) => this.unpublished.has(id))),
      'something published was found again as if it were not',
    );
  }

  async check(): Promise<void> {
    // What has run out of time is deleted by a timer, which may be at it in this moment.
    for (let tries = 0; this.quota.usedBytes !== (await sizeOf(this.root)); tries += 1) {
      must(tries < 100, 'the count is wrong');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Journals and witnesses are never refused.
    const witnessBytes = this.sessions.length * WITNESS_BYTES;
    must(this.quota.usedBytes <= QUOTA + 64 * KIB + witnessBytes, 'more than the quota is there');
    for (const [id, { session: sessionId, runs }] of this.unpublished) {
      const session = this.sessions.find((one) => one.id === sessionId);
      must(session !== undefined, `${id} is gone`);
      for (const [runId, bytes] of runs) {
        const reader = await session.openRun(runId);
        let read = 0;
        for await (const part of reader.contents()) read += part.byteLength;
        await reader.close();
        must(read === bytes, `${runId} of the unpublished ${id} has ${read} bytes of ${bytes}`);
      }
    }
    const files = await filesIn(this.root);
    for (const [runId, at] of this.published)
      if (!files.some((name) => name.endsWith(`${runId}.run`)) && at + KEEP_MS > this.now)
        this.deletedEarly += 1;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) await session.abandon();
  }
}

async function filesIn(root: string): Promise<string[]> {
  return readdir(root, { recursive: true }).catch(() => []);
}

async function sizeOf(root: string): Promise<number> {
  // What is listed may be deleted before it is looked at.
  const found = await Promise.all(
    (await filesIn(root)).map((name) => stat(join(root, name)).catch(() => null)),
  );
  return found.reduce((sum, one) => sum + (one?.isFile() === true ? one.size : 0), 0);
}

it('never deletes what is not published, and never counts wrong', { timeout: 120_000 }, async () => {
  let refusals = 0;
  let deletedEarly = 0;
  const property = fc.asyncProperty(actions, async (all) => {
    const root = await mkdtemp(join(tmpdir(), 'sightline-quota-'));
    const world = new World(root);
    try {
      for (const action of all) {
        await world.do(action);
        await world.check();
      }
    } finally {
      refusals += world.refusals;
      deletedEarly += world.deletedEarly;
      await world.close();
      await rm(root, { recursive: true, force: true });
    }
  });
  // A round may happen not to meet a limit.
  for (let round = 0; round === 0 || (round < 5 && Math.min(refusals, deletedEarly) === 0); round += 1)
    await fc.assert(property, { numRuns: 60 });
  // Otherwise nothing was tried.
  expect(refusals).toBeGreaterThan(0);
  expect(deletedEarly).toBeGreaterThan(0);
});
