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

/** Another program may keep the pipes of an ffmpeg that has exited open, and then there is no `close`. */
const CLOSE_DEADLINE_MS = 1000;
const KEPT_STDERR = 8000;

export interface RunToEndOptions {
  /** For its stdin; `open`: nothing, and it stays open. */
  readonly input: Uint8Array | 'open';
  readonly take: (chunk: Buffer) => void;
  /** It is killed then, or when the signal is aborted. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** @returns the exit code, null after a kill, and the end of stderr */
export async function runToEnd(
  child: ChildProcessWithoutNullStreams,
  { input, take, deadlineMs, signal }: RunToEndOptions,
): Promise<{ code: number | null; stderr: string }> {
  const kill = (): void => void child.kill('SIGKILL');
  const timer = setTimeout(kill, deadlineMs);
  signal?.addEventListener('abort', kill);
  if (signal?.aborted === true) kill();
  try {
    let stderr = '';
    child.stdin.on('error', () => undefined);
    if (input !== 'open') child.stdin.end(input);
    child.stdout.on('data', take);
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (stderr = (stderr + text).slice(-KEPT_STDERR)));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
      child.on('exit', (ended) => setTimeout(resolve, CLOSE_DEADLINE_MS, ended).unref());
    });
    return { code, stderr };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

export function lastLine(stderr: string): string {
  return stderr.trim().split('\n').at(-1) ?? '';
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
