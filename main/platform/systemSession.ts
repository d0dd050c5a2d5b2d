// The session that Sightline runs in, on this system: when the agent is away from it, and when it ends.

import { startLogindWatch } from './logind.ts';
import type { StartSessionWatch } from './sessionWatch.ts';
import { windowsHelper } from './windowsHelper.ts';
import { onWindowsSessionEnd, windowsSessionWatch } from './windowsSession.ts';

/** Electron's own notices less on Linux, and neither users nor remote sessions on Windows. */
export const startSessionWatch: StartSessionWatch =
  process.platform === 'win32' ? windowsSessionWatch(windowsHelper) : startLogindWatch;

/** Calls back where a signal does not tell. The system waits for a while until this process has ended. */
export function onSessionEnd(listener: (why: 'sign-out' | 'shutdown') => void): void {
  if (process.platform === 'win32') onWindowsSessionEnd(windowsHelper, listener);
}
