// What the soak programs share: a seeded choice of what happens next, the recorder's processes, and reports.
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { host } from '../rig/program.ts';

/** A small generator (mulberry32): the same seed gives the same story, as far as time allows. */
export class Dice {
  constructor(private state: number) {}

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }

  /** All of them in another order (Fisher and Yates). */
  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(Math.floor(this.next() * left.length), 1)[0]!);
  }
}

/** `--name value` options with their defaults; numbers where the default is one. */
export function soakOptions<T extends Record<string, string | number>>(defaults: T): T {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }])),
  });
  return Object.fromEntries(
    Object.entries(defaults).map(([name, standard]) => {
      const given = values[name];
      if (typeof given !== 'string') return [name, standard];
      if (typeof standard === 'string') return [name, given];
      if (!Number.isFinite(Number(given))) throw new Error(`--${name} wants a number, not "${given}".`);
      return [name, Number(given)];
    }),
  ) as T;
}

/** The ffmpeg processes of a recorder that are alive now. */
export function ffmpegsOf(recorderPid: number): Promise<number[]> {
  return host.ffmpegs(recorderPid);
}

/** To a process that may have gone meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}

/** CPU seconds of a process and of its children that have ended, and its largest size in memory (proc(5)). */
export async function costOf(pid: number): Promise<{ own: number; children: number; peakMiB: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? '0';
  return { own: (utime + stime) / 100, children: (cutime + cstime) / 100, peakMiB: Number(peak) / 1024 };
}

/** The value below which `share` of a sorted list lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? NaN;
}

/** A markdown table. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `| ${rows[0]!.map(() => '---').join(' | ')} |`, ...body].join('\n');
}

/** Rejects, with what it waited for, when that takes longer. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, null, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took more than ${ms / 1000} s`);
  });
  late.catch(() => undefined); // aborted
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
