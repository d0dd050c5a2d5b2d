// Capture as the session sees it: runs are started, cut, stopped and covered by their names. What a run needs is
// gathered here (ffmpeg, the display layout, a place in the spool); what becomes of it is reported through ports.

import type { Failure } from '../shared/errors.ts';
import { SightlineError, toFailure } from '../shared/errors.ts';
import type { EncoderName, Monitor } from '../shared/names.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { Displays } from './displays.ts';
import type { FfmpegFinder } from './ffmpegBinary.ts';
import type { Canvas } from './ffmpegCommand.ts';
import { captureArguments } from './ffmpegCommand.ts';
import type { RunEnd, RunLive, RunSink } from './run.ts';
import { CaptureRun } from './run.ts';
import type { SpawnFfmpeg } from './spawnFfmpeg.ts';

export interface OpenedRun {
  readonly runId: string;
  readonly encoder: EncoderName;
  readonly fps: number;
  readonly monitors: readonly Monitor[];
}

export interface CapturePorts {
  /** Makes the run's file in the spool; resolves when the journal says so. */
  readonly openRun: (run: OpenedRun) => Promise<RunSink>;
  readonly onLive: (runId: string, live: RunLive) => void;
  readonly onCovered: (runId: string, until: Moment) => void;
  readonly onEnded: (runId: string, end: RunEnd) => void;
}

export interface CaptureOptions {
  readonly finder: FfmpegFinder;
  readonly displays: Displays;
  readonly spawn: SpawnFfmpeg;
  readonly clock: Clock;
  readonly fps: number;
  readonly ports: CapturePorts;
}

/** A run between its order and its process. */
interface Slot {
  run: CaptureRun | null;
  cancelled: boolean;
}

export class Capture {
  private readonly slots = new Map<string, Slot>();
  private canvas: Canvas | null = null;

  constructor(private readonly options: CaptureOptions) {}

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

  /** In this very moment; see CaptureRun. */
  cut(runId: string, at: Moment): void {
    this.withSlot(runId, (slot) => {
      slot.cancelled = true;
      slot.run?.cut(at);
    });
  }

  stop(runId: string, at: Moment): void {
    this.withSlot(runId, (slot) => {
      if (slot.run === null) slot.cancelled = true;
      else slot.run.stop(at);
    });
  }

  cover(runId: string, until: Moment): void {
    this.withSlot(runId, (slot) => slot.run?.cover(until));
  }

  /** Nothing is recorded any more: the next recording may have a picture of another size. */
  forgetCanvas(): void {
    this.canvas = null;
  }

  private async launch(runId: string, slot: Slot): Promise<void> {
    const { finder, displays, spawn, clock, fps, ports } = this.options;
    const [{ binary, encoder }, layout] = await Promise.all([finder.find(), displays.current()]);
    if (isCancelled(slot)) {
      this.end(runId, noFrames);
      return;
    }
    const sink = await ports.openRun({ runId, encoder, fps, monitors: layout.monitors });
    // A suspend may have come while the file was made: then nothing is started at all.
    if (isCancelled(slot)) {
      await sink.close();
      this.end(runId, noFrames);
      return;
    }
    const args = captureArguments({ grab: layout.grab, fps, encoder, canvas: this.canvas });
    slot.run = new CaptureRun({
      spawn: () => spawn(binary.path, args),
      sink,
      clock,
      frameMs: 1000 / fps,
      listener: {
        live: (live) => {
          this.canvas ??= { width: live.width, height: live.height };
          ports.onLive(runId, live);
        },
        covered: (until) => ports.onCovered(runId, until),
        ended: (end) => this.end(runId, end),
      },
    });
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

/** Asked anew after each wait: a cut may have come in between. */
function isCancelled(slot: Slot): boolean {
  return slot.cancelled;
}

const noFrames: RunEnd = {
  endTime: null,
  frames: 0,
  sizeBytes: 0,
  fault: null as Failure | null,
  permanent: false,
  gapReason: 'interrupted',
};

function isPermanent(error: unknown): boolean {
  return (
    error instanceof SightlineError && (error.code === 'ENCODER_UNAVAILABLE' || error.code === 'NO_DISPLAY')
  );
}
