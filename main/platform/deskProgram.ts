// sightline-desk.exe (resources/desk), our helper on Windows: it answers what Node cannot ask Windows for. Its path
// comes from where this module lies, never from an environment variable, the current folder or PATH.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, win32 } from 'node:path';
import { promisify } from 'node:util';
import { findResourcesFolder } from './paths.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;

export const DESK_IS_MISSING =
  'resources\\desk\\win32-x64\\sightline-desk.exe is missing. Reinstall Sightline.';

/** null where it was not built or not installed. */
export function findDeskProgram(resourcesFolder = findResourcesFolder()): string | null {
  const path = join(resourcesFolder, 'desk', 'win32-x64', 'sightline-desk.exe');
  return existsSync(path) ? path : null;
}

let found: Promise<string> | null = null;

/**
 * Windows' folder System32, from GetSystemDirectoryW: SystemRoot and windir are the user's to set.
 * @throws Error when the helper is missing or does not answer; asked again next time
 */
export function systemFolder(): Promise<string> {
  found ??= askSystemFolder().catch((error: unknown) => {
    found = null;
    throw error;
  });
  return found;
}

async function askSystemFolder(): Promise<string> {
  const program = findDeskProgram();
  if (program === null) throw new Error(DESK_IS_MISSING);
  const { stdout } = await run(program, ['system-folder'], { timeout: TIMEOUT_MS, windowsHide: true });
  const folder = stdout.trim();
  if (!win32.isAbsolute(folder)) throw new Error('Windows does not name its system folder.');
  return folder;
}
