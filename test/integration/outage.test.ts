// A network that is away for ten minutes and a bucket that refuses for an hour, with the queue's time in the test's hand:
// real deliveries over a real socket to the stand-in, many more tries than anybody would wait for.
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { LiveUploads } from '../../main/publisher/liveUploads.ts';
import { uploadRecording } from '../../main/publisher/upload.ts';
import { Publisher } from '../../main/publisher/publisher.ts';
import type { Failure } from '../../main/shared/errors.ts';
import { Dice } from '../soak/common.ts';
import { START, SpoolRig, uploadOptions, s3SinkFor } from '../rig/uploads.ts';
import type { S3Server } from '../rig/s3Server.ts';
import { startStrictStore } from '../rig/s3Store.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { keepingLogger } from '../unit/support/logs.ts';

const store = await startStrictStore();
const s3 = store.strict as S3Server;
afterAll(() => store.stop());

const MINUTE_MS = 60_000;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Time that passes only when the test says so. */
class VirtualTime {
  now = START;
  private readonly timers = new Set<{ at: number; act: () => void }>();

  readonly setTimer = (act: () => void, delayMs: number): (() => void) => {
    const timer = { at: this.now + delayMs, act };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };

  /** Lets it pass, one timer after the other, each with all that follows from it. */
  async pass(ms: number, settled: () => Promise<void>): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const [next] = [...this.timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > until) break;
      this.timers.delete(next);
      this.now = Math.max(this.now, next.at);
      next.act();
      await settled();
    }
    this.now = until;
  }
}

async function queue(recordings: number) {
  const rig = new SpoolRig(await temporaryFolder());
  await rig.open();
  const time = new VirtualTime();
  const dice = new Dice(99);
  const { log } = keepingLogger();
  const tries: number[] = [];
  const failed: Failure[] = [];
  const told: string[] = [];
  const options = uploadOptions(s3SinkFor(store));
  const live = new LiveUploads({
    begin: () => {
      throw new Error('nothing goes on');
    },
    clock: { now: () => time.now, fromWall: (wall) => wall, steps: 0 },
    random: () => dice.next(),
    log,
  });
  const publisher = new Publisher({
    publish: async (from, recordingId) => {
      tries.push(time.now);
      return uploadRecording(from, recordingId, options, await live.take(recordingId));
    },
    announcePublished: (_, recordingId) => {
      told.push(recordingId);
      return { tried: Promise.resolve(null), durable: Promise.resolve() };
    },
    retryEvents: () => undefined,
    onPublished: () => undefined,
    onFailed: (_, __, why) => {
      failed.push(why);
      return Promise.resolve();
    },
    onChange: () => undefined,
    clock: { now: () => time.now, fromWall: (wall) => wall, steps: 0 },
    random: () => dice.next(),
    setTimer: time.setTimer,
    log: { ...log, warn: () => undefined },
  });
  const ids: string[] = [];
  for (let index = 0; index < recordings; index += 1) {
    const id = randomUUID();
    // One of them takes parts.
    await rig.record(id, index === 0 ? 200 : 5, START - MINUTE_MS * (index + 1));
    ids.push(id);
    publisher.enqueue(rig.session, id);
  }
  const settled = (): Promise<void> => publisher.idle();
  return { publisher, time, tries, failed, told, ids, settled };
}

function heapMiB(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

function expectDelivered(ids: readonly string[]): void {
  for (const id of ids) {
    const mine = s3.objects('recordings').filter((one) => one.metadata['sightline-recording-id'] === id);
    expect(mine.map(({ key }) => key.slice(-4)).sort()).toEqual(['.mp4', 'json']);
  }
  expect(s3.uploads('recordings')).toEqual([]);
}

describe('deliveries', () => {
  it('survive a network that is away for ten minutes: none FAILED, none lost, few tries, all there soon after', async () => {
    await s3.down();
    const on = await queue(8);
    await on.settled();
    await on.time.pass(10 * MINUTE_MS, on.settled);
    expect(on.told).toEqual([]);
    expect(on.failed).toEqual([]);
    expect(on.publisher.uploads).toMatchObject({
      pending: 8,
      failed: 0,
      reason: { code: 'CLIENT_CONNECTION_ERROR' },
    });
    // Full jitter up to 2, 4, ... 256, 300 s: about a dozen tries each in ten minutes.
    expect(on.tries.length).toBeLessThan(8 * 25);
    expect(on.tries.length).toBeGreaterThan(8 * 4);
    await s3.up();
    await on.time.pass(5 * MINUTE_MS, on.settled);
    expect(on.told.sort()).toEqual([...on.ids].sort());
    expectDelivered(on.ids);
    expect(on.publisher.uploads).toEqual({ pending: 0, failed: 0, reason: null });
  });

  it('survive a bucket that refuses for an hour: FAILED once each, tried on quietly, memory flat, all there in the end', async () => {
    s3.inject({ kind: 'accessDenied', operation: 'PutObject', times: 1_000_000 });
    s3.inject({ kind: 'accessDenied', operation: 'CreateMultipartUpload', times: 1_000_000 });
    const on = await queue(8);
    await on.settled();
    await on.time.pass(10 * MINUTE_MS, on.settled);
    const early = { heapMiB: heapMiB(), tries: on.tries.length };
    await on.time.pass(50 * MINUTE_MS, on.settled);
    const late = { heapMiB: heapMiB(), tries: on.tries.length };
    console.log('an hour of refusals:', early, late);
    expect(on.failed).toHaveLength(8);
    expect(on.failed.every(({ code }) => code === 'CLIENT_AUTH_ERROR')).toBe(true);
    expect(on.publisher.uploads).toMatchObject({ pending: 0, failed: 8 });
    // At the longest waits, 150 s in the mean: 20 tries each in 50 minutes.
    expect(late.tries - early.tries).toBeLessThan(8 * 40);
    expect(late.heapMiB - early.heapMiB).toBeLessThan(5);
    s3.clearFaults();
    expect(
      on.publisher
        .retryNow()
        .map(({ recordingId }) => recordingId)
        .sort(),
    ).toEqual([...on.ids].sort());
    await on.settled();
    expect(on.told.sort()).toEqual([...on.ids].sort());
    expectDelivered(on.ids);
  });
});
