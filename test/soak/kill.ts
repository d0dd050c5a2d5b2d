// The kill soak: contacts whose recorder, ffmpeg or power goes at a random moment of the recording or of its delivery.
// The next start must publish every contact whose start was acknowledged, whole, once, and leave nothing behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startDesk, oneMonitor, type Desk } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { Dice, ffmpegsOf, signal } from './common.ts';

const FRAME_MS = 200;
/** How much of the end of a recording a kill may take. */
const MAY_BE_LOST_MS = 1000;
const PATIENCE_MS = 20_000;

const kills = ['recorder', 'ffmpeg, then recorder', 'recorder, then ffmpeg', 'power', 'in delivery'] as const;
export type KillName = (typeof kills)[number];

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface KillResult {
  readonly kills: ReadonlyMap<KillName, number>;
  readonly published: number;
  /** Of kills in mid-recording: from the last thing that is in the MP4 to the kill, sorted. */
  readonly lostMs: readonly number[];
  readonly complaints: readonly string[];
}

export async function soakKill(options: KillOptions): Promise<KillResult> {
  const soak = new KillSoak(options, await startDesk({ monitors: oneMonitor }));
  try {
    return await soak.run();
  } finally {
    await soak.end();
  }
}

interface Started {
  readonly contactId: string;
  readonly startTime: string;
  /** Acknowledged stop, or null when it was still being recorded. */
  endTime: string | null;
}

class KillSoak {
  private readonly dice: Dice;
  private readonly counts = new Map<KillName, number>();
  private readonly lostMs: number[] = [];
  private readonly complaints: string[] = [];
  private published = 0;
  private cycles = 0;

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
      lostMs: this.lostMs.sort((a, b) => a - b),
      complaints: this.complaints,
    };
  }

  end(): Promise<void> {
    return this.desk.stop();
  }

  private async cycle(): Promise<void> {
    this.cycles += 1;
    const kill = this.dice.pick(kills);
    this.counts.set(kill, (this.counts.get(kill) ?? 0) + 1);
    const home = await mkdtemp(join(tmpdir(), 'sightline-kill-'));
    let isWhole = false;
    try {
      const { started, killedAt } = await this.recordAndKill(home, kill);
      isWhole = await this.judge(home, kill, started, killedAt);
    } finally {
      if (isWhole) await rm(home, { recursive: true, force: true });
    }
  }

  /** One or two contacts, perhaps a suspension, and then the end of something. */
  private async recordAndKill(
    home: string,
    kill: KillName,
  ): Promise<{ started: Started[]; killedAt: number }> {
    const { dice, desk } = this;
    const recorder = await startRecorder({
      display: desk.display,
      home,
      ...(kill === 'power' ? powerCut(home, dice) : {}),
    });
    const started: Started[] = [];
    const death = recorder.exited.then(() => Date.now());
    const scene = this.play(await recorder.connect(), started, kill === 'in delivery').catch(() => undefined);
    if (kill === 'in delivery') {
      await scene;
      await sleep(dice.between(0, 350));
    } else if (kill !== 'power') {
      while (started.length === 0) await sleep(5);
      await sleep(dice.between(0, 1800));
    }
    await this.kill(kill, recorder);
    const killedAt = await death;
    return { started, killedAt };
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
        return; // it goes by itself
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
  private async judge(
    home: string,
    kill: KillName,
    started: readonly Started[],
    killedAt: number,
  ): Promise<boolean> {
    const before = this.complaints.length;
    const complain = (words: string): void =>
      void this.complaints.push(`cycle ${this.cycles} (${kill}): ${words}; see ${home}`);
    const next = await startRecorder({ display: this.desk.display, home, flags: ['--grace-seconds', '0'] });
    try {
      if (!(await this.becomesIdle(next, started))) complain('not everything was delivered');
      const found = await next.published();
      this.published += found.length;
      for (const { contactId, startTime, endTime } of started) {
        const mine = found.filter(({ manifest }) => manifest.contact.contactId === contactId);
        if (mine.length !== 1) complain(`${contactId} was published ${mine.length} times`);
        for (const { mp4, manifest } of mine) {
          if (manifest.startTime !== startTime) complain(`${contactId} begins at ${manifest.startTime}`);
          if (endTime !== null && manifest.endTime !== endTime)
            complain(`${contactId} ends at ${manifest.endTime}`);
          if (endTime === null) {
            const lost = killedAt - Date.parse(manifest.endTime);
            this.lostMs.push(lost);
            if (lost > MAY_BE_LOST_MS) complain(`${contactId} lacks its last ${lost} ms`);
          }
          const errors = await decodesCleanly(mp4);
          if (errors !== '') complain(`${contactId} does not decode: ${errors}`);
          const { durationMs } = await probe(mp4);
          if (Math.abs(durationMs - manifest.durationMs) > FRAME_MS)
            complain(`${contactId} is ${durationMs} ms long`);
          const clock = recordingClock(await decodeRecording(mp4, manifest), manifest);
          if (clock.maxMs > FRAME_MS) complain(`the clock of ${contactId} is off by ${clock.maxMs} ms`);
        }
      }
      const half = (await readdir(next.sinkFolder, { recursive: true }).catch(() => [])).filter((name) =>
        name.endsWith('.part'),
      );
      if (half.length > 0) complain(`${half.join(', ')} is left in the sink`);
      const left = await readdir(join(home, 'data', 'spool')).catch(() => []);
      if (left.length > 0) complain(`${left.join(', ')} is left in the spool`);
    } finally {
      await next.stop();
    }
    return this.complaints.length === before;
  }

  private async becomesIdle(recorder: Recorder, started: readonly Started[]): Promise<boolean> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const left = await readdir(join(recorder.dataDir, 'spool')).catch(() => []);
      const found = await recorder.published();
      if (left.length === 0 && found.length >= started.length) return true;
      if (performance.now() > until) return false;
      await sleep(50);
    }
  }
}

function powerCut(home: string, dice: Dice) {
  const hook = pathToFileURL(fileURLToPath(new URL('powerCut.mjs', import.meta.url))).href;
  return {
    environment: {
      NODE_OPTIONS: `--import ${hook}`,
      SIGHTLINE_TEST_DATA: join(home, 'data'),
      SIGHTLINE_TEST_SYNCS: String(Math.floor(dice.between(1, 22))),
    },
  };
}
