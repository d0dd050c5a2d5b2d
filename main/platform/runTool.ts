// Runs a small tool of the system and gives back what it printed. Never through a shell.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;

/** @returns what it wrote to stdout @throws when it is not there, fails, or takes longer than five seconds */
export type RunTool = (command: string, args: readonly string[]) => Promise<string>;

export const runTool: RunTool = async (command, args) => {
  const { stdout } = await run(command, [...args], { timeout: TIMEOUT_MS, windowsHide: true });
  return stdout;
};
