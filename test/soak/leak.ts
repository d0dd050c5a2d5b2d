// The leak soak: cycles of suspend and resume with everything going wrong around them, while a picture that must never
// be recorded is shown as soon as it may be, and sooner. Judged by the pixels of all that is written (leakCheck.ts).
import { mkdir, mkdtemp, copyFile, readFile, writeFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDesk, type Desk, type MonitorSpec } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { Dice, ffmpegsOf } from './common.ts';
import {
  binaryIn,
  filesIn,
  framesOfSpoolFile,
  leakIn,
  seenIn,
  unexpectedFiles,
  writtenOutside,
  type Exposure,
  type HomeFile,
  type SeenFrame,
} from './leakCheck.ts';
import { faults, faultShares, type FaultName } from './leakFaults.ts';
import { makeSlowDisk, type SlowDisk } from './slowDisk.ts';

const FRAME_MS = 200;
const left: MonitorSpec = { x: 0, y: 0, width: 1280, height: 720 };
const right: MonitorSpec = { x: 1280, y: 0, width: 800, height: 600 };
const layouts: readonly (readonly (MonitorSpec | null)[])[] = [
  [left, right],
  [left, null],
  [
    { ...left, width: 1024, height: 768 },
    { ...right, x: 1024 },
  ],
];

export interface LeakOptions {
  readonly cycles: number;
  readonly cyclesPerRound: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
  /** Ends the soak after the cycle that is under way, and tidies up. */
  readonly signal?: AbortSignal;
}

export interface LeakResult {
  readonly cycles: number;
  readonly rounds: number;
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly hasSlowDisk: boolean;
  /** Cycles with the picture on the screen after the receipt of the suspend and before its acknowledgement. */
  readonly beforeAcknowledgement: number;
  readonly framesJudged: number;
  readonly spoolFilesJudged: number;
  readonly filesSearched: number;
  readonly maxClockErrorMs: number;
  /** From the request to its acknowledgement, sorted. */
  readonly acknowledgedMs: readonly number[];
  readonly complaints: readonly string[];
  /** Where the evidence of complaints is kept. */
  readonly evidence: string | null;
}

export async function soakLeak(options: LeakOptions): Promise<LeakResult> {
  const disk = await makeSlowDisk();
  const soak = new LeakSoak(options, disk, await startDesk({ monitors: [left, right], changeable: true }));
  try {
    return await soak.run();
  } finally {
    await soak.end();
  }
}

/** The contact that is suspended. */
type Holder = Readonly<Record<'contactId', string>>;

class LeakSoak {
  private readonly dice: Dice;
  private readonly counts = new Map<FaultName, number>();
  private readonly complaints: string[] = [];
  private readonly acknowledgedMs: number[] = [];
  private exposures: Exposure[] = [];
  private beforeAcknowledgement = 0;
  private framesJudged = 0;
  private spoolFilesJudged = 0;
  private filesSearched = 0;
  private maxClockErrorMs = 0;
  private cycles = 0;
  private rounds = 0;
  private evidence: string | null = null;
  private home = '';
  private started: Recorder | null = null;
  private page!: Page;
  /** Kept from one round to the next in the story of a complaint. */
  private story: string[] = [];

  constructor(
    private readonly options: LeakOptions,
    private readonly disk: SlowDisk | null,
    private readonly desk: Desk,
  ) {
    this.dice = new Dice(options.seed);
  }

  async run(): Promise<LeakResult> {
    const { cycles, cyclesPerRound, seed, onProgress } = this.options;
    this.home =
      this.disk === null ? await mkdtemp(join(tmpdir(), 'sightline-leak-')) : join(this.disk.folder, 'home');
    await mkdir(join(this.home, 'tmp'), { recursive: true });
    this.started = await startRecorder({
      display: this.desk.display,
      home: this.home,
      // The slow disk is smaller than what is to stay free of an agent's.
      flags: ['--spool-min-free-mib', '0'],
      environment: { TMPDIR: join(this.home, 'tmp') },
    });
    this.page = await this.recorder.connect();
    for (let done = 0; done < cycles;) {
      const count = Math.min(cyclesPerRound, cycles - done);
      await this.round(done, count);
      done += count;
      onProgress?.(`${done} of ${cycles} cycles, ${this.complaints.length} complaints`);
      if (this.complaints.length > 20 || this.options.signal?.aborted === true) break;
    }
    if (this.complaints.length > 0)
      await this.keep('complaints.txt', [`seed ${seed}`, ...this.complaints].join('\n'));
    return {
      ...{ cycles: this.cycles, rounds: this.rounds, faults: this.counts, hasSlowDisk: this.disk !== null },
      ...{ beforeAcknowledgement: this.beforeAcknowledgement, framesJudged: this.framesJudged },
      ...{ spoolFilesJudged: this.spoolFilesJudged, filesSearched: this.filesSearched },
      ...{ maxClockErrorMs: this.maxClockErrorMs, complaints: this.complaints, evidence: this.evidence },
      acknowledgedMs: this.acknowledgedMs.sort((a, b) => a - b),
    };
  }

  async end(): Promise<void> {
    await this.started?.stop().catch(() => undefined);
    await this.desk.stop();
    if (this.disk !== null) await this.disk.remove();
    else await rm(this.home, { recursive: true, force: true });
  }

  private get recorder(): Recorder {
    if (this.started === null) throw new Error('The recorder has not been started.');
    return this.started;
  }

  private async round(first: number, count: number): Promise<void> {
    this.rounds += 1;
    this.exposures = [];
    this.story = [];
    const contactId = `round-${this.rounds}`;
    await this.page.ask('contact.start', { contactId, channel: 'VOICE' });
    for (let index = 0; index < count && this.options.signal?.aborted !== true; index += 1) {
      await this.cycle(first + index, contactId);
      this.cycles += 1;
    }
    await sleep(400);
    await this.page.ask('contact.stop', { contactId });
    await this.page.event(contactId, 'PUBLISHED');
    await this.judgeRecordings();
  }

  private async cycle(cycle: number, contactId: string): Promise<void> {
    const { dice, desk } = this;
    const fault = dice.pick(faultShares(this.disk));
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    await desk.setPhase((cycle % 250) + 1);
    await sleep(dice.between(100, 700));
    const other = { contactId: `other-${cycle}` };
    const holder = fault === 'another contact holds it' ? other : { contactId };
    if (fault === 'another contact holds it')
      await this.page.ask('contact.start', { ...other, channel: 'CHAT' });
    if (fault === 'resumed just before') {
      await this.page.ask('contact.suspend', holder);
      // Not waited for: capture is on its way back when the next suspend comes.
      void this.page.request('contact.resume', holder);
      await sleep(dice.between(0, 400));
    }
    const undo =
      fault in faults
        ? await this.setOff(fault as keyof typeof faults)
        : (): Promise<undefined> => Promise.resolve(undefined);

    const sentAt = Date.now();
    const isHarsh = dice.next() < 0.5;
    const shownEarly = isHarsh ? sleep(dice.between(0, 15)).then(() => desk.showSensitive(true)) : null;
    const { suspendedAt } =
      fault === 'page gone' ? await this.suspendAndVanish(holder) : await this.suspend(holder);
    const acknowledgedAt = Date.now();
    if (fault !== 'page gone') this.acknowledgedMs.push(acknowledgedAt - sentAt);
    const shown = await (shownEarly ?? desk.showSensitive(true));
    const suspendedAtMs = Date.parse(suspendedAt);
    if (isHarsh && shown.paintedAtMs > suspendedAtMs && shown.paintedAtMs < acknowledgedAt)
      this.beforeAcknowledgement += 1;
    if (suspendedAtMs < sentAt || suspendedAtMs > acknowledgedAt)
      this.complaints.push(
        `cycle ${cycle}: received at ${suspendedAtMs}, between ${sentAt} and ${acknowledgedAt}?`,
      );
    const exposure: Exposure = { cycle, suspendedAtMs, cleanFromMs: Infinity };
    this.exposures.push(exposure);
    await this.checkNobodyGrabs(cycle);
    this.story.push(
      `${cycle}: ${fault}${isHarsh ? ', harsh' : ''}, sent ${sentAt}, received ${suspendedAtMs}, shown ${shown.paintedAtMs}`,
    );

    const before = await this.look(suspendedAtMs);
    await sleep(dice.between(30, 250));
    await undo();
    await this.lookAgain(before);
    await this.checkNobodyGrabs(cycle);
    exposure.cleanFromMs = (await desk.showSensitive(false)).paintedAtMs;
    const resumed = await this.page.request('contact.resume', holder);
    if (!resumed.ok)
      this.complaints.push(`cycle ${cycle} (${fault}): resume: ${JSON.stringify(resumed.error)}`);
    if (holder === other) await this.page.ask('contact.stop', other);
  }

  /** Not even into the void: whoever holds the screen's pixels might lose them. */
  private async checkNobodyGrabs(cycle: number): Promise<void> {
    for (const pid of await ffmpegsOf(this.recorder.pid)) {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (words.includes('x11grab'))
        this.complaints.push(`cycle ${cycle}: ffmpeg ${pid} grabs during the suspension`);
    }
  }

  private setOff(fault: keyof typeof faults): Promise<() => Promise<unknown>> {
    const { dice, desk, recorder, disk } = this;
    return faults[fault]({ dice, desk, recorder, disk, layouts });
  }

  private suspend(holder: Holder): Promise<{ suspendedAt: string }> {
    return this.page.ask<{ suspendedAt: string }>('contact.suspend', holder);
  }

  /** The page goes away with its request on the way; the next one asks again, which tells when the first was received. */
  private async suspendAndVanish(holder: Holder): Promise<{ suspendedAt: string }> {
    void this.page.request('contact.suspend', holder);
    if (this.dice.next() < 0.5) await sleep(this.dice.between(0, 10));
    this.page.socket.terminate();
    this.page = await this.recorder.connect();
    return this.suspend(holder);
  }

  /** The spool as it is at the acknowledgement. */
  private async look(suspendedAtMs: number): Promise<HomeFile[]> {
    const files = await filesIn(this.home);
    this.filesSearched += files.length;
    const videos = files.filter(({ path }) => path.includes('/spool/') && path.endsWith('.run'));
    // Those that can hold anything of this cycle.
    for (const { path } of videos.filter(({ changedMs }) => changedMs > suspendedAtMs - 1500))
      await this.judgeSpoolFile(path);
    for (const pid of [this.recorder.pid, ...(await ffmpegsOf(this.recorder.pid))]) {
      for (const path of await writtenOutside(pid, this.home))
        this.complaints.push(`${path} is being written to`);
    }
    return videos;
  }

  /** Nothing may have been added to any run since. */
  private async lookAgain(before: readonly HomeFile[]): Promise<void> {
    const files = await filesIn(this.home);
    const unknown = unexpectedFiles(this.home, files);
    if (unknown.length > 0) this.complaints.push(`nobody knows of ${unknown.join(', ')}`);
    for (const file of files.filter(({ path }) => path.includes('/spool/') && path.endsWith('.run'))) {
      const known = before.find(({ path }) => path === file.path);
      if (known === undefined || known.sizeBytes !== file.sizeBytes) await this.judgeSpoolFile(file.path);
    }
  }

  private async judgeSpoolFile(path: string): Promise<void> {
    const frames = await framesOfSpoolFile(path, this.home).catch((error: unknown) => {
      this.complaints.push(`${path} cannot be read: ${String(error).slice(0, 300)}`);
      return [];
    });
    this.spoolFilesJudged += 1;
    await this.judge(frames, path);
  }

  private async judgeRecordings(): Promise<void> {
    for (const { mp4, manifestPath, manifest } of await this.recorder.published()) {
      const frames = await decodeRecording(mp4, manifest);
      await this.judge(seenIn(mp4, frames), mp4);
      const { maxMs, worst } = recordingClock(frames, manifest);
      if (maxMs > FRAME_MS)
        await this.complain(`the clock of ${mp4} is off by ${JSON.stringify(worst)}`, mp4);
      if (Number.isFinite(maxMs)) this.maxClockErrorMs = Math.max(this.maxClockErrorMs, maxMs);
      const errors = await decodesCleanly(mp4);
      if (errors !== '') await this.complain(`${mp4} does not decode: ${errors}`, mp4);
      const { durationMs } = await probe(mp4);
      if (Math.abs(durationMs - manifest.durationMs) > FRAME_MS)
        await this.complain(`${mp4} is ${durationMs} ms long, not ${manifest.durationMs}`, mp4);
      await rm(mp4);
      await rm(manifestPath);
    }
    const texts = await binaryIn(await filesIn(this.home));
    this.complaints.push(...texts.map((path) => `${path} holds something that is not text`));
  }

  private async judge(frames: readonly SeenFrame[], file: string): Promise<void> {
    this.framesJudged += frames.length;
    for (const frame of frames) {
      const leak = leakIn(frame, this.exposures);
      if (leak !== null) {
        await this.complain(leak, file);
        return;
      }
    }
  }

  private async complain(words: string, file: string): Promise<void> {
    this.complaints.push(words);
    await this.keep(
      `${this.complaints.length}.txt`,
      [words, ...this.story, this.recorder.stderr().slice(-20_000)].join('\n'),
    );
    await copyFile(file, join(this.evidence ?? '', `${this.complaints.length}.mp4`)).catch(() => undefined);
  }

  private async keep(name: string, text: string): Promise<void> {
    this.evidence ??= await mkdtemp(join(tmpdir(), 'sightline-leak-evidence-'));
    await writeFile(join(this.evidence, name), `${text}\n`);
  }
}
