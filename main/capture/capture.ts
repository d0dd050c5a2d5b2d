// Capture as the session sees it: runs are started, aborted, stopped and flushed by their names. What a run needs is
// gathered here (ffmpeg, the display layout, a place in the spool); what becomes of it is reported through ports.

import type { ErrorCode } from '../shared/errors.ts';
import { SightlineError, toFailure } from '../shared/errors.ts';
import type { EncoderName, GapReason, Monitor, PlacedMonitor, Quality } from '../shared/names.ts';
import { withDeadline } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { Displays } from './displays.ts';
import type { FfmpegFinder } from './ffmpegBinary.ts';
import { captureArguments } from './ffmpegCommand.ts';
import type { Canvas } from './layout.ts';
import type { RunEnd, RunLive, RunSink } from './run.ts';
import { CaptureRun } from './run.ts';
import { EXPOSED, sharesFramesWithOthers } from './sharedFrames.ts';
import type { SpawnFfmpeg } from './spawnFfmpeg.ts';

export interface NewRun {
  readonly runId: string;
  readonly encoder: EncoderName;
  readonly fps: number;
  readonly monitors: readonly PlacedMonitor[];
  readonly leftOut: readonly Monitor[];
}

export interface CapturePorts {
  /** Creates the run's file in the spool; resolves when the journal has the entry. */
  readonly openRun: (run: NewRun) => Promise<RunSink>;
  readonly onSpawned: (runId: string, pid: number) => void;
  readonly onLive: (runId: string, live: RunLive) => void;
  readonly onFlushed: (runId: string, until: Moment) => void;
  readonly onBlack: (runId: string, from: Moment, to: Moment | null) => void;
  readonly onEnded: (runId: string, end: RunEnd) => void;
  /** Since `at` the runs show an outdated layout; `available`: whether there is any monitor. */
  readonly onDisplaysChanged: (change: { at: Moment; available: boolean }) => void;
}

export interface CaptureOptions {
  readonly finder: FfmpegFinder;
  readonly displays: Displays;
  readonly spawn: SpawnFfmpeg;
  readonly clock: Clock;
  /** Read for each run: policy may change. */
  readonly policy: { readonly fps: number; readonly quality: Quality };
  readonly ports: CapturePorts;
  readonly log: Logger;
}

/** A run, from the request to the end of its process. */
interface Slot {
  run: CaptureRun | null;
  cancelled: boolean;
}

/** After a fault the display is asked whether it changed, for no longer than this. */
const EXPLAIN_WITHIN_MS = 500;

export class Capture {
  private readonly slots = new Map<string, Slot>();
  private canvas: Canvas | null = null;
  /** Of the layout that the newest run was started for; null: no monitor was on. */
  private signature: string | null = '';
  private checking: { again: boolean } | null = null;
  private exposureReported = false;

  constructor(private readonly options: CaptureOptions) {
    options.displays.onChange(() => void this.checkDisplays());
  }

  start(runId: string): void {
    const slot: Slot = { run: null, cancelled: false };
    this.slots.set(runId, slot);
    void this.launch(runId, slot).catch((error: unknown) => {
      this.end(runId, {
        ...noFrames,
        fault: slot.cancelled ? null : toFailure(error, 'CAPTURE_FAILED'),
        permanent: isPermanent(error),
      });
    });
  }

  /** Immediately; see CaptureRun. */
  abort(runId: string, at: Moment): void {
    this.withSlot(runId, (slot) => {
      slot.cancelled = true;
      slot.run?.abort(at);
    });
  }

  /** @param reason of the gap after the run, if there is one */
  stop(runId: string, at: Moment, reason: GapReason): void {
    this.withSlot(runId, (slot) => {
      if (slot.run === null) slot.cancelled = true;
      else slot.run.stop(at, reason);
    });
  }

  flushUntil(runId: string, until: Moment): void {
    this.withSlot(runId, (slot) => slot.run?.flushUntil(until));
  }

  /** A recording that continues after a restart keeps its frame size. */
  keepCanvas(canvas: Canvas): void {
    this.canvas = canvas;
  }

  /** Nothing is recorded now: the next recording may have another frame size. */
  forgetCanvas(): void {
    this.canvas = null;
  }

  private async launch(runId: string, slot: Slot): Promise<void> {
    const { finder, displays, spawn, clock, policy, ports } = this.options;
    const { fps, quality } = policy;
    const asked = clock.now();
    const [{ binary, encoder }, layout] = await Promise.all([finder.find(), displays.current(this.canvas)]);
    this.signature = layout?.signature ?? null;
    if (layout === null) ports.onDisplaysChanged({ at: asked, available: false });
    if (layout === null || isCancelled(slot)) {
      this.end(runId, noFrames);
      return;
    }
    const { grab, composition, fit, monitors, leftOut, signature } = layout;
    const { isPatched } = binary;
    const sink = await ports.openRun({ runId, encoder, fps, monitors, leftOut });
    // A suspend may have arrived while the file was created: then nothing is started.
    if (isCancelled(slot)) {
      await sink.close();
      this.end(runId, noFrames);
      return;
    }
    const args = captureArguments({ grab, composition, fit, fps, encoder, quality, isPatched });
    let pid: number | undefined;
    try {
      slot.run = new CaptureRun({
        spawn: () => {
          const child = spawn(binary.path, args);
          pid = child.pid;
          if (pid !== undefined) ports.onSpawned(runId, pid);
          return child;
        },
        sink,
        clock,
        frameMs: 1000 / fps,
        isPatched,
        listener: {
          live: (live) => {
            this.canvas ??= { width: live.width, height: live.height };
            ports.onLive(runId, live);
            if (pid !== undefined) void this.reportExposure(pid, binary.path);
          },
          flushed: (until) => ports.onFlushed(runId, until),
          black: (from, to) => ports.onBlack(runId, from, to),
          ended: (end) => {
            if (end.fault === null || end.clockWasSet) this.end(runId, end);
            else void this.explainFault(end, signature).then((explained) => this.end(runId, explained));
          },
        },
      });
    } catch (error) {
      await sink.close();
      throw error;
    }
  }

  private async reportExposure(pid: number, ffmpegPath: string): Promise<void> {
    if (this.exposureReported || !(await sharesFramesWithOthers(pid))) return;
    this.exposureReported = true;
    this.options.log.warn(EXPOSED, { ffmpegPath });
  }

  /** A display change also ends the grabber, sometimes before the display reports the change. */
  private async explainFault(end: RunEnd, signature: string): Promise<RunEnd> {
    const late = new Error('the display does not answer');
    const layout = await withDeadline(
      this.options.displays.current(this.canvas),
      EXPLAIN_WITHIN_MS,
      () => late,
    ).catch((error: unknown) => (error === late ? late : null));
    if (layout instanceof Error || layout?.signature === signature) return end;
    const gapReason = layout === null ? 'display-unavailable' : 'display-changed';
    return { ...end, gapReason, permanent: end.permanent && layout === null };
  }

  /** Changes come in bursts, also while the layout is being read. */
  private async checkDisplays(): Promise<void> {
    if (this.checking !== null) {
      this.checking.again = true;
      return;
    }
    // Nothing is recorded: the next run reads the layout.
    if (this.slots.size === 0 && this.signature !== null) return;
    const checking = { again: false };
    this.checking = checking;
    const at = this.options.clock.now();
    try {
      const layout = await this.options.displays.current(this.canvas);
      const signature = layout?.signature ?? null;
      if (signature !== this.signature) {
        this.signature = signature;
        this.options.ports.onDisplaysChanged({ at, available: layout !== null });
      }
    } catch {
      // The display is gone. The next run detects its return.
      if (this.signature === null) this.options.ports.onDisplaysChanged({ at, available: true });
      this.signature = '';
    } finally {
      this.checking = null;
    }
    if (checking.again) await this.checkDisplays();
  }

  private end(runId: string, end: RunEnd): void {
    this.slots.delete(runId);
    this.options.ports.onEnded(runId, end);
  }

  private withSlot(runId: string, act: (slot: Slot) => void): void {
    const slot = this.slots.get(runId);
    if (slot !== undefined) act(slot);
  }
}

/** Checked again after each wait: an abort may have come in between. */
function isCancelled(slot: Slot): boolean {
  return slot.cancelled;
}

const noFrames: RunEnd = {
  ...{ endTime: null, frames: 0, sizeBytes: 0, gapReason: 'interrupted' },
  ...{ fault: null, permanent: false, clockWasSet: false },
};

/** On Windows every display comes back: its desktop is there as long as the session. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof SightlineError)) return false;
  const codes: readonly ErrorCode[] = ['ENCODER_UNAVAILABLE', 'WAYLAND_UNSUPPORTED'];
  return codes.includes(error.code) || (error.code === 'NO_DISPLAY' && process.platform !== 'win32');
}
