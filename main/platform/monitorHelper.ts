// The monitor helper on Windows, sightline-monitor-helper.exe (resources/monitorHelper): it calls Windows functions that
// Node does not offer.
// Its path is relative to this module, never from an environment variable, the current folder or PATH.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, win32 } from 'node:path';
import { promisify } from 'node:util';
import { findResourcesFolder } from './paths.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;

export const HELPER_IS_MISSING =
  'resources\\monitorHelper\\win32-x64\\sightline-monitor-helper.exe is missing. Reinstall Sightline.';

/** null where it is not installed. */
export function findMonitorHelper(resourcesFolder = findResourcesFolder()): string | null {
  const path = join(resourcesFolder, 'monitorHelper', 'win32-x64', 'sightline-monitor-helper.exe');
  return existsSync(path) ? path : null;
}

let found: Promise<string> | null = null;

/**
 * Windows' folder System32, from GetSystemDirectoryW, because users can change SystemRoot and windir.
 * @throws Error when the helper is missing or does not answer; the next call tries again
 */
export function systemFolder(): Promise<string> {
  found ??= askSystemFolder().catch((error: unknown) => {
    found = null;
    throw error;
  });
  return found;
}

async function askSystemFolder(): Promise<string> {
  const program = findMonitorHelper();
  if (program === null) throw new Error(HELPER_IS_MISSING);
  const { stdout } = await run(program, ['system-folder'], { timeout: TIMEOUT_MS, windowsHide: true });
  const folder = stdout.trim();
  if (!win32.isAbsolute(folder)) throw new Error('Windows does not report its system folder.');
  return folder;
}
