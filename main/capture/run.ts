// One capture run: one ffmpeg process from its first frame to its last, written to the spool as it comes. It must never keep
// a byte that arrives after an abort: what was received before the abort was grabbed before it, independent of any clock.
// That is the proof that a suspension leaks nothing.
//
// Our ffmpeg delivers a frame when the screen has changed, and otherwise one a second. Each frame is shown until the next one. A
// stop or a flush requests a frame instead of waiting for it.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { ErrorCode, Failure } from '../shared/errors.ts';
import { failure, toFailure } from '../shared/errors.ts';
import type { Fragment } from '../media/fragments.ts';
import { FragmentSplitter } from '../media/fragments.ts';
import type { GapReason } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { LineReader, diagnose, parseBlack, parseStartTime } from './ffmpegOutput.ts';
import { isShortage, shortageError } from './spawnFfmpeg.ts';

/** Where a run's bytes go (the spool's RunWriter). */
export interface RunSink {
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<number>;
}

export interface RunLive {
  readonly firstFrameAt: Moment;
  readonly width: number;
  readonly height: number;
}

export interface RunEnd {
  /** Where the last kept frame ends; null: there was none. */
  readonly endTime: Moment | null;
  readonly frames: number;
  readonly sizeBytes: number;
  /** null when the end was requested. */
  readonly fault: Failure | null;
  readonly permanent: boolean;
  /** Capture worked until the system's clock was set: the next run starts immediately, every time. */
  readonly clockWasSet: boolean;
  readonly gapReason: GapReason;
}

export interface RunListener {
  /** The first frame is in the spool. */
  live(live: RunLive): void;
  /** Everything up to `until` is in the spool. */
  flushed(until: Moment): void;
  /** The screen is entirely black since `from`, or was until `to`. */
  black(from: Moment, to: Moment | null): void;
  /** The process has exited and the file is closed. Called exactly once, last. */
  ended(end: RunEnd): void;
}

export interface RunOptions {
  readonly spawn: () => ChildProcessWithoutNullStreams;
  readonly sink: RunSink;
  readonly clock: Clock;
  readonly frameMs: number;
  /** Whether ffmpeg has our patches: it leaves out frames without a change, and reads requests from stdin. */
  readonly isPatched: boolean;
  readonly listener: RunListener;
}

/** The longest time between two frames of an unchanged screen (resources/ffmpeg/patches/grab-changes.patch). */
const STILL_MS = 1000;
/** Our ffmpeg grabs and delivers a frame for each byte. */
const ONE_FRAME = 'f';

/** How long ffmpeg may take to exit after "q" before it is killed. */
const STOP_DEADLINE_MS = 2000;
/** Without a frame for this long (the first one included) ffmpeg hangs: it is killed and restarted. */
const STALL_MS = 8000;
/**
 * How often the system's clock is checked for steps. After a step backwards there are no frames, maybe for hours. Our ffmpeg
 * notices a step and ends.
 */
const CLOCK_CHECK_MS = 100;
/** After its exit, for data in its pipes. */
const CLOSE_DEADLINE_MS = 1000;
const KEPT_LINES = 40;

export class CaptureRun {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly splitter = new FragmentSplitter();
  private readonly lines: string[] = [];
  private readonly watchdog: NodeJS.Timeout;
  private readonly clockCheck: NodeJS.Timeout | undefined;
  private readonly stepsBefore: number;
  private killTimer: NodeJS.Timeout | undefined;

  /** False after an abort or a fault: nothing more is kept. */
  private accepting = true;
  /** Reason of the gap after this run; null until its end is requested. */
  private requested: GapReason | null = null;
  private stepped = false;
  private fault: { failure: Failure; permanent: boolean } | null = null;
  /** Frames from here on are not kept. */
  private dropFrom = Infinity;
  private flushTarget: Moment | null = null;

  private size = { timescale: 1, width: 0, height: 0 };
  private startWallMs: number | null = null;
  private first: { decodeTime: number; at: Moment } | null = null;
  /** Fragments that came before ffmpeg's start line (two pipes have no common order). */
  private early: Fragment[] = [];
  private blackSince: Moment | null = null;
  private lastFrameAt: Moment | null = null;
  private frames = 0;
  /** A frame from after the requested end has arrived, so the last kept frame is valid up to that end. */
  private isComplete = false;
  /** Of these, what is in the spool. */
  private written: { frames: number; lastFrameAt: Moment | null } = { frames: 0, lastFrameAt: null };
  private writes: Promise<void> = Promise.resolve();
  private finished = false;

  /** @throws SightlineError as `spawn` does; the caller closes the sink then */
  constructor(private readonly options: RunOptions) {
    this.process = options.spawn();
    this.stepsBefore = options.clock.steps;
    this.watchdog = setTimeout(() => this.stalled(), STALL_MS);
    if (!options.isPatched) this.clockCheck = setInterval(() => this.clockWasSet(), CLOCK_CHECK_MS);
    this.process.stdout.on('data', (chunk: Buffer) => this.receive(chunk));
    const reader = new LineReader();
    this.process.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => reader.push(text).forEach((line) => this.note(line)));
    // ffmpeg may exit before it reads our "q"; its exit code reports the cause.
    this.process.stdin.on('error', () => undefined);
    this.process.on('error', (error) => {
      this.fault ??= isShortage(error)
        ? { failure: toFailure(shortageError(error)), permanent: false }
        : {
            failure: failure(
              'ENCODER_UNAVAILABLE',
              `ffmpeg cannot be started: ${error.message}. Check "ffmpegPath".`,
            ),
            permanent: true,
          };
      if (this.process.pid === undefined) void this.finish('not started');
    });
    // 'close' comes after the last byte of stdout, so an orderly end loses nothing.
    this.process.on('close', (code, signal) => void this.finish(signal ?? `exit code ${String(code)}`));
    this.process.on('exit', (code, signal) => {
      const exit = signal ?? `exit code ${String(code)}`;
      if (!this.accepting) void this.finish(exit);
      // A child of ffmpeg may keep its pipes open forever (seen under Wine).
      else setTimeout(() => void this.finish(exit), CLOSE_DEADLINE_MS).unref();
    });
  }

  /** Ends the run immediately: nothing that arrives from now on is kept, and the process is killed. */
  abort(at: Moment): void {
    this.accepting = false;
    this.requested = 'suspended';
    this.dropFrom = Math.min(this.dropFrom, at);
    this.kill();
  }

  /** Ends the run at `at`: waits for frames from before (two seconds at most) and drops later ones. */
  stop(at: Moment, reason: GapReason): void {
    this.requested ??= reason;
    this.dropFrom = Math.min(this.dropFrom, at);
    if (this.lastFrameAt !== null && this.lastFrameAt >= this.dropFrom) return this.kill();
    this.process.stdin.write(this.options.isPatched ? ONE_FRAME : 'q\n');
    this.killTimer ??= setTimeout(() => this.kill(), STOP_DEADLINE_MS);
  }

  /** Requests `flushed` when every frame before `until` is in the spool. */
  flushUntil(until: Moment): void {
    this.flushTarget = Math.max(this.flushTarget ?? -Infinity, until);
    const isDue = this.lastFrameAt === null || this.lastFrameAt < until;
    if (isDue && this.options.isPatched) this.process.stdin.write(ONE_FRAME);
    this.reportFlushed();
  }

  private receive(chunk: Buffer): void {
    if (!this.accepting) return;
    try {
      for (const part of this.splitter.push(chunk)) {
        if (part.kind === 'initialisation') {
          this.size = part.segment;
          this.write(part.segment.bytes);
        } else {
          this.keep(part.fragment);
        }
      }
    } catch (error) {
      this.fail(toFailure(error, 'CAPTURE_FAILED'));
    }
  }

  private keep(fragment: Fragment): void {
    this.watchdog.refresh();
    if (this.clockWasSet()) return;
    if (this.startWallMs === null) {
      this.early.push(fragment);
      return;
    }
    this.first ??= { decodeTime: fragment.decodeTime, at: this.options.clock.fromWall(this.startWallMs) };
    const at = this.first.at + ((fragment.decodeTime - this.first.decodeTime) / this.size.timescale) * 1000;
    if (at >= this.dropFrom) {
      // Frames come in order: all frames of this run have arrived.
      this.isComplete = true;
      this.kill();
      return;
    }
    const isFirst = this.frames === 0;
    this.frames += 1;
    this.lastFrameAt = at;
    this.write(fragment.bytes, () => {
      this.written = { frames: this.written.frames + 1, lastFrameAt: at };
      if (isFirst && this.accepting) this.reportLive(at);
    });
    this.reportFlushed();
  }

  private write(bytes: Uint8Array, then?: () => void): void {
    this.writes = this.options.sink.append(bytes).then(
      () => then?.(),
      (error: unknown) => this.fail(toFailure(error, 'SPOOL_UNREADABLE')),
    );
  }

  private reportLive(firstFrameAt: Moment): void {
    const { width, height } = this.size;
    this.options.listener.live({ firstFrameAt, width, height });
  }

  private reportFlushed(): void {
    const until = this.flushTarget;
    if (until === null || this.lastFrameAt === null || this.lastFrameAt < until) return;
    this.flushTarget = null;
    void this.writes.then(() => this.options.listener.flushed(until));
  }

  private note(line: string): void {
    if (this.noteBlack(line)) return;
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    if (this.startWallMs !== null) return;
    this.startWallMs = parseStartTime(line);
    if (this.startWallMs === null) return;
    const { early } = this;
    this.early = [];
    if (this.accepting) for (const fragment of early) this.keep(fragment);
  }

  private noteBlack(line: string): boolean {
    const found = parseBlack(line);
    if (found === null) return false;
    if (!this.accepting || this.first === null || this.startWallMs === null) return true;
    const at = Math.round(this.first.at + found.wallMs - this.startWallMs);
    if (found.isBlack) this.blackSince = at;
    if (this.blackSince !== null) this.options.listener.black(this.blackSince, found.isBlack ? null : at);
    return true;
  }

  /**
   * The grabbers stamp each frame with the wall clock (av_gettime): after a step the stamps are wrong, and after a step
   * backwards ffmpeg drops every frame until the old time is reached again. A new run starts from the new time.
   */
  private clockWasSet(): boolean {
    if (this.options.clock.steps === this.stepsBefore) return false;
    this.stepped = true;
    this.fail(failure('CAPTURE_FAILED', "The system's clock was set. Capture restarts automatically."));
    return true;
  }

  private stalled(): void {
    this.fail(
      failure('CAPTURE_TIMEOUT', 'ffmpeg produced no frame for too long. Capture restarts automatically.'),
    );
  }

  private fail(why: Failure): void {
    if (this.requested === null) this.fault ??= { failure: why, permanent: false };
    this.accepting = false;
    this.kill();
  }

  private kill(): void {
    this.process.kill('SIGKILL');
  }

  private async finish(exit: string): Promise<void> {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.watchdog);
    clearInterval(this.clockCheck);
    clearTimeout(this.killTimer);
    this.accepting = false;
    this.process.stdout.destroy();
    // Our ffmpeg ends when the clock is set.
    if (this.requested === null) this.clockWasSet();
    const end = this.explainEnd(exit);
    let sizeBytes = 0;
    try {
      await this.writes;
      sizeBytes = await this.options.sink.close();
    } catch (error) {
      if (end.fault === null && this.requested === null) end.fault = toFailure(error, 'SPOOL_UNREADABLE');
    }
    const { lastFrameAt, frames } = this.written;
    this.options.listener.ended({
      endTime: lastFrameAt === null ? null : this.standsUntil(lastFrameAt),
      frames,
      sizeBytes,
      clockWasSet: this.stepped && frames > 0,
      ...end,
    });
  }

  /** Where the last frame ends. After a fault a change may have been missed, so it counts for one interval only. */
  private standsUntil(lastFrameAt: Moment): Moment {
    const { frameMs, isPatched } = this.options;
    if (this.isComplete) return this.dropFrom;
    const stillMs = isPatched && this.requested !== null ? STILL_MS : 0;
    return Math.min(Math.round(lastFrameAt + stillMs + frameMs), this.dropFrom);
  }

  private explainEnd(exit: string): { fault: Failure | null; permanent: boolean; gapReason: GapReason } {
    if (this.requested !== null) return { fault: null, permanent: false, gapReason: this.requested };
    const known = this.fault;
    if (known !== null)
      return { fault: known.failure, permanent: known.permanent, gapReason: gapReasonOf(known.failure.code) };
    const { code, message, permanent } = diagnose(exit, this.lines);
    return { fault: failure(code, message), permanent, gapReason: gapReasonOf(code) };
  }
}

function gapReasonOf(code: ErrorCode): GapReason {
  if (code === 'NO_DISPLAY') return 'display-unavailable';
  return code === 'SPOOL_FULL' ? 'spool-full' : 'interrupted';
}
