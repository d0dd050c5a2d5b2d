// The kill soak: contacts whose recorder, ffmpeg or power goes at a random moment of the recording or of its delivery.
// The next start must publish every contact whose start was acknowledged, whole, once, and leave nothing behind.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyFileStore } from '../../main/platform/keyStore.ts';
import { toTimestamp } from '../../main/shared/time.ts';
import { sessionKeys } from '../../main/spool/sessionKeys.ts';
import { SpoolRig } from '../rig/uploads.ts';
import { startDesk, oneMonitor, type Desk } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { startRecorder, type Page, type Recorder, type RecorderOptions } from '../rig/recorder.ts';
import { downloadPublished, s3Options } from '../rig/s3Recorder.ts';
import { startStrictStore, type S3Store } from '../rig/s3Store.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { Dice, ffmpegsOf, signal, toError, within } from './common.ts';
import type { KillOptions, KillResult } from './killResult.ts';
import { judgeEvents, tellingOf } from './killEvents.ts';
import {
  callInFull,
  callKills,
  callMet,
  isCallKill,
  powerCut,
  wrapperOf,
  type CallKill,
} from './killCalls.ts';

const FRAME_MS = 200;
/** How much of the end of a recording a kill may take. */
const MAY_BE_LOST_MS = 1000;
const PATIENCE_MS = 20_000;
/** Of one wait, and of a whole cycle (usually 5 s). What takes longer hangs: it becomes a complaint. */
const WAIT_MS = 60_000;
const CYCLE_MS = 180_000;

const kills = [
  ...(['recorder', 'ffmpeg, then recorder', 'recorder, then ffmpeg', 'power'] as const),
  ...(['in delivery', 'in a long upload'] as const),
  // As often as all others together.
  ...([...callKills, ...callKills, 'at a call'] as const),
];
/** A stand-in keeps everything in memory: every so often a new one takes over. */
const CYCLES_A_STORE = 20;
/** Pictures of 62 kB of a recording that needs several parts. */
const LONG = { least: 150, most: 500 };
export type KillName = (typeof kills)[number];

export async function soakKill(options: KillOptions): Promise<KillResult> {
  const soak = new KillSoak(options, await startDesk({ monitors: oneMonitor }));
  try {
    return await soak.run();
  } finally {
    await soak.end();
  }
}

type SinkName = 'folder' | 's3';

/** One cycle: where it keeps its things, and where its recordings go. */
interface Cycle {
  readonly home: string;
  readonly kill: KillName;
  readonly store: S3Store | null;
}

interface Started {
  readonly contactId: string;
  readonly startTime: string;
  /** Acknowledged stop, or null when it was still being recorded. */
  endTime: string | null;
  /** Its pictures tell no time. */
  readonly isSimulated?: boolean;
}

class KillSoak {
  private readonly dice: Dice;
  private readonly counts = new Map<string, number>();
  private store: S3Store | null = null;
  private readonly lostMs: number[] = [];
  private readonly complaints: string[] = [];
  private published = 0;
  private lostWhole = 0;
  private cycles = 0;
  private knownOpenUploads = 0;
  /** Of this cycle, to be killed when it fails. */
  private recorders: Recorder[] = [];

  constructor(
    private readonly options: KillOptions,
    private readonly desk: Desk,
  ) {
    this.dice = new Dice(options.seed);
  }

  async run(): Promise<KillResult> {
    for (let done = 0; done < this.options.kills && this.options.signal?.aborted !== true; done += 1) {
      await this.cycle();
      if ((done + 1) % 10 === 0)
        this.options.onProgress?.(
          `${done + 1} of ${this.options.kills} kills, ${this.complaints.length} complaints`,
        );
      if (this.complaints.length > 10) break;
    }
    return {
      kills: this.counts,
      published: this.published,
      lostWhole: this.lostWhole,
      lostMs: this.lostMs.sort((a, b) => a - b),
      complaints: this.complaints,
    };
  }

  async end(): Promise<void> {
    await this.store?.stop();
    await this.desk.stop();
  }

  private async cycle(): Promise<void> {
    this.cycles += 1;
    const kill = this.dice.pick(kills);
    const sink: SinkName = kill === 'in a long upload' || this.dice.next() < 0.5 ? 's3' : 'folder';
    const home = await mkdtemp(join(await realpath(tmpdir()), 'sightline-kill-'));
    const cycle: Cycle = { home, kill, store: sink === 's3' ? await this.currentStore() : null };
    this.recorders = [];
    try {
      const isWhole = await within(CYCLE_MS, 'the cycle', this.actAndJudge(cycle, sink));
      if (isWhole) await rm(home, { recursive: true, force: true });
    } catch (error) {
      this.complain(cycle, toError(error).message);
      for (const recorder of this.recorders) recorder.kill('SIGKILL');
    }
  }

  private async actAndJudge(cycle: Cycle, sink: SinkName): Promise<boolean> {
    const { kill, home } = cycle;
    const { started, killedAt } = await this.act(cycle);
    const name = `${isCallKill(kill) ? await callMet(kill, home) : kill}, ${sink}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    return this.judge(cycle, started, killedAt);
  }

  /** Reported at once, too: a test that runs into its own limit prints no result. */
  private complain({ kill, home }: Cycle, words: string, call = ''): void {
    const complaint = `cycle ${this.cycles} (${kill}${call}): ${words}; see ${home}`;
    this.complaints.push(complaint);
    this.options.onProgress?.(complaint);
  }

  private act(cycle: Cycle): Promise<{ started: Started[]; killedAt: number }> {
    const { kill } = cycle;
    if (kill === 'in a long upload') return this.uploadAndKill(cycle);
    return isCallKill(kill) ? this.recordWithCall(cycle, kill) : this.recordAndKill(cycle);
  }

  private async currentStore(): Promise<S3Store> {
    if (this.cycles % CYCLES_A_STORE === 0) {
      await this.store?.stop();
      this.store = null;
      this.knownOpenUploads = 0;
    }
    return (this.store ??= await startStrictStore({ listPartsPage: 3 }));
  }

  private async start({ home, store }: Cycle, more: Partial<RecorderOptions> = {}): Promise<Recorder> {
    const s3 = store === null ? { flags: [], environment: {} } : s3Options(store);
    const starting = startRecorder({
      display: this.desk.display,
      home,
      wrapper: more.wrapper ?? [],
      flags: [...s3.flags, ...(more.flags ?? [])],
      environment: { ...s3.environment, ...more.environment },
    });
    const recorder = await within(WAIT_MS, 'the start of the recorder', starting);
    this.recorders.push(recorder);
    return recorder;
  }

  /** A long recording that an earlier process left is uploaded, and the recorder killed at it, again and again. */
  private async uploadAndKill(cycle: Cycle): Promise<{ started: Started[]; killedAt: number }> {
    const { dice } = this;
    const recordingId = randomUUID();
    const startTime = Date.now() - 600_000;
    const dataDir = join(cycle.home, 'data');
    const keys = sessionKeys([keyFileStore(join(dataDir, 'spool.key'))]);
    const rig = new SpoolRig(join(dataDir, 'spool'), keys);
    await rig.open();
    await rig.record(recordingId, Math.floor(dice.between(LONG.least, LONG.most)), startTime);
    await rig.session.abandon();
    const recording = rig.session.ledger.recordings.get(recordingId)!;
    const kills = Math.ceil(dice.between(0, 3));
    for (let done = 0; done < kills; done += 1) {
      const recorder = await this.start(cycle);
      await sleep(dice.between(0, 400));
      recorder.kill('SIGKILL');
      await within(WAIT_MS, 'the end of the recorder', recorder.exited);
    }
    const { contactId } = recording.started.contact;
    const endTime = toTimestamp(recording.stopped!.endTime);
    return {
      started: [{ contactId, startTime: toTimestamp(startTime), endTime, isSimulated: true }],
      killedAt: Date.now(),
    };
  }

  /** One or two contacts, perhaps a suspension, and then the end of something. */
  private async recordAndKill(cycle: Cycle): Promise<{ started: Started[]; killedAt: number }> {
    const { dice } = this;
    const { home, kill } = cycle;
    const started: Started[] = [];
    const recorder = await this.start(cycle, kill === 'power' ? powerCut(home, dice) : {}).catch(
      (error: unknown) => {
        if (kill === 'power') return null; // it went before the recorder was ready
        throw error;
      },
    );
    if (recorder === null) return { started, killedAt: Date.now() };
    const death = recorder.exited.then(() => Date.now());
    // The power may go while it connects: a request that is never answered must not be waited for.
    const scene = (async () => this.play(await recorder.connect(), started, kill === 'in delivery'))();
    const failed = scene.then(() => null, toError);
    if (kill === 'in delivery') {
      await within(WAIT_MS, 'the contact', scene);
      await sleep(dice.between(0, 350));
    } else if (kill !== 'power') {
      const failure = await within(WAIT_MS, 'the first start', Promise.race([failed, begun(started)]));
      if (failure !== null) throw failure;
      await sleep(dice.between(0, 1800));
    }
    await this.kill(kill, recorder);
    const killedAt = await within(WAIT_MS, `the end by "${kill}"`, death).catch(async (error: unknown) => {
      const failure = await Promise.race([failed, Promise.resolve(null)]);
      throw failure === null ? error : new Error(`${toError(error).message} after ${failure.message}`);
    });
    return { started, killedAt };
  }

  /** The same story; what is killed or fails is one system call, any one of it. */
  private async recordWithCall(
    cycle: Cycle,
    kill: CallKill,
  ): Promise<{ started: Started[]; killedAt: number }> {
    const { dice } = this;
    const started: Started[] = [];
    const wrapper = await wrapperOf(kill, cycle.home, dice);
    // Without its lock or its folder it does not even begin, and says so.
    const recorder = await this.start(cycle, { wrapper }).catch(() => null);
    if (recorder === null) return { started, killedAt: Date.now() };
    const ended = { early: false };
    const death = recorder.exited.then((code) => {
      ended.early = true;
      return { code, at: Date.now() };
    });
    const goesToItsEnd = dice.next() < 0.5;
    const scene = (async () => this.play(await recorder.connect(), started, goesToItsEnd))().catch(
      () => undefined,
    );
    const untilKilledMs = dice.between(600, 3500);
    await Promise.race([
      death,
      goesToItsEnd ? scene.then(() => sleep(untilKilledMs / 2)) : sleep(untilKilledMs),
    ]);
    const ending = kill === 'a call fails, then SIGTERM' ? 'SIGTERM' : 'SIGKILL';
    if (kill !== 'at a call' && ended.early) {
      this.complain(cycle, 'it ended by itself');
    }
    recorder.kill(ending);
    const { code, at } = await within(WAIT_MS, `the end by ${ending}`, death);
    if (ending === 'SIGTERM' && code !== 0) {
      this.complain(cycle, `it ended with ${code}`);
    }
    return { started, killedAt: at };
  }

  private async play(page: Page, started: Started[], toItsEnd: boolean): Promise<void> {
    const { dice } = this;
    const contactId = `c-${this.cycles}`;
    const begin = async (id: string): Promise<void> => {
      const reply = await page.ask<{ startTime: string }>('contact.start', {
        contactId: id,
        channel: 'VOICE',
      });
      started.push({ contactId: id, startTime: reply.startTime, endTime: null });
    };
    await begin(contactId);
    await sleep(dice.between(100, 700));
    if (dice.next() < 0.4) {
      await page.ask('contact.suspend', { contactId });
      await sleep(dice.between(20, 300));
      await page.ask('contact.resume', { contactId });
      await sleep(dice.between(20, 300));
    }
    if (dice.next() < 0.3) await begin(`${contactId}-too`);
    await sleep(dice.between(100, 500));
    if (!toItsEnd) {
      // Goes on until it is killed.
      await sleep(60_000);
      return;
    }
    for (const one of started) {
      const reply = await page.ask<{ endTime: string }>('contact.stop', { contactId: one.contactId });
      one.endTime = reply.endTime;
    }
  }

  private async kill(kill: KillName, recorder: Recorder): Promise<void> {
    const ffmpegs = await ffmpegsOf(recorder.pid);
    switch (kill) {
      case 'power':
      case 'in a long upload':
      case 'at a call':
      case 'a call fails, then recorder':
      case 'a call fails, then SIGTERM':
        return; // they go by themselves
      case 'recorder':
      case 'in delivery':
        recorder.kill('SIGKILL');
        return;
      case 'ffmpeg, then recorder':
        ffmpegs.forEach((pid) => signal(pid, 'SIGKILL'));
        await sleep(this.dice.between(0, 30));
        recorder.kill('SIGKILL');
        return;
      case 'recorder, then ffmpeg':
        recorder.kill('SIGKILL');
        ffmpegs.forEach((pid) => signal(pid, 'SIGKILL'));
    }
  }

  /** @returns whether there is nothing to complain about */
  private async judge(cycle: Cycle, started: readonly Started[], killedAt: number): Promise<boolean> {
    const { home, kill, store } = cycle;
    const before = this.complaints.length;
    const call = await callInFull(home);
    const complain = (words: string): void => {
      this.complain(cycle, words, call);
    };
    const next = await this.start(cycle, { flags: ['--grace-seconds', '0'] });
    const published = (): ReturnType<Recorder['published']> =>
      store === null
        ? next.published()
        : downloadPublished(store, next.sinkFolder, (id) => started.some((one) => one.contactId === id));
    // What a power cut takes of an end may be all of a contact that had just begun.
    const mayBeLost = ({ startTime, endTime }: Started): boolean =>
      kill === 'power' && endTime === null && killedAt - Date.parse(startTime) <= MAY_BE_LOST_MS;
    try {
      const least = started.filter((one) => !mayBeLost(one)).length;
      if (!(await this.becomesIdle(next, published, least))) complain('not everything was delivered');
      const found = await published();
      this.published += found.length;
      const events = await next.events();
      const isLost = (one: Started): boolean =>
        mayBeLost(one) && tellingOf(events, one.contactId).includes('FAILED');
      const kept = started.filter((one) => !isLost(one));
      this.lostWhole += started.length - kept.length;
      // Capture that a failing call has ended need not be back yet.
      const mayLack = kill.startsWith('a call fails');
      for (const one of kept) await this.judgeOne(one, found, mayLack ? null : killedAt, complain);
      for (const one of started)
        judgeEvents(
          events,
          one.contactId,
          isLost(one) ? 'INITIATED,FAILED' : 'INITIATED,COMPLETED,PUBLISHED',
          complain,
        );
      const half = (await readdir(next.sinkFolder, { recursive: true }).catch(() => [])).filter((name) =>
        name.endsWith('.part'),
      );
      if (half.length > 0) complain(`${half.join(', ')} is left in the sink`);
      if (store !== null) await this.judgeStore(store, kept, complain);
      const left = await readdir(join(home, 'data', 'spool')).catch(() => []);
      if (left.length > 0) complain(`${left.join(', ')} is left in the spool`);
    } finally {
      await within(WAIT_MS, 'the end of the next recorder by SIGTERM', next.stop());
    }
    return this.complaints.length === before;
  }

  private async judgeOne(
    { contactId, startTime, endTime, isSimulated = false }: Started,
    found: Awaited<ReturnType<Recorder['published']>>,
    killedAt: number | null,
    complain: (words: string) => void,
  ): Promise<void> {
    const mine = found.filter(({ manifest }) => manifest.contact.contactId === contactId);
    if (mine.length !== 1) complain(`${contactId} was published ${mine.length} times`);
    for (const { mp4, manifest } of mine) {
      if (manifest.startTime !== startTime) complain(`${contactId} begins at ${manifest.startTime}`);
      if (endTime !== null && manifest.endTime !== endTime)
        complain(`${contactId} ends at ${manifest.endTime}`);
      if (endTime === null && killedAt !== null) {
        const lost = killedAt - Date.parse(manifest.endTime);
        this.lostMs.push(lost);
        if (lost > MAY_BE_LOST_MS) complain(`${contactId} lacks its last ${lost} ms`);
      }
      const errors = await decodesCleanly(mp4);
      if (errors !== '') complain(`${contactId} does not decode: ${errors}`);
      const { durationMs } = await probe(mp4);
      if (Math.abs(durationMs - manifest.durationMs) > FRAME_MS)
        complain(`${contactId} is ${durationMs} ms long`);
      if (isSimulated) continue;
      const clock = recordingClock(await decodeRecording(mp4, manifest), manifest);
      if (clock.maxMs > FRAME_MS) complain(`the clock of ${contactId} is off by ${clock.maxMs} ms`);
    }
  }

  private async judgeStore(
    store: S3Store,
    started: readonly Started[],
    complain: (words: string) => void,
  ): Promise<void> {
    const objects = await store.objects();
    for (const { contactId } of started) {
      const mine = objects.filter(({ metadata }) => metadata['sightline-contact-id'] === contactId);
      if (mine.length !== 2)
        complain(`${contactId} is ${mine.length} objects: ${mine.map(({ key }) => key).join()}`);
    }
    const open = await store.openUploads();
    if (open > this.knownOpenUploads) complain(`${open} uploads are open`);
    this.knownOpenUploads = open;
    for (const problem of store.strict?.problems.splice(0) ?? []) complain(problem);
  }

  private async becomesIdle(
    recorder: Recorder,
    published: Recorder['published'],
    least: number,
  ): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const left = await readdir(join(recorder.dataDir, 'spool')).catch(() => []);
      if (left.length === 0 && (await published()).length >= least) return true;
      if (performance.now() > until) return false;
      await sleep(50);
    }
  }
}

async function begun(started: readonly Started[]): Promise<null> {
  const until = performance.now() + WAIT_MS;
  while (started.length === 0 && performance.now() < until) await sleep(5);
  return null;
}
