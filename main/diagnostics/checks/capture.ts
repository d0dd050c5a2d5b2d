// A test capture of two seconds: whether frames arrive, whether they are black or do not change, and what capture costs. The
// frames stay in memory and only their measurements leave capture/trial.ts.

import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { ffmpegSpawner } from '../../capture/spawnFfmpeg.ts';
import type { MonitorTrial, Trial } from '../../capture/trial.ts';
import { tryCapture } from '../../capture/trial.ts';
import { lockHolder } from '../../platform/instanceLock.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { recordingsReader } from '../context.ts';

const NOT_NOW = 'not run while recording';
const BLACK_SHARE = 0.98;
/** A smaller share of the expected frames is too few. */
const ENOUGH = 0.6;
const HIGH_CPU = 0.5;
/** A recording without an end event after this time was cut off. */
const LONGEST_RECORDING_MS = 24 * 3_600_000;

type CheckParts = Pick<CheckContext, 'policy' | 'live' | 'finder' | 'displays' | 'log'>;
type CaptureContext = CheckParts & { readonly recordings: ReturnType<typeof recordingsReader> };

export function captureCheck(parts: CheckParts): Check {
  const context = { ...parts, recordings: recordingsReader(parts.policy) };
  return {
    name: 'test capture',
    run: async () => {
      if (await isRecording(context)) return notNow(NOT_NOW);
      try {
        const trial = await capture(context);
        return trial === null ? notNow(`${NOT_NOW}: a contact began`) : judgeTrial(trial);
      } catch (error) {
        return failed(
          errorMessage(error),
          'Do what the checks "ffmpeg and encoder" and "display" say. If both are fine, log off and on again; if that does not help, ' +
            'export the diagnostics and send them to support.',
        );
      }
    },
  };
}

function notNow(evidence: string): Finding {
  return skipped(evidence, 'Run it again when no contact is active.');
}

/** @returns null when a contact began meanwhile */
async function capture(context: CaptureContext): Promise<Trial | null> {
  const { finder, displays, policy, log } = context;
  const beginning = new AbortController();
  const unwatch = onRecording(context, () => beginning.abort());
  try {
    return await tryCapture({
      ...{ finder, displays, fps: policy.fps, signal: beginning.signal },
      spawn: ffmpegSpawner(log),
    });
  } finally {
    unwatch();
  }
}

async function isRecording({ live, policy, recordings }: CaptureContext): Promise<boolean> {
  if (live !== null) return live.isRecording();
  if (lockHolder(policy.dataDir) === null) return false;
  const since = Date.now() - LONGEST_RECORDING_MS;
  return (await recordings()).some(({ status, time }) => status === 'INITIATED' && Date.parse(time) > since);
}

/** @returns unsubscribe */
function onRecording(context: CaptureContext, begun: () => void): () => void {
  const look = (): void => void isRecording(context).then((on) => (on ? begun() : undefined));
  if (context.live !== null) return context.live.onChange(look);
  try {
    // The folder, because the file may not exist yet.
    const watcher = watch(dirname(context.policy.statusEventsFile), look).on('error', () => undefined);
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

export function judgeTrial(trial: Trial): Finding {
  const { monitors, cpuOfOneCore, encodedFrames, expectedFrames, isExposed } = trial;
  const cost = cpuOfOneCore === null ? '' : `; ${Math.round(cpuOfOneCore * 100)}% of one core`;
  const evidence = `${monitors.map(describe).join(', ')}; ${encodedFrames} of ${expectedFrames} frames encoded${cost}`;
  const fewest = Math.min(
    ...monitors.map((one) => one.frames / one.expectedFrames),
    encodedFrames / expectedFrames,
  );
  if (encodedFrames === 0 || monitors.some((one) => one.frames === 0)) {
    return failed(
      evidence,
      'No frame arrives from the screen. Do what the check "display" says, and run this as the agent, in the session that the agent sees.',
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
      'If others can log on to this computer, record with the ffmpeg that comes with Sightline: remove "ffmpegPath" from its policy, ' +
        'or install Sightline again.',
    );
  }
  if (fewest < ENOUGH) {
    return warning(
      evidence,
      'Frames arrive too slowly: this computer is too busy. End programs that load it (the task manager shows them), and run this again.',
    );
  }
  if (cpuOfOneCore !== null && cpuOfOneCore > HIGH_CPU) {
    return warning(
      evidence,
      'Recording takes much of this computer. Lower "fps" or "maxMonitors" in Sightline\'s policy.',
    );
  }
  const hint =
    'If something moved on a monitor reported as still, its image is frozen: log off and on again.';
  return ok(evidence, monitors.some(isStill) ? hint : '');
}

function describe(measure: MonitorTrial): string {
  const { name, frames, expectedFrames, changes } = measure;
  const count = `${frames} of ${expectedFrames} frames`;
  const looks = isBlack(measure) ? 'black, ' : '';
  if (isStill(measure)) return `${name} ${looks}still (not one pixel changed in ${count})`;
  return `${name} ${looks}alive (${count}, ${changes} with changes)`;
}

function isBlack({ darkShare }: MonitorTrial): boolean {
  return darkShare >= BLACK_SHARE;
}

/** Also true of an idle desktop, so not a fault in itself. */
function isStill({ frames, changes }: MonitorTrial): boolean {
  return frames > 1 && changes === 0;
}
