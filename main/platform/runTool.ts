// Runs a small tool of the system and returns what it printed. Never through a shell, and never a program that the user
// could have put in its place: the current folder, PATH and other variables are not searched.

import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { isAbsolute, join, win32 } from 'node:path';
import { promisify } from 'node:util';
import { systemFolder } from './windowsHelper.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Only root writes there. The last one is NixOS'. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

/** @returns what it wrote to stdout @throws when it is not there, fails, or takes longer than five seconds */
export type RunTool = (command: string, args: readonly string[]) => Promise<string>;

export const runTool: RunTool = async (command, args) => {
  const limits = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true };
  return (await run(await findTool(command), [...args], limits)).stdout;
};

/** The absolute path of a tool that comes with the system. @param name without folder and extension, or an absolute path */
async function findTool(name: string): Promise<string> {
  if (process.platform === 'win32') return win32.join(await systemFolder(), `${name}.exe`);
  if (isAbsolute(name)) return name;
  for (const folder of SYSTEM_FOLDERS) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  throw new Error(`${name} is not installed in ${SYSTEM_FOLDERS.join(', ')}.`);
}

export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
