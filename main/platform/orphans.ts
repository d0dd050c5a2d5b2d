// Processes that outlived the Sightline that started them.

import { readFile } from 'node:fs/promises';
import { runTool } from './runTool.ts';

/**
 * Ends the process if it is what it is taken for: process ids are used again.
 * @param parts all of which must be in its command line
 * @returns whether there was such a process
 */
export async function endOrphan(pid: number, parts: readonly string[]): Promise<boolean> {
  const command = await commandLineOf(pid);
  if (command === null || !parts.every((part) => command.includes(part))) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it has just ended
  }
}

async function commandLineOf(pid: number): Promise<string | null> {
  if (process.platform === 'win32') return null;
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return text === '' ? null : text.replaceAll('\0', ' ');
  }
  const stdout = await runTool('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => '');
  return stdout.trim() === '' ? null : stdout;
}
