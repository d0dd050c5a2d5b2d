// Child processes that run alongside ours. Never through a shell: a grandchild would outlive us on Windows, and nothing of a
// command line may be interpreted twice.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

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
