// Which monitors are recorded, which are left out, and whether the recording is scaled down.

import type { DisplayLayout } from '../../capture/displays.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { Monitor } from '../../shared/names.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

const MAX_MONITORS = 3;

export function displayCheck({
  displays,
  policy: { maxMonitors },
}: Pick<CheckContext, 'displays' | 'policy'>): Check {
  return {
    name: 'display',
    run: async () => {
      try {
        return judgeLayout(await displays.current(null), maxMonitors);
      } catch (error) {
        return failed(
          errorMessage(error),
          'Start Sightline as the agent, in the session that the agent sees (not as a service, not over ssh). On Linux "display" in its policy may name the wrong one.',
        );
      }
    },
  };
}

/** @param layout null when no monitor is on; without monitors when the platform reports none */
export function judgeLayout(
  layout: Pick<DisplayLayout, 'monitors' | 'leftOut' | 'frame'> | null,
  maxMonitors: number,
): Finding {
  if (layout === null)
    return failed('no monitor is switched on', 'Switch a monitor on or plug one in, and run this again.');
  const { monitors, leftOut, frame } = layout;
  if (monitors.length === 0) return ok('the whole desktop');
  const fit = frame.kind === 'composed' && frame.fit.scaled ? frame.fit : null;
  const size = fit === null ? '' : `, scaled down to ${fit.canvas.width}x${fit.canvas.height}`;
  const evidence = `${listed(monitors)}${size}`;
  if (leftOut.length > 0) {
    return warning(
      `${evidence}; not recorded: ${listed(leftOut)}`,
      maxMonitors < MAX_MONITORS
        ? `To record more of them raise "maxMonitors" in Sightline's policy: it is ${maxMonitors}, and can be ${MAX_MONITORS}.`
        : `At most ${MAX_MONITORS} monitors can be recorded: the primary one first, then from left to right and top to bottom. Have agents work on those.`,
    );
  }
  if (fit === null) return ok(evidence);
  return warning(
    evidence,
    'The monitors have more pixels than one video can have (9.4 million), so small text may blur. Lower "maxMonitors" in Sightline\'s policy, or set the monitors to a lower resolution.',
  );
}

function listed(monitors: readonly Monitor[]): string {
  return monitors.map(({ name, width, height }) => `${name} ${width}x${height}`).join(', ');
}
