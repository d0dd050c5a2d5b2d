// The one path through which ffmpeg is spawned. Never through a shell: a grandchild would outlive us on Windows, and
// nothing of a command line may be interpreted twice.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Logger } from '../platform/log.ts';

export type SpawnFfmpeg = (path: string, args: readonly string[]) => ChildProcessWithoutNullStreams;

/** Logs the exact command line, so that support can paste it into a terminal. */
export function ffmpegSpawner(log: Logger): SpawnFfmpeg {
  return (path, args) => {
    log.info('ffmpeg', { command: [path, ...args].map(quote).join(' ') });
    return spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true, shell: false });
  };
}

function quote(word: string): string {
  return /^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
