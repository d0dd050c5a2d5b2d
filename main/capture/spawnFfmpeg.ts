// The one path through which ffmpeg is spawned.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Logger } from '../platform/log.ts';
import { spawnPiped } from '../platform/childProcess.ts';
import { SightlineError, errno } from '../shared/errors.ts';

/** @throws SightlineError CAPTURE_FAILED where the system lacks the resources for a process */
export type SpawnFfmpeg = (path: string, args: readonly string[]) => ChildProcessWithoutNullStreams;

/** Logs the exact command line, so that support can paste it into a terminal. */
export function ffmpegSpawner(log: Logger): SpawnFfmpeg {
  return (path, args) => {
    log.info('ffmpeg', { command: [path, ...args].map(quote).join(' ') });
    return spawnForCapture(path, args);
  };
}

/** @throws SightlineError CAPTURE_FAILED; a program that is missing is an `error` event */
export function spawnForCapture(path: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  try {
    return spawnPiped(path, args);
  } catch (error) {
    throw shortageError(error);
  }
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
