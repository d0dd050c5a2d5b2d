// What processes cost, from /proc (proc(5)): for benchmarks on Linux.
import { readFile, readdir } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** Fields 14 to 17 of stat are user and system time, own and of children waited for, in ticks of 10 ms. */
export async function cpuSeconds(
  pid: number,
  of: 'with ended children' | 'ended children only',
): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = fields.slice(of === 'with ended children' ? 11 : 13, 15);
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}

/** Of a process and all its descendants, those that have ended included. */
export async function treeCpuSeconds(pid: number): Promise<number> {
  const [own, children] = await Promise.all([
    cpuSeconds(pid, 'with ended children').catch(() => 0),
    childrenOf(pid),
  ]);
  const others = await Promise.all(children.map(treeCpuSeconds));
  return others.reduce((sum, one) => sum + one, own);
}

/** MiB of a process and its children: pages that several processes share count in parts (Pss). */
export async function memoryMiB(pid: number): Promise<number> {
  const [rollup, children] = await Promise.all([
    readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''),
    childrenOf(pid),
  ]);
  const own = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  const others = await Promise.all(children.map(memoryMiB));
  return others.reduce((sum, one) => sum + one, own);
}

/** Of one process, since it began. */
export interface WakeUsage {
  readonly cpuNs: number;
  /** How often any thread has begun to wait: each ends with a wake-up. */
  readonly waits: number;
  /** Of the main thread alone: on a busy machine the others wait for each other, which is no work of ours. */
  readonly mainThreadWaits: number;
}

export async function wakeUsage(pid: number): Promise<WakeUsage> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const each = await Promise.all(
    tasks.map(async (task) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/task/${task}/${name}`, 'utf8');
      const waits = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(await read('status'));
      const cpuNs = Number((await read('schedstat')).split(' ')[0]);
      return { cpuNs, waits: Number(waits?.[1]), isMain: task === String(pid) };
    }),
  );
  return {
    cpuNs: each.reduce((sum, one) => sum + one.cpuNs, 0),
    waits: each.reduce((sum, one) => sum + one.waits, 0),
    mainThreadWaits: each.find(({ isMain }) => isMain)?.waits ?? 0,
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Seconds that one processor has worked and rested since the start of the system. */
export async function processorSeconds(processor: number): Promise<{ busy: number; idle: number }> {
  const line =
    new RegExp(`^cpu${processor} (.+)$`, 'm').exec(await readFile('/proc/stat', 'utf8'))?.[1] ?? '';
  // Guest time is part of user time.
  const ticks = line.trim().split(/\s+/).map(Number).slice(0, 8);
  const idle = ((ticks[3] ?? 0) + (ticks[4] ?? 0)) / TICKS_PER_SECOND;
  return { busy: ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND - idle, idle };
}
