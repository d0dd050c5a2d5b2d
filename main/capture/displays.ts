// What there is to record: the monitors, and how ffmpeg's grabber reaches them. One display at first, the whole
// screen of it; a choice among several monitors will be made here and nowhere else.

import { SightlineError } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';
import type { Grab } from './ffmpegCommand.ts';
import { readX11Monitors } from './x11Monitors.ts';

export interface DisplayLayout {
  readonly grab: Grab;
  /** Empty where the platform tells their geometry only to a windowed program. */
  readonly monitors: readonly Monitor[];
}

export interface Displays {
  /** @throws SightlineError NO_DISPLAY */
  current(): Promise<DisplayLayout>;
}

/** @param display the X display to record (`:0`), or null for the one that the environment names; X11 only */
export function displaysOf(platform: NodeJS.Platform, display: string | null): Displays {
  switch (platform) {
    case 'win32':
      // gdigrab without an area takes the whole virtual desktop, whatever its layout.
      return { current: () => Promise.resolve({ grab: { device: 'gdigrab', area: null }, monitors: [] }) };
    case 'darwin':
      return {
        current: () => Promise.resolve({ grab: { device: 'avfoundation', screenIndex: 1 }, monitors: [] }),
      };
    default:
      return { current: () => x11Layout(display ?? process.env.DISPLAY ?? null) };
  }
}

async function x11Layout(display: string | null): Promise<DisplayLayout> {
  if (display === null || display === '') {
    throw new SightlineError(
      'NO_DISPLAY',
      'No display is named. Start Sightline inside the agent\'s session, or set "display" (for example :0).',
    );
  }
  const monitors = await readX11Monitors(display);
  return { grab: { device: 'x11grab', display, area: null }, monitors };
}
