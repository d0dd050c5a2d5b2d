// One capture run: one ffmpeg process from its first frame to its last, written to the spool as it comes. It must
// never keep a byte that reaches us after an abort: what was received before it was grabbed before it, whatever
// any clock says, and that is the whole proof that a suspension leaks nothing.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { ErrorCode, Failure } from '../shared/errors.ts';
import { failure, toFailure } from '../shared/errors.ts';
import type { Fragment } from '../shared/fragments.ts';
import { FragmentSplitter } from '../shared/fragments.ts';
import type { GapReason } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import { LineReader, diagnose, parseStartTime } from './ffmpegOutput.ts';
import { isShortage, nothingLeft } from './spawnFfmpeg.ts';

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
  /** Where the last kept picture ends, or null when there never was one. */
  readonly endTime: Moment | null;
  readonly frames: number;
  readonly sizeBytes: number;
  /** null when the end was asked for. */
  readonly fault: Failure | null;
  readonly permanent: boolean;
  /** Capture worked until the system's clock was set: the next run begins at once, however often that happens. */
  readonly clockWasSet: boolean;
  readonly gapReason: GapReason;
}

export interface RunListener {
  /** The first frame is in the spool. */
  live(live: RunLive): void;
  /** Everything up to the moment asked for is in the spool. */
  flushed(until: Moment): void;
  /** The process is gone and the file is closed. Called exactly once, last. */
  ended(end: RunEnd): void;
}

export interface RunOptions {
  readonly spawn: () => ChildProcessWithoutNullStreams;
  readonly sink: RunSink;
  readonly clock: Clock;
  readonly frameMs: number;
  readonly listener: RunListener;
}

/** How long ffmpeg may take to end politely before it is killed. */
const STOP_DEADLINE_MS = 2000;
/** No frame for this long (the first one included) means that ffmpeg hangs: it is killed and started again. */
const STALL_MS = 8000;
/** How often it is asked whether the system's clock was set. After a step backwards no frame would ask, maybe for hours. */
const LOOK_AT_CLOCK_MS = 100;
/** After its exit, for what is still in its pipes. */
const CLOSE_DEADLINE_MS = 1000;
const KEPT_LINES = 40;

export class CaptureRun {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly splitter = new FragmentSplitter();
  private readonly lines: string[] = [];
  private readonly watchdog: NodeJS.Timeout;
  private readonly clockLook: NodeJS.Timeout;
  private readonly stepsBefore: number;
  private killTimer: NodeJS.Timeout | undefined;

  /** False from the abort on: nothing more is kept. */
  private accepting = true;
  /** What the gap after this run is called; null until its end is asked for. */
  private asked: GapReason | null = null;
  private stepped = false;
  private fault: { failure: Failure; permanent: boolean } | null = null;
  /** Frames from here on are not kept. */
  private dropFrom = Infinity;
  private flushTarget: Moment | null = null;

  private size = { timescale: 1, width: 0, height: 0 };
  private startWallMs: number | null = null;
  private first: { decodeTime: number; at: Moment } | null = null;
  /** Fragments that came before ffmpeg's start line was read (two pipes, no order between them). */
  private early: Fragment[] = [];
  private lastFrameAt: Moment | null = null;
  private frames = 0;
  /** What of them is in the spool. */
  private written: { frames: number; lastFrameAt: Moment | null } = { frames: 0, lastFrameAt: null };
  private writes: Promise<void> = Promise.resolve();
  private finished = false;

  /** @throws SightlineError what `spawn` throws; the sink is the caller's then */
  constructor(private readonly options: RunOptions) {
    this.process = options.spawn();
    this.stepsBefore = options.clock.steps;
    this.watchdog = setTimeout(() => this.stalled(), STALL_MS);
    this.clockLook = setInterval(() => this.clockWasSet(), LOOK_AT_CLOCK_MS);
    this.process.stdout.on('data', (chunk: Buffer) => this.receive(chunk));
    const reader = new LineReader();
    this.process.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => reader.push(text).forEach((line) => this.note(line)));
    // A dead ffmpeg closes its stdin under our "q"; its exit says all there is to say.
    this.process.stdin.on('error', () => undefined);
    this.process.on('error', (error) => {
      this.fault ??= isShortage(error)
        ? { failure: toFailure(nothingLeft(error)), permanent: false }
        : {
            failure: failure(
              'ENCODER_UNAVAILABLE',
              `ffmpeg cannot be started: ${error.message}. Check "ffmpegPath".`,
            ),
            permanent: true,
          };
      if (this.process.pid === undefined) void this.finish('not started');
    });
    // 'close' comes after the last byte of stdout, so a polite end loses nothing.
    this.process.on('close', (code, signal) => void this.finish(signal ?? `exit code ${String(code)}`));
    this.process.on('exit', (code, signal) => {
      const exit = signal ?? `exit code ${String(code)}`;
      if (!this.accepting) void this.finish(exit);
      // A program that ffmpeg's process has brought up may hold its pipes open for ever (seen on Windows' side of Wine).
      else setTimeout(() => void this.finish(exit), CLOSE_DEADLINE_MS).unref();
    });
  }

  /** Ends the run in this very moment: nothing that arrives from now on is kept, and the process is killed. */
  abort(at: Moment): void {
    this.accepting = false;
    this.asked = 'suspended';
    this.dropFrom = Math.min(this.dropFrom, at);
    this.kill();
  }

  /** Ends the run at `at`: what was grabbed before is awaited (for two seconds at most), later frames are dropped. */
  stop(at: Moment, reason: GapReason): void {
    this.asked ??= reason;
    this.dropFrom = Math.min(this.dropFrom, at);
    if (this.lastFrameAt !== null && this.lastFrameAt >= this.dropFrom) return this.kill();
    this.process.stdin.write('q\n');
    this.killTimer ??= setTimeout(() => this.kill(), STOP_DEADLINE_MS);
  }

  /** Asks for `flushed` once every frame before `until` is in the spool. */
  flushUntil(until: Moment): void {
    this.flushTarget = Math.max(this.flushTarget ?? -Infinity, until);
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
      // Frames come in order: whatever belongs to this run has arrived.
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
    if (this.flushTarget === null || this.lastFrameAt === null || this.lastFrameAt < this.flushTarget) return;
    const until = this.flushTarget;
    this.flushTarget = null;
    void this.writes.then(() => this.options.listener.flushed(until));
  }

  private note(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    if (this.startWallMs !== null) return;
    this.startWallMs = parseStartTime(line);
    if (this.startWallMs === null) return;
    const { early } = this;
    this.early = [];
    if (this.accepting) for (const fragment of early) this.keep(fragment);
  }

  /**
   * The grabbers stamp each frame with the wall clock (av_gettime): after a step the stamps are worth nothing, and
   * after one backwards ffmpeg drops every frame until the old time is reached again. A new run starts from the new time.
   */
  private clockWasSet(): boolean {
    if (this.options.clock.steps === this.stepsBefore) return false;
    this.stepped = true;
    this.fail(failure('CAPTURE_FAILED', "The system's clock was set. Capture is being started again."));
    return true;
  }

  private stalled(): void {
    this.fail(
      failure('CAPTURE_TIMEOUT', 'ffmpeg delivered no frame for too long. Capture is being started again.'),
    );
  }

  private fail(why: Failure): void {
    if (this.asked === null) this.fault ??= { failure: why, permanent: false };
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
    clearInterval(this.clockLook);
    clearTimeout(this.killTimer);
    this.accepting = false;
    this.process.stdout.destroy();
    const end = this.explainEnd(exit);
    let sizeBytes = 0;
    try {
      await this.writes;
      sizeBytes = await this.options.sink.close();
    } catch (error) {
      if (end.fault === null && this.asked === null) end.fault = toFailure(error, 'SPOOL_UNREADABLE');
    }
    const { lastFrameAt, frames } = this.written;
    this.options.listener.ended({
      endTime:
        lastFrameAt === null ? null : Math.min(Math.round(lastFrameAt + this.options.frameMs), this.dropFrom),
      frames,
      sizeBytes,
      clockWasSet: this.stepped && frames > 0,
      ...end,
    });
  }

  private explainEnd(exit: string): { fault: Failure | null; permanent: boolean; gapReason: GapReason } {
    if (this.asked !== null) return { fault: null, permanent: false, gapReason: this.asked };
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
