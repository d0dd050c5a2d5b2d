// Weighs recorders side by side: all record the same screen at the same time while a scene is played. Starting and
// stopping are not part of the figures for CPU.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryMiB, treeCpuSeconds } from '../rig/usage.ts';
import type { DeskScene } from './desk/day.ts';
import type { Stage } from './desk/stage.ts';
import { readPackets, type Clip } from './frames.ts';
import { bytesWithin, judge, judgeLossless, readReference, type Quality } from './quality.ts';
import { lossless, YARDSTICK, type BenchRecorder, type Running } from './recorders.ts';

export interface Weight {
  readonly recorder: string;
  /** Of the whole process tree while the scene lasts; 60 times a hundredth of it are CPU-seconds a minute. */
  readonly percentOfCore: number;
  /** To plain libopenh264 in the same group; null where it did not run. */
  readonly ratio: number | null;
  /** Of the finished file, with its first key frame. */
  readonly kilobytesPerMinute: number;
  /** Of the scene alone: the first key frame was written before. */
  readonly sceneKilobytesPerMinute: number;
  /** The largest sum of the proportional set sizes of the process tree, read every two seconds. */
  readonly peakMiB: number;
  readonly frames: number;
  readonly quality: Quality | null;
}

export interface SceneResult {
  readonly scene: DeskScene;
  readonly weights: readonly Weight[];
  /** How legible the text is before it is encoded. */
  readonly losslessQuality: Quality | null;
}

export interface WeighOptions {
  readonly scene: DeskScene;
  readonly seconds: number;
  readonly seed: number;
  /** Records losslessly as well and compares. */
  readonly judgeQuality: boolean;
  readonly folder: string;
  /** The others go on without it; unless told, it is an error. */
  readonly couldNotStart?: (recorder: string, reason: string) => void;
}

/** Recorders settle before the scene begins. */
const SETTLE_MS = 2_500;
const MEMORY_EVERY_MS = 2_000;

export async function weighScene(
  stage: Stage,
  wanted: readonly BenchRecorder[],
  options: WeighOptions,
): Promise<SceneResult> {
  const { scene, seconds, seed, judgeQuality, folder } = options;
  await stage.load(scene, seed, seconds);
  const started = (await Promise.all(wanted.map((one) => startIn(one, stage, options)))).flat();
  const recorders = started.map(({ recorder }) => recorder);
  if (judgeQuality) started.push(...(await startIn(lossless, stage, options)));
  const running = started.map((one) => one.running);
  const beginsAtMs = Date.now() + SETTLE_MS;
  await stage.play(beginsAtMs);
  await sleep(beginsAtMs - Date.now());
  const usage = await watch(running.slice(0, recorders.length), seconds);
  const clips: Clip[] = await Promise.all(running.map((one) => one.stop()));
  const settled = await stage.settled();
  const losslessClip = judgeQuality ? clips[recorders.length] : undefined;
  const slackMs = Math.max(...recorders.map((one) => one.clockSlackMs));
  const reference =
    losslessClip === undefined
      ? null
      : await readReference(losslessClip, beginsAtMs, seconds, settled, slackMs);

  const weights: Weight[] = [];
  for (const [index, { name, clockSlackMs }] of recorders.entries()) {
    const [clip, { percentOfCore, peakMiB }] = [clips[index]!, usage[index]!];
    const packets = await readPackets(clip);
    const sceneBytes = bytesWithin(packets, beginsAtMs, beginsAtMs + seconds * 1000);
    const lengthMs = beginsAtMs + seconds * 1000 - clip.startedAtMs;
    weights.push({
      ...{ recorder: name, percentOfCore, ratio: null, peakMiB, frames: packets.length },
      kilobytesPerMinute: ((await stat(clip.file)).size / lengthMs) * 60,
      sceneKilobytesPerMinute: (sceneBytes / seconds / 1000) * 60,
      quality: reference === null ? null : await judge(clip, reference, clockSlackMs),
    });
  }
  await rm(folder, { recursive: true, force: true });
  const yardstick = weights.find((one) => one.recorder === YARDSTICK)?.percentOfCore;
  return {
    scene,
    weights: weights.map((one) => ({
      ...one,
      ratio: yardstick === undefined ? null : one.percentOfCore / yardstick,
    })),
    losslessQuality: reference === null ? null : await judgeLossless(reference),
  };
}

/** None where it could not start and that is no error. */
async function startIn(
  recorder: BenchRecorder,
  { display, monitors }: Stage,
  { folder, couldNotStart }: WeighOptions,
): Promise<{ recorder: BenchRecorder; running: Running }[]> {
  const own = join(folder, recorder.name);
  await mkdir(own, { recursive: true });
  try {
    return [{ recorder, running: await recorder.start({ display, monitors, folder: own }) }];
  } catch (error) {
    if (couldNotStart === undefined) throw error;
    couldNotStart(recorder.name, String(error));
    return [];
  }
}

/** CPU time and memory of the process trees over the next `seconds`. */
async function watch(
  running: readonly Running[],
  seconds: number,
): Promise<{ percentOfCore: number; peakMiB: number }[]> {
  const since = performance.now();
  const cpu = (): Promise<number[]> => Promise.all(running.map(({ pid }) => treeCpuSeconds(pid)));
  const before = await cpu();
  const peaks = running.map(() => 0);
  for (let now = since; now < since + seconds * 1000; now = performance.now()) {
    await sleep(Math.min(MEMORY_EVERY_MS, since + seconds * 1000 - now));
    const memory = await Promise.all(running.map(({ pid }) => memoryMiB(pid)));
    for (const [index, mib] of memory.entries()) peaks[index] = Math.max(peaks[index]!, mib);
  }
  const after = await cpu();
  const lasted = (performance.now() - since) / 1000;
  return running.map((_, index) => ({
    percentOfCore: ((after[index]! - before[index]!) / lasted) * 100,
    peakMiB: peaks[index]!,
  }));
}
