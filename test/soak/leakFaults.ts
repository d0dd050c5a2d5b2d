// What may go wrong around a suspend. Each fault is set off before the request is sent and undone before the resume;
// what it returns is undone then.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Desk, MonitorSpec } from '../rig/desk.ts';
import type { Recorder } from '../rig/recorder.ts';
import { ffmpegsOf, signal, type Dice } from './common.ts';
import type { SlowDisk } from './slowDisk.ts';

export interface FaultContext {
  readonly dice: Dice;
  readonly desk: Desk;
  readonly recorder: Recorder;
  readonly disk: SlowDisk | null;
  readonly layouts: readonly (readonly (MonitorSpec | null)[])[];
}

/** Starts a fault; resolves when the suspend is to be sent, with what is to be waited for before the resume. */
export type Fault = (context: FaultContext) => Promise<() => Promise<unknown>>;

const nothing = (): Promise<void> => Promise.resolve();

export const faults = {
  none: () => Promise.resolve(nothing),

  'ffmpeg slowed': async ({ dice, recorder }) => {
    const pids = await ffmpegsOf(recorder.pid);
    const until = performance.now() + dice.between(200, 500);
    const slowing = (async () => {
      while (performance.now() < until) {
        pids.forEach((pid) => signal(pid, 'SIGSTOP'));
        await sleep(dice.between(10, 40));
        pids.forEach((pid) => signal(pid, 'SIGCONT'));
        await sleep(dice.between(1, 15));
      }
    })();
    await sleep(dice.between(0, 200));
    return () => slowing;
  },

  'ffmpeg stopped': async ({ dice, recorder }) => {
    (await ffmpegsOf(recorder.pid)).forEach((pid) => signal(pid, 'SIGSTOP'));
    await sleep(dice.between(0, 150));
    return nothing;
  },

  'ffmpeg killed': async ({ dice, recorder }) => {
    const pids = await ffmpegsOf(recorder.pid);
    const killing = sleep(dice.between(0, 40)).then(() => pids.forEach((pid) => signal(pid, 'SIGKILL')));
    await sleep(dice.between(0, 40));
    return () => killing;
  },

  'disk slow': async ({ dice, disk }) => {
    const freezing = disk?.freeze(dice.between(50, 800));
    await sleep(dice.between(0, 100));
    return async () => freezing;
  },

  'display changed': async ({ dice, desk, layouts }) => {
    const changing = desk.arrange(dice.pick(layouts));
    await sleep(dice.between(0, 60));
    return () => changing;
  },
} as const satisfies Record<string, Fault>;

export type FaultName =
  keyof typeof faults | 'page gone' | 'resumed just before' | 'another contact holds it';

/** Each as often as it stands here. */
export function faultShares(disk: SlowDisk | null): readonly FaultName[] {
  return [
    ...(['none', 'none', 'ffmpeg slowed', 'ffmpeg slowed', 'ffmpeg stopped', 'ffmpeg killed'] as const),
    ...(['display changed', 'display changed', 'page gone', 'resumed just before'] as const),
    ...(['another contact holds it'] as const),
    ...(disk === null ? [] : (['disk slow', 'disk slow'] as const)),
  ];
}
