// Steady work and the start of a shift: so many desks, in real time.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend, BackendUsage } from './backend.ts';
import { completed, newMeasured, openDesks, started, STATUS, type Desks } from './desks.ts';
import { percentile, round } from './figures.ts';
import { schedule, type Action, type ScheduleOptions } from './model.ts';

export interface Step {
  readonly agents: number;
  readonly seconds: number;
  /** A second, of broker and authorizer together. */
  readonly brokerRequests: number;
  readonly credentials: Latency;
  readonly authorize: Latency;
  readonly uploads: number;
  readonly uploadsASecond: number;
  readonly megabytesASecond: number;
  readonly eventsASecond: number;
  readonly errors: number;
  readonly errorKinds: Readonly<Record<string, number>>;
  /** Not finished a while after the end. */
  readonly unfinished: number;
  /** How late actions began, p95: the simulator itself is slow. */
  readonly lateMs: number;
  /** Shares of one core, and of the whole machine (with whatever else runs on it). */
  readonly cpu: {
    readonly broker: number;
    readonly store: number;
    readonly simulator: number;
    readonly machine: number;
  };
  /** Milliseconds of CPU time: of the broker for one of its requests, and of the store for one recording. */
  readonly cpuMs: { readonly brokerRequest: number; readonly storedRecording: number };
  readonly brokerMiB: number;
  /** Requests that reached store, STS and bus. */
  readonly counts: Readonly<Record<string, number>>;
  /** null: the machine had time left. */
  readonly full: string | null;
}

interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const TICK_MS = 5;
const WARM_UPS = 15;
/** For what is under way when the time is over. */
const REST_MS = 5000;

export async function runStep(backend: Backend, options: ScheduleOptions): Promise<Step> {
  const { agents, seconds } = options;
  const measured = newMeasured();
  const desks = openDesks(backend, measured);
  await warmUp(backend);
  const before = await backend.usage();
  const { lateMs, took, open } = await play(schedule(options), desks, seconds);
  const after = await backend.usage();
  const used = (of: (usage: BackendUsage) => number): number => of(after) - of(before);
  const machine = used((usage) => usage.machine.busyMs) / used((usage) => usage.machine.allMs);
  const counts = Object.fromEntries(
    Object.entries(after.store.counts).map(([name, value]) => [
      name,
      value - (before.store.counts[name] ?? 0),
    ]),
  );
  const { credentials, authorize, uploads, bytes, errors } = measured;
  const unfinished = open();
  const late = percentile(lateMs, 0.95) || 0;
  return {
    ...{ agents, seconds },
    brokerRequests: round((credentials.length + authorize.length) / took, 2),
    ...{ credentials: latency(credentials), authorize: latency(authorize) },
    uploads: uploads.length,
    uploadsASecond: round(uploads.length / took, 2),
    megabytesASecond: round(bytes / 1e6 / took, 2),
    eventsASecond: round((counts['events'] ?? 0) / took, 2),
    errors: [...errors.values()].reduce((one, other) => one + other, 0),
    errorKinds: Object.fromEntries(errors),
    unfinished,
    lateMs: round(late, 0),
    cpu: {
      broker: round(used((usage) => usage.broker.cpuMs) / 1000 / took, 3),
      store: round(used((usage) => usage.store.cpuMs) / 1000 / took, 3),
      simulator: round(used((usage) => usage.simulatorCpuMs) / 1000 / took, 3),
      machine: round(machine, 3),
    },
    cpuMs: {
      brokerRequest: round(used((usage) => usage.broker.cpuMs) / (credentials.length + authorize.length), 2),
      storedRecording: round(used((usage) => usage.store.cpuMs) / uploads.length, 2),
    },
    brokerMiB: round(after.broker.rssMiB, 0),
    counts,
    full: whyFull(unfinished, late, uploads.length),
  };
}

/** What a program does for the first time costs more, which a long run would not show and a short one would show as the rule. */
async function warmUp(backend: Backend): Promise<void> {
  const desks = openDesks(backend, newMeasured());
  const desk = -1;
  for (let number = 0; number < WARM_UPS; number += 1) {
    await desks.hello(desk);
    await desks.upload({ desk, number, sizeBytes: 100_000, lengthS: 60 });
    // The broker's limit for one agent.
    await sleep(1000 / WARM_UPS);
  }
}

/** Other work on the machine does not count: what does is that the desks' work is no longer done in time. */
function whyFull(unfinished: number, lateMs: number, uploads: number): string | null {
  if (lateMs > 1000) return `the desks' actions began ${round(lateMs / 1000)} s late (p95)`;
  if (unfinished > Math.max(5, uploads / 20)) return `${unfinished} actions were not finished`;
  return null;
}

async function play(
  actions: readonly Action[],
  desks: Desks,
  seconds: number,
): Promise<{ lateMs: number[]; took: number; open: () => number }> {
  const began = performance.now();
  const lateMs: number[] = [];
  const running = new Set<Promise<unknown>>();
  let next = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now() - began;
      for (
        let action = actions[next];
        action !== undefined && action.atS * 1000 <= nowMs;
        action = actions[next]
      ) {
        next += 1;
        lateMs.push(nowMs - action.atS * 1000);
        const work: Promise<unknown> = perform(action, desks).finally(() => running.delete(work));
        running.add(work);
      }
      if (nowMs < seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, REST_MS)));
  await Promise.race([Promise.allSettled([...running]), enough]);
  clearTimeout(timer);
  return {
    lateMs,
    took: (performance.now() - began) / 1000,
    open: () => running.size + actions.length - next,
  };
}

async function perform(action: Action, desks: Desks): Promise<void> {
  switch (action.kind) {
    case 'hello':
      return desks.hello(action.desk);
    case 'heartbeat':
      return desks.event(action.desk, 'Recorder Heartbeat', started);
    case 'start':
      return desks.event(action.desk, STATUS, started);
    case 'stop':
      await desks.event(action.desk, STATUS, completed);
      await desks.upload(action.contact);
  }
}

function latency(values: readonly number[]): Latency {
  const at = (share: number): number => round(percentile(values, share));
  return { count: values.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
