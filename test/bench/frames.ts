// Decoded frames of a recording at given wall-clock times, as luma. A frame stays on the screen until the next one, so a
// recorder that does not repeat unchanged frames is judged like one that does.
import { spawn } from 'node:child_process';
import { endWithUs, FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import { MONITOR } from './desk/stage.ts';

/** Where a recording lies in time. */
export interface Clip {
  readonly file: string;
  /** Wall-clock time of the file's time 0. */
  readonly startedAtMs: number;
}

export interface Packet {
  readonly atMs: number;
  readonly sizeBytes: number;
}

export interface LumaFrame {
  readonly atMs: number;
  /** Y in the video range, 16 to 235. */
  readonly luma: Uint8Array;
}

/** What luma is calculated with; files of peers do not always say it. */
export const matrices = ['bt709', 'bt601'] as const;
export type Matrix = (typeof matrices)[number];

export interface RgbFrame {
  readonly atMs: number;
  readonly luma: Readonly<Record<Matrix, Uint8Array>>;
}

/** All packets in the order of presentation. */
export async function readPackets({ file, startedAtMs }: Clip): Promise<Packet[]> {
  const { stdout } = await runOrThrow(findTool(['ffprobe'], FFMPEG_HINT), [
    ...[
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-show_entries',
      'packet=pts_time,size',
      '-of',
      'json',
      file,
    ],
  ]);
  const { packets } = JSON.parse(stdout.toString()) as { packets: { pts_time: string; size: string }[] };
  return packets
    .map((one) => ({ atMs: startedAtMs + Number(one.pts_time) * 1000, sizeBytes: Number(one.size) }))
    .sort((a, b) => a.atMs - b.atMs);
}

/** The frame that is shown at `atMs`: the last one that began by then. -1 before the first. */
export function shownAt(frames: readonly { readonly atMs: number }[], atMs: number): number {
  return frames.findLastIndex((one) => one.atMs <= atMs);
}

/** Y as it is in the file, of the frames whose index is wanted; only the first monitor. */
export async function decodeLuma(
  clip: Clip,
  packets: readonly Packet[],
  wanted: ReadonlySet<number>,
): Promise<Map<number, LumaFrame>> {
  const found = new Map<number, LumaFrame>();
  await decode(clip, 'extractplanes=y', 1, wanted, (index, frame) =>
    found.set(index, { atMs: packets[index]!.atMs, luma: Uint8Array.from(frame) }),
  );
  return found;
}

/** As decodeLuma, of a file in RGB. */
export async function decodeRgb(
  clip: Clip,
  packets: readonly Packet[],
  wanted: ReadonlySet<number>,
): Promise<RgbFrame[]> {
  const found: RgbFrame[] = [];
  await decode(clip, 'format=rgb24', 3, wanted, (index, frame) =>
    found.push({
      atMs: packets[index]!.atMs,
      luma: { bt709: lumaOf(frame, 0.2126, 0.0722), bt601: lumaOf(frame, 0.299, 0.114) },
    }),
  );
  return found;
}

/** @param take may use the frame only until it returns */
async function decode(
  { file }: Clip,
  filter: string,
  bytesPerPixel: number,
  wanted: ReadonlySet<number>,
  take: (index: number, frame: Uint8Array) => void,
): Promise<void> {
  const { width, height } = MONITOR;
  const child = spawn(
    findTool(['ffmpeg'], FFMPEG_HINT),
    [
      ...['-v', 'error', '-i', file, '-vf', `crop=${width}:${height}:0:0,${filter}`],
      // As many frames as packets, whatever their times.
      ...['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000', '-f', 'rawvideo', '-'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  endWithUs(child);
  const frame = Buffer.alloc(width * height * bytesPerPixel);
  let [filled, index] = [0, 0];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length;) {
      const count = Math.min(chunk.length - from, frame.length - filled);
      chunk.copy(frame, filled, from, from + count);
      from += count;
      filled += count;
      if (filled < frame.length) break;
      if (wanted.has(index)) take(index, frame);
      filled = 0;
      index += 1;
    }
  }
}

function lumaOf(rgb: Uint8Array, red: number, blue: number): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  // Fixed point, 16 bits behind the point.
  const scale = (65536 * 219) / 255;
  const [r, g, b] = [red, 1 - red - blue, blue].map((share) => Math.round(share * scale)) as [
    number,
    number,
    number,
  ];
  const offset = 16 * 65536 + 32768;
  for (let pixel = 0, at = 0; pixel < luma.length; pixel += 1, at += 3)
    luma[pixel] = (r * rgb[at]! + g * rgb[at + 1]! + b * rgb[at + 2]! + offset) >> 16;
  return luma;
}
