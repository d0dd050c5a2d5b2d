// A test capture of two seconds: whether pictures come, whether they are black or stand still, and what it costs. The
// measures come without pixels: frames are looked at in memory and thrown away by whoever measures.

import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning, wordsOf } from '../check.ts';

export interface MonitorMeasure {
  readonly name: string;
  readonly frames: number;
  readonly expectedFrames: number;
  /** Part of the picture that is as good as black, 0 to 1; the least of all frames. */
  readonly darkShare: number;
  /** Frames that differ from the one before. */
  readonly changes: number;
}

export interface CaptureMeasure {
  readonly monitors: readonly MonitorMeasure[];
  /** Of the recorder's own command over all monitors: its CPU time as part of one core; null: ffmpeg did not say. */
  readonly cpuOfOneCore: number | null;
  /** Frames that came out of the encoder, and how many should have. */
  readonly encodedFrames: number;
  readonly expectedFrames: number;
  /** Whether other local users could read the pictures meanwhile. */
  readonly isExposed: boolean;
}

export interface CaptureSubject {
  /** Whether a contact is being recorded or suspended. */
  readonly isRecording: () => Promise<boolean>;
  /** null: given up, because a contact began. @throws when nothing can be captured */
  readonly measure: () => Promise<CaptureMeasure | null>;
}

const NOT_NOW = 'not run while recording';
const BLACK_SHARE = 0.98;
/** Fewer than so many of the frames that should have come are too few. */
const ENOUGH = 0.6;
const MUCH_OF_ONE_CORE = 0.5;

export function captureCheck({ isRecording, measure }: CaptureSubject): Check {
  return {
    name: 'test capture',
    run: async () => {
      if (await isRecording()) return skipped(NOT_NOW, 'Run it again when no contact is on.');
      try {
        const measured = await measure();
        return measured === null
          ? skipped(`${NOT_NOW}: a contact began`, 'Run it again when no contact is on.')
          : judge(measured);
      } catch (error) {
        return failed(
          wordsOf(error),
          'Do what the checks "ffmpeg and encoder" and "display" say. If both are fine, log off and on again; if that does not help, ' +
            'export the diagnostics and send them to support.',
        );
      }
    },
  };
}

function judge({
  monitors,
  cpuOfOneCore,
  encodedFrames,
  expectedFrames,
  isExposed,
}: CaptureMeasure): Finding {
  const cost = cpuOfOneCore === null ? '' : `; ${Math.round(cpuOfOneCore * 100)}% of one core`;
  const evidence = `${monitors.map(describe).join(', ')}; ${encodedFrames} of ${expectedFrames} frames encoded${cost}`;
  const fewest = Math.min(
    ...monitors.map((one) => one.frames / one.expectedFrames),
    encodedFrames / expectedFrames,
  );
  if (encodedFrames === 0 || monitors.some((one) => one.frames === 0)) {
    return failed(
      evidence,
      'No picture comes from the screen. Do what the check "display" says, and run this as the agent, in the session that the agent sees.',
    );
  }
  if (monitors.some(isBlack)) {
    return warning(
      evidence,
      'Fine if that monitor is black. Otherwise something hides the screen from programs: allow screen recording ' +
        '(macOS: Privacy & Security), log on to an X11 session instead of Wayland, update the graphics driver.',
    );
  }
  if (isExposed) {
    return warning(
      `${evidence}; other users of this computer can read the screen while it is recorded`,
      'If others can log on to this computer, record with the ffmpeg that comes with Sightline: take "ffmpegPath" out of its policy, ' +
        'or install Sightline again.',
    );
  }
  if (fewest < ENOUGH) {
    return warning(
      evidence,
      'Pictures come too late: this computer is too busy. End programs that load it (the task manager shows them), and run this again.',
    );
  }
  if (cpuOfOneCore !== null && cpuOfOneCore > MUCH_OF_ONE_CORE) {
    return warning(
      evidence,
      'Recording takes much of this computer. Lower "fps" or "maxMonitors" in Sightline\'s policy.',
    );
  }
  const hint =
    'If something moved on a monitor that is called still, its picture is frozen: log off and on again.';
  return ok(evidence, monitors.some(isStill) ? hint : '');
}

function describe(measure: MonitorMeasure): string {
  const { name, frames, expectedFrames, changes } = measure;
  const count = `${frames} of ${expectedFrames} frames`;
  const looks = isBlack(measure) ? 'black, ' : '';
  if (isStill(measure)) return `${name} ${looks}still (not one pixel changed in ${count})`;
  return `${name} ${looks}alive (${count}, ${changes} with changes)`;
}

function isBlack({ darkShare }: MonitorMeasure): boolean {
  return darkShare >= BLACK_SHARE;
}

/** A desktop on which nothing happens looks so, too: that alone is no fault. */
function isStill({ frames, changes }: MonitorMeasure): boolean {
  return frames > 1 && changes === 0;
}
