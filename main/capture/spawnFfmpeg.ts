// The one path through which ffmpeg is spawned. Never through a shell: a grandchild would outlive us on Windows, and
// nothing of a command line may be interpreted twice.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Logger } from '../platform/log.ts';
import { SightlineError, errno } from '../shared/errors.ts';

/** @throws SightlineError CAPTURE_FAILED where the system lacks the resources for a process */
export type SpawnFfmpeg = (path: string, args: readonly string[]) => ChildProcessWithoutNullStreams;

/** Logs the exact command line, so that support can paste it into a terminal. */
export function ffmpegSpawner(log: Logger): SpawnFfmpeg {
  return (path, args) => {
    log.info('ffmpeg', { command: [path, ...args].map(quote).join(' ') });
    return spawnPiped(path, args);
  };
}

/** A process with three pipes. A missing program is an `error` event. @throws SightlineError CAPTURE_FAILED */
export function spawnPiped(path: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true, shell: false });
  } catch (error) {
    throw shortageError(error);
  }
  // Without descriptors Node returns a child without pipes, against its type, and emits the error later.
  if ((child.stdout as unknown) === undefined) {
    child.on('error', () => undefined);
    throw shortageError('EMFILE');
  }
  return child;
}

/** Temporary: resources return when other programs end, or a flood of connections is over. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'].includes(errno(error) ?? '');
}

export function shortageError(error: unknown): SightlineError {
  return new SightlineError(
    'CAPTURE_FAILED',
    'The system cannot start another process: it has no file descriptors, processes or memory left. Close programs that are ' +
      'not needed; capture is retried automatically.',
    { cause: error },
  );
}

function quote(word: string): string {
  return /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
