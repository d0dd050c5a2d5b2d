// Disk faults in a running program: a small library that is loaded before the C library (faults/shim.c), counts the calls
// that change files below one folder, makes chosen ones fail, or kills the program at one. For programs on Linux.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileC } from './compiled.ts';

const source = fileURLToPath(new URL('faults/shim.c', import.meta.url));

export const callKinds = [
  ...(['open', 'write', 'sync', 'truncate', 'rename', 'link', 'unlink', 'mkdir'] as const),
] as const;
export type CallKind = (typeof callKinds)[number];

/** SHORT: half of the bytes are written, and the rest fails. */
export type DiskFault = 'EIO' | 'ENOSPC' | 'SHORT-EIO' | 'SHORT-ENOSPC' | 'KILL-BEFORE' | 'KILL-AFTER';

export interface FaultRule {
  readonly kinds: readonly CallKind[] | 'any';
  /** Of the path below the folder, as fnmatch(3) has it: `*` takes slashes. Without spaces. */
  readonly pattern: string;
  /** Which of the matching calls fails first; the first one is 1. 0: the next one after another rule has been met. */
  readonly nth: number;
  readonly fault: DiskFault;
  /** A number of calls, or a file: every matching call fails until it exists. */
  readonly until: number | string;
}

/** One call that changes something in the folder, in the order in which they were made. */
export interface DiskCall {
  readonly kind: CallKind;
  readonly path: string;
  readonly bytes: number;
  /** The fault that it met; null: it was carried out. */
  readonly fault: DiskFault | null;
}

/** Where faults cannot be injected this says why. */
export function whyNoFaults(): string | null {
  return process.platform === 'linux' ? null : 'disk faults are injected on Linux only';
}

/**
 * Words that run a program with these faults; without rules it is only watched. Its children meet none.
 * @param folder absolute and without symbolic links
 * @param log gets a line for each call; see diskCalls
 */
export async function withFaults(
  folder: string,
  log: string,
  rules: readonly FaultRule[] = [],
): Promise<string[]> {
  const words = rules.map(({ kinds, pattern, nth, fault, until }) =>
    [kinds === 'any' ? kinds : kinds.join(), pattern, nth, fault, until].join(' '),
  );
  return [
    'env',
    `LD_PRELOAD=${await faultShim()}`,
    `SIGHTLINE_FAULT_FOLDER=${folder}`,
    `SIGHTLINE_FAULT_LOG=${log}`,
    `SIGHTLINE_FAULT_RULES=${words.join('\n')}`,
    // io_uring writes without any call that could be watched.
    'UV_USE_IO_URING=0',
  ];
}

export async function diskCalls(log: string): Promise<DiskCall[]> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const whole = text.split('\n').slice(0, -1);
  return whole.map((line) => {
    const [, kind, path, bytes, outcome] = line.split(' ') as [string, CallKind, string, string, string];
    return { kind, path, bytes: Number(bytes), fault: outcome === 'ok' ? null : (outcome as DiskFault) };
  });
}

/** Resolves when a call has met its fault; with false when `signal` ends the wait. */
export async function faultMet(log: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if ((await diskCalls(log)).some(({ fault }) => fault !== null)) return true;
    await sleep(15);
  }
  return false;
}

let compiled: Promise<string> | null = null;

function faultShim(): Promise<string> {
  return (compiled ??= compileC(source, '-shared', '-fPIC', '-ldl', '-lpthread'));
}
