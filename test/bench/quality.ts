// What a recording shows beside a lossless capture of the same screen at the same time.
//
// A recorder grabs five times a second, the lossless capture twenty times, at other instants. The frame that a recording shows
// at an instant is therefore compared with all lossless frames of the last grab interval, and the most similar one counts.
import type { TextSize } from './desk/day.ts';
import type { SettledText } from './desk/stage.ts';
import {
  decodeLuma,
  decodeRgb,
  matrices,
  readPackets,
  shownAt,
  type Clip,
  type Matrix,
  type Packet,
  type RgbFrame,
} from './frames.ts';
import { readLines, type OcrScore } from './ocr.ts';
import { ssim } from './ssim.ts';
import { MONITOR } from './desk/stage.ts';

/** The interval of 5 fps, and half of it for a grab that is late. */
const GRAB_MS = 300;
const SAMPLE_EVERY_MS = 1_000;
/** Before the end of a rest. */
const BEFORE_REST_ENDS_MS = 200;

export interface Reference {
  readonly sampleAtMs: readonly number[];
  readonly restAtMs: readonly number[];
  /** Every lossless frame that a sample may need, in order. */
  readonly frames: readonly RgbFrame[];
  readonly settled: readonly SettledText[];
}

export interface Quality {
  readonly ssim: number;
  readonly worstSsim: number;
  readonly ocr9: number;
  readonly ocr11: number;
}

/** Sampled once a second of a scene that began at `startedAtMs`. @param slackMs by which a recorder's clock may be wrong */
export async function readReference(
  lossless: Clip,
  startedAtMs: number,
  seconds: number,
  settled: readonly SettledText[],
  slackMs: number,
): Promise<Reference> {
  const sampleAtMs = Array.from(
    { length: Math.floor((seconds * 1000) / SAMPLE_EVERY_MS) - 1 },
    (_, index) => startedAtMs + (index + 1) * SAMPLE_EVERY_MS,
  );
  const restAtMs = settled.map(({ toMs }) => startedAtMs + toMs - BEFORE_REST_ENDS_MS);
  const packets = await readPackets(lossless);
  const wanted = new Set<number>();
  for (const atMs of sampleAtMs) for (const index of candidates(packets, atMs, slackMs)) wanted.add(index);
  for (const atMs of restAtMs) wanted.add(shownAt(packets, atMs));
  const frames = await decodeRgb(lossless, packets, wanted);
  return { sampleAtMs, restAtMs, frames, settled };
}

/** Lossless frames that a recorder may show at `atMs`. */
export function candidates(
  frames: readonly { readonly atMs: number }[],
  atMs: number,
  slackMs: number,
): number[] {
  const first = Math.max(0, shownAt(frames, atMs - GRAB_MS - slackMs));
  const last = shownAt(frames, atMs + slackMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

export async function judge(clip: Clip, reference: Reference, slackMs: number): Promise<Quality> {
  const packets = await readPackets(clip);
  const indexAt = (atMs: number): number => Math.max(0, shownAt(packets, atMs));
  const wanted = new Set([...reference.sampleAtMs, ...reference.restAtMs].map(indexAt));
  const decoded = await decodeLuma(clip, packets, wanted);
  const lumaAt = (atMs: number): Uint8Array => {
    const frame = decoded.get(indexAt(atMs));
    if (frame === undefined) throw new Error(`${clip.file} has no frame for ${new Date(atMs).toISOString()}`);
    return frame.luma;
  };
  const similarity = (atMs: number, matrix: Matrix): number => {
    const near = candidates(reference.frames, atMs, slackMs).map((index) => reference.frames[index]!);
    const shown = lumaAt(atMs);
    const like = mostAlike(
      shown,
      near.map((one) => one.luma[matrix]),
    );
    return ssim(shown, like, MONITOR.width, MONITOR.height);
  };
  // Not every file says which matrix it was made with: the one that fits.
  const tried = reference.sampleAtMs[0]!;
  const matrix = [...matrices].sort((a, b) => similarity(tried, b) - similarity(tried, a))[0]!;
  const similar = reference.sampleAtMs.map((atMs) => similarity(atMs, matrix));
  return {
    ssim: similar.reduce((sum, one) => sum + one, 0) / similar.length,
    worstSsim: Math.min(...similar),
    ...(await legibility(reference, lumaAt)),
  };
}

/** By the sum of differences at every 31st pixel: full SSIM with all of them would take minutes. */
export function mostAlike(shown: Uint8Array, candidates: readonly Uint8Array[]): Uint8Array {
  const difference = (one: Uint8Array): number => {
    let sum = 0;
    for (let at = 0; at < shown.length; at += 31) sum += Math.abs(shown[at]! - one[at]!);
    return sum;
  };
  const ranked = candidates.map((one) => ({ one, by: difference(one) })).sort((a, b) => a.by - b.by);
  return ranked[0]!.one;
}

export async function judgeLossless(reference: Reference): Promise<Quality> {
  const { frames } = reference;
  const lumaAt = (atMs: number): Uint8Array => frames[Math.max(0, shownAt(frames, atMs))]!.luma.bt709;
  return { ssim: 1, worstSsim: 1, ...(await legibility(reference, lumaAt)) };
}

/** Share of the characters that are read correctly. */
async function legibility(
  { settled, restAtMs }: Reference,
  lumaAt: (atMs: number) => Uint8Array,
): Promise<Pick<Quality, 'ocr9' | 'ocr11'>> {
  const accuracy = async (size: TextSize): Promise<number> => {
    const scores: OcrScore[] = [];
    for (const [index, { lines }] of settled.entries())
      scores.push(await readLines(lumaAt(restAtMs[index]!), lines, size));
    const total = (pick: (one: OcrScore) => number): number =>
      scores.reduce((sum, one) => sum + pick(one), 0);
    return 1 - total((one) => one.errors) / total((one) => one.characters);
  };
  return { ocr9: await accuracy(9), ocr11: await accuracy(11) };
}

/** Bytes of the packets that were made while a scene lasted. */
export function bytesWithin(packets: readonly Packet[], fromMs: number, toMs: number): number {
  return packets
    .filter((one) => one.atMs >= fromMs && one.atMs < toMs)
    .reduce((sum, one) => sum + one.sizeBytes, 0);
}
