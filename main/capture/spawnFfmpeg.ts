// The one path through which ffmpeg is spawned.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Logger } from '../platform/log.ts';
import { spawnPiped } from '../platform/pipedProcess.ts';
import { SightlineError, errno } from '../shared/errors.ts';

/** @throws SightlineError CAPTURE_FAILED where the system has nothing left to start a process with */
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
    throw nothingLeft(error);
  }
}

/** Not for good: the system has more when other programs have ended, or a flood of connections is over. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'].includes(errno(error) ?? '');
}

export function nothingLeft(error: unknown): SightlineError {
  return new SightlineError(
    'CAPTURE_FAILED',
    'The system cannot start another process now: it has no file descriptors, processes or memory left. End programs that ' +
      'are not needed; capture is tried again until it works.',
    { cause: error },
  );
}

function quote(word: string): string {
  return /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
