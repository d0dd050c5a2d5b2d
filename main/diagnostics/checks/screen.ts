// Whether the screen can be recorded: ffmpeg and its encoder, the monitors, and a test capture.

import type { DisplayLayout } from '../../capture/displays.ts';
import { ffmpegSpawner } from '../../capture/spawnFfmpeg.ts';
import { tryCapture, type MonitorTrial, type Trial } from '../../capture/trial.ts';
import type { Monitor } from '../../shared/names.ts';
import { failed, ok, orFailed, skipped, warning, type Finding } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { betweenContacts } from './quiet.ts';

/** Which ffmpeg and which of its encoders make the recordings. */
export function encoderCheck({ finder }: Pick<CheckContext, 'finder'>): Promise<Finding> {
  const remedy =
    'Nothing can be recorded without ffmpeg, the program that makes the video; it comes with Sightline. Install Sightline again, ' +
    'and if "ffmpegPath" or "encoder" is set in its policy, remove it.';
  return orFailed('', remedy, async () => {
    const { encoder, binary, warning: unusual } = await finder.find();
    const evidence = `${encoder} in ${binary.path} (ffmpeg ${binary.version})`;
    if (unusual === null) return ok(evidence);
    return warning(
      `${evidence}. ${unusual}`,
      'Recordings can be made. To use the encoder that Sightline is tested with, install Sightline again, and remove "encoder" and ' +
        '"ffmpegPath" from its policy if they are set.',
    );
  });
}

/** Which monitors are recorded, which are left out, and whether the recording is scaled down. */
export function displayCheck(context: Pick<CheckContext, 'displays' | 'policy'>): Promise<Finding> {
  return orFailed(
    '',
    'Start Sightline as the agent, in the session that the agent sees (not as a service, not over ssh). On Linux "display" in its policy may name the wrong one.',
    async () => judgeLayout(await context.displays.current(null), context.policy.maxMonitors),
  );
}

const MAX_MONITORS = 3;

/** @param layout null when no monitor is on */
export function judgeLayout(
  layout: Pick<DisplayLayout, 'monitors' | 'leftOut' | 'fit'> | null,
  maxMonitors: number,
): Finding {
  if (layout === null)
    return failed('no monitor is switched on', 'Switch a monitor on or plug one in, and run this again.');
  const { monitors, leftOut, fit } = layout;
  const size = !fit.scaled ? '' : `, scaled down to ${fit.canvas.width}x${fit.canvas.height}`;
  const evidence = `${listed(monitors)}${size}`;
  if (leftOut.length > 0)
    return warning(
      `${evidence}; not recorded: ${listed(leftOut)}`,
      maxMonitors < MAX_MONITORS
        ? `To record more of them raise "maxMonitors" in Sightline's policy: it is ${maxMonitors}, and can be ${MAX_MONITORS}.`
        : `At most ${MAX_MONITORS} monitors can be recorded: the primary one first, then from left to right and top to bottom. Have agents work on those.`,
    );
  if (!fit.scaled) return ok(evidence);
  return warning(
    evidence,
    'The monitors have more pixels than one video can have (9.4 million), so small text may blur. Lower "maxMonitors" in Sightline\'s policy, or set the monitors to a lower resolution.',
  );
}

function listed(monitors: readonly Monitor[]): string {
  return monitors.map(({ name, width, height }) => `${name} ${width}x${height}`).join(', ');
}

const BLACK_SHARE = 0.98;
/** A smaller share of the expected frames is too few. */
const ENOUGH = 0.6;
const HIGH_CPU = 0.5;

/**
 * A test capture of two seconds: whether frames arrive, whether they are black or do not change, and what capture costs. The frames
 * stay in memory and only their measurements leave capture/trial.ts.
 */
export function captureCheck(
  context: Pick<CheckContext, 'policy' | 'live' | 'finder' | 'displays' | 'log'>,
): Promise<Finding> {
  const { policy, finder, displays, log } = context;
  const remedy =
    'Do what the checks "ffmpeg and encoder" and "display" say. If both are fine, log off and on again; if that does not help, ' +
    'export the diagnostics and send them to support.';
  return betweenContacts(context, (signal) =>
    orFailed('', remedy, async () => {
      const { fps, quality } = policy;
      const trial = await tryCapture({ finder, displays, fps, quality, signal, spawn: ffmpegSpawner(log) });
      return trial === null ? skipped('cancelled') : judgeTrial(trial);
    }),
  );
}

export function judgeTrial(trial: Trial): Finding {
  const { monitors, cpuOfOneCore, encodedFrames, expectedFrames, isExposed } = trial;
  const cost = cpuOfOneCore === null ? '' : `; ${Math.round(cpuOfOneCore * 100)}% of one core`;
  const evidence = `${monitors.map(describe).join(', ')}; ${encodedFrames} frames encoded${cost}`;
  const shares = [...monitors.map((one) => one.frames / one.expectedFrames), encodedFrames / expectedFrames];
  if (shares.includes(0))
    return failed(
      evidence,
      'No frame arrives from the screen. Do what the check "display" says, and run this as the agent, in the session that the agent sees.',
    );
  if (monitors.some(isBlack))
    return warning(
      evidence,
      'Fine if that monitor is black. Otherwise something hides the screen from programs: update the graphics driver.',
    );
  if (isExposed)
    return warning(
      `${evidence}; other users of this computer can read the screen while it is recorded`,
      'If others can log on to this computer, record with the ffmpeg that comes with Sightline: remove "ffmpegPath" from its policy, ' +
        'or install Sightline again.',
    );
  if (Math.min(...shares) < ENOUGH)
    return warning(
      evidence,
      'Frames arrive too slowly: this computer is too busy. End programs that load it (the task manager shows them), and run this again.',
    );
  if (cpuOfOneCore !== null && cpuOfOneCore > HIGH_CPU)
    return warning(
      evidence,
      'Recording takes much of this computer. Lower "fps" or "maxMonitors" in Sightline\'s policy.',
    );
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
