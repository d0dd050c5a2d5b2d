// Child processes that run alongside ours, and those that outlived the Sightline that started them. Never through a shell:
// a grandchild would outlive us on Windows, and nothing of a command line may be interpreted twice.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { runTool } from './runTool.ts';

/**
 * @throws Error with a code (`EMFILE`, `EAGAIN`, ...) where the system cannot start another process now; a program that is
 * missing is an `error` event
 */
export function spawnPiped(path: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true, shell: false });
  // Without descriptors Node returns a child that has no pipes, contrary to its type, and emits the error later.
  if ((child.stdout as unknown) !== undefined) return child;
  child.on('error', () => undefined);
  throw Object.assign(new Error('The system has no file descriptors left.'), { code: 'EMFILE' });
}

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
