// Lists the monitors: implemented for the X server, Windows, and Electron.

import type { Monitor } from '../shared/names.ts';

/** In physical pixels, in any order. */
export interface MonitorSource {
  /** @throws SightlineError NO_DISPLAY */
  monitors(): Promise<readonly Monitor[]>;
  onChange(listener: () => void): void;
  close(): void;
}
