// Which monitors are recorded, which are left out, and whether their picture has to be made smaller.

import type { Monitor } from '../../shared/names.ts';
import type { Check } from '../check.ts';
import { failed, ok, warning, wordsOf } from '../check.ts';

export interface Desk {
  /** Empty where only a windowed program is told of them. */
  readonly monitors: readonly Monitor[];
  readonly leftOut: readonly Monitor[];
  /** The size of the recording's picture; null when the grabber decides it. */
  readonly picture: { readonly width: number; readonly height: number; readonly scaled: boolean } | null;
}

export interface DisplaySubject {
  readonly maxMonitors: number;
  /** null: the display is there, and no monitor is on. @throws when the display cannot be reached */
  readonly read: () => Promise<Desk | null>;
}

export function displayCheck({ maxMonitors, read }: DisplaySubject): Check {
  return {
    name: 'display',
    run: async () => {
      const desk = await read().catch((error: unknown) => wordsOf(error));
      if (typeof desk === 'string') {
        return failed(
          desk,
          'Start Sightline as the agent, in the session that the agent sees (not as a service, not over ssh). On Linux "display" in its policy may name the wrong one.',
        );
      }
      if (desk === null)
        return failed('no monitor is switched on', 'Switch a monitor on or plug one in, and run this again.');
      if (desk.monitors.length === 0) return ok('the whole desktop');
      const { picture } = desk;
      const inPicture =
        picture?.scaled === true ? `, made smaller to ${picture.width}x${picture.height}` : '';
      const evidence = `${listed(desk.monitors)}${inPicture}`;
      if (desk.leftOut.length > 0) {
        return warning(
          `${evidence}; not recorded: ${listed(desk.leftOut)}`,
          maxMonitors < 3
            ? `To record more of them raise "maxMonitors" in Sightline's policy: it is ${maxMonitors}, and can be 3.`
            : 'At most 3 monitors can be recorded: the main one first, then from left to right and top to bottom. Have agents work on those.',
        );
      }
      if (picture?.scaled === true) {
        return warning(
          evidence,
          'The monitors have more pixels than one video can have (9.4 million), so that small text may blur. Lower "maxMonitors" in Sightline\'s policy, or set the monitors to a lower resolution.',
        );
      }
      return ok(evidence);
    },
  };
}

function listed(monitors: readonly Monitor[]): string {
  return monitors.map(({ name, width, height }) => `${name} ${width}x${height}`).join(', ');
}
