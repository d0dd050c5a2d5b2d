// Processes that outlived the Sightline that started them. ffmpeg dies of its closed pipe within a frame, unless it
// hangs; then it holds the display's and the disk's attention for nothing. Windows ends children with their parent (libuv
// puts them into a job object), so there is nothing to be found.

import { readFile } from 'node:fs/promises';
import { runTool } from './runTool.ts';

/**
 * Ends the process if it is what it is taken for: process ids are used again.
 * @param words all of which must be in its command line
 * @returns whether there was such a process
 */
export async function endOrphan(pid: number, words: readonly string[]): Promise<boolean> {
  const command = await commandLineOf(pid);
  if (command === null || !words.every((word) => command.includes(word))) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it has just ended by itself
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
