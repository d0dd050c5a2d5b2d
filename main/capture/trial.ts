// A capture of two seconds for the health check: what the grabber returns for each monitor, and how much CPU the recorder's
// own command uses. Frames are analysed in memory and discarded; nothing of them is stored.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { SightlineError } from '../shared/errors.ts';
import { FragmentSplitter } from '../media/fragments.ts';
import type { Rect } from '../shared/names.ts';
import type { DisplayLayout, Displays } from './displays.ts';
import type { Quality } from '../shared/names.ts';
import type { FfmpegFinder } from './ffmpegBinary.ts';
import type { Grab } from './ffmpegCommand.ts';
import { captureArguments, trialArguments } from './ffmpegCommand.ts';
import { sharesFramesWithOthers } from './sharedFrames.ts';
import type { SpawnFfmpeg } from './spawnFfmpeg.ts';
import { lastLine, runToEnd } from './spawnFfmpeg.ts';

export interface TrialOptions {
  readonly finder: Pick<FfmpegFinder, 'find'>;
  readonly displays: Displays;
  readonly spawn: SpawnFfmpeg;
  readonly fps: number;
  readonly quality: Quality;
  /** Aborted when a contact begins: both captures end immediately. */
  readonly signal: AbortSignal;
}

export interface MonitorTrial {
  readonly name: string;
  readonly frames: number;
  readonly expectedFrames: number;
  readonly darkShare: number;
  readonly changes: number;
}

export interface Trial {
  readonly monitors: readonly MonitorTrial[];
  readonly cpuOfOneCore: number | null;
  readonly encodedFrames: number;
  readonly expectedFrames: number;
  /** Whether other local users could read the frames meanwhile. */
  readonly isExposed: boolean;
}

const SECONDS = 2;
const DEADLINE_MS = 15_000;
/** Small enough to check every pixel, large enough to notice a clock's changed digit. */
const LOOK = { width: 640, height: 360 };
/** Luma; above the black of either range. */
const DARK = 32;

/** @returns null when the signal ended it @throws SightlineError ENCODER_UNAVAILABLE, NO_DISPLAY, CAPTURE_FAILED */
export async function tryCapture(options: TrialOptions): Promise<Trial | null> {
  const { finder, displays, spawn, fps, quality, signal } = options;
  const { binary, encoder } = await finder.find();
  const layout = await displays.current(null);
  if (layout === null) throw new SightlineError('NO_DISPLAY', 'No monitor is switched on.');
  const grabbedFrames = SECONDS * fps;
  const monitors = await Promise.all(
    grabsOf(layout).map(async ({ name, grab }) => {
      const looker = new Looker();
      const args = trialArguments({ grab, fps, seconds: SECONDS, ...LOOK });
      await run(spawn(binary.path, args), (chunk) => looker.push(chunk), signal);
      return { name, expectedFrames: grabbedFrames, ...looker.result };
    }),
  );
  // After the others, so that they do not distort its CPU usage.
  const splitter = new FragmentSplitter();
  let encodedFrames = 0;
  let isExposed = false;
  const { grab, composition, fit } = layout;
  const { isPatched } = binary;
  const command = captureArguments({ grab, composition, fit, fps, encoder, quality, isPatched });
  const args = ['-benchmark', ...command.slice(0, -1), '-t', String(SECONDS), ...command.slice(-1)];
  if (signal.aborted) return null;
  const child = spawn(binary.path, args);
  // While it grabs: the segments disappear with the process.
  child.stdout.once('data', () => {
    void sharesFramesWithOthers(child.pid ?? 0).then((found) => (isExposed = found));
  });
  const stderr = await run(
    child,
    (chunk) => {
      encodedFrames += splitter.push(chunk).filter(({ kind }) => kind === 'fragment').length;
    },
    signal,
  );
  if (isAborted(signal)) return null;
  // Ours delivers one frame a second of a screen that rests.
  const expectedFrames = isPatched ? SECONDS : grabbedFrames;
  return { monitors, cpuOfOneCore: cpuIn(stderr), encodedFrames, expectedFrames, isExposed };
}

/** Checked again after the wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function grabsOf({ grab, monitors }: DisplayLayout): { name: string; grab: Grab }[] {
  return monitors.map(({ name, x, y, width, height }) => {
    const area: Rect = { x, y, width, height };
    return { name, grab: { ...grab, area } };
  });
}

/** Small grey frames as they come: how dark each is, and whether it differs from the last. */
class Looker {
  private readonly frame = Buffer.alloc(LOOK.width * LOOK.height);
  private filled = 0;
  private frames = 0;
  private changes = 0;
  private darkShare = 1;
  private last: string | null = null;

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength;) {
      const copied = chunk.copy(this.frame, this.filled, at);
      at += copied;
      this.filled += copied;
      if (this.filled === this.frame.byteLength) this.look();
    }
  }

  get result(): { frames: number; changes: number; darkShare: number } {
    return { frames: this.frames, changes: this.changes, darkShare: this.frames === 0 ? 0 : this.darkShare };
  }

  private look(): void {
    const dark = this.frame.reduce((count, luma) => count + (luma <= DARK ? 1 : 0), 0);
    const hash = createHash('sha256').update(this.frame).digest('hex');
    if (this.last !== null && this.last !== hash) this.changes += 1;
    this.last = hash;
    this.darkShare = Math.min(this.darkShare, dark / this.frame.byteLength);
    this.frames += 1;
    this.filled = 0;
    this.frame.fill(0);
  }
}

/** @returns ffmpeg's stderr */
async function run(
  child: ChildProcessWithoutNullStreams,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<string> {
  const { code, stderr } = await runToEnd(child, { input: 'open', take, deadlineMs: DEADLINE_MS, signal });
  if (code === 0 || signal.aborted) return stderr;
  throw new SightlineError('CAPTURE_FAILED', `The test capture failed: ${lastLine(stderr)}`);
}

/** `bench: utime=0.250s stime=0.030s rtime=2.100s` (ffmpeg's -benchmark) */
export function cpuIn(stderr: string): number | null {
  const match = /^bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/m.exec(stderr);
  if (match === null) return null;
  const [user = 0, system = 0, real = 0] = match.slice(1).map(Number);
  return real > 0 ? (user + system) / real : null;
}
