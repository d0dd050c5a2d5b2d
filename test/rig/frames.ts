// Reads the truth back out of an MP4: every frame's own timestamp, the block code on each monitor and how much of
// the picture looks sensitive. One ffmpeg pass; raw frames are looked at and dropped, never kept, so that an
// eight-hour recording fits too. Frames are never resampled in time: what is in the file is what is reported.
import { codeErrorMs, type LateCodes } from './lateCodes.ts';
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { endWithUs, FFMPEG_HINT, findTool } from './process.ts';
import { probe } from './mp4.ts';
import { sensitiveShare } from './sensitive.ts';
import {
  decodeTimecode,
  findTimecode,
  MAX_SCALE,
  MIN_SCALE,
  STRIP,
  type Luma,
  type Rect,
  type Timecode,
} from './timecode.ts';

export interface DecodedFrame {
  /** The container's own presentation time, exact. */
  ptsMs: number;
  /** The first monitor's code; null on a slate or anything else that is not the rig's screen. */
  code: Timecode | null;
  /** One for each of `monitors`, in their order. */
  codes: (Timecode | null)[];
  /** Share (0 to 1) of the whole picture that looks like the sensitive pattern. */
  sensitiveShare: number;
}

export interface DecodeOptions {
  /** Where each monitor's picture lies in the video, in video pixels; one that fills it unless told. */
  monitors?: readonly Rect[];
  /** Video pixels per screen pixel, if known; otherwise it is searched for (0.2 to 1.25). */
  scale?: number;
  /**
   * The sensitive share is taken from a grid of points this many wide (height in proportion), 160 unless told. A
   * point is one pixel as decoded, not a mean, which would turn the pattern grey.
   */
  gridWidth?: number;
}

/** Decodes all frames. Rejects if the file cannot be decoded; a file cut short gives the frames that it has. */
export async function decodeFrames(mp4Path: string, options: DecodeOptions = {}): Promise<DecodedFrame[]> {
  const video = await probe(mp4Path);
  const monitors = options.monitors ?? [{ x: 0, y: 0, width: video.width, height: video.height }];
  const gridWidth = Math.min(options.gridWidth ?? 160, video.width);
  const gridHeight = Math.max(1, Math.round((gridWidth * video.height) / video.width));

  // Chroma sampling makes ffmpeg round a crop to even numbers; being even already, sizes here and there agree.
  const largest = options.scale ?? MAX_SCALE;
  const strips = monitors.map((monitor) => ({
    x: monitor.x & ~1,
    y: monitor.y & ~1,
    width: Math.min(monitor.width, Math.ceil((STRIP.x + STRIP.width) * largest)) & ~1,
    height: Math.min(monitor.height, Math.ceil((STRIP.y + STRIP.height) * largest)) & ~1,
  }));
  const graph = [
    `[0:v:0]split=${strips.length + 1}[all]${strips.map((_, i) => `[m${i}]`).join('')}`,
    `[all]scale=${gridWidth}:${gridHeight}:flags=neighbor,format=rgb24,showinfo=checksum=0[grid]`,
    ...strips.map((s, i) => `[m${i}]crop=${s.width}:${s.height}:${s.x}:${s.y},format=gray[strip${i}]`),
  ].join(';');
  const raw = (label: string, fd: number): string[] => [
    ...['-map', `[${label}]`, '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo', `pipe:${fd}`],
  ];
  const args = [
    // -copyts: otherwise ffmpeg moves the first frame to zero, and a file that starts late would look right.
    ...['-hide_banner', '-nostats', '-loglevel', 'info', '-copyts', '-i', mp4Path, '-filter_complex', graph],
    ...raw('grid', 1),
    ...strips.flatMap((_, i) => raw(`strip${i}`, 3 + i)),
  ];

  const shares: number[] = [];
  const codes: (Timecode | null)[][] = strips.map(() => []);
  const ffmpeg = findTool(['ffmpeg'], FFMPEG_HINT);
  const child = spawn(ffmpeg, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...strips.map(() => 'pipe' as const)],
  });
  endWithUs(child);
  const times = new ShowinfoReader();
  child.stderr!.on('data', (chunk: Buffer) => times.read(chunk.toString()));
  eachRawFrame(child.stdout!, gridWidth * gridHeight * 3, (rgb) => shares.push(sensitiveShare(rgb)));
  strips.forEach(({ width, height }, i) => {
    const reader = new CodeReader(options.scale);
    eachRawFrame(child.stdio[3 + i] as Readable, width * height, (data) =>
      codes[i]!.push(reader.read({ data, width, height })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const why = signal ?? `code ${code ?? '?'}`;
        reject(new Error(`ffmpeg ${args.join(' ')}\nended with ${why}:\n${times.otherText}`));
      }
    });
  });
  for (const list of [shares, ...codes]) {
    if (list.length !== times.ptsMs.length) {
      throw new Error(
        `${mp4Path}: ${list.length} pictures for ${times.ptsMs.length} timestamps; see ${args.join(' ')}`,
      );
    }
  }
  return times.ptsMs.map((ptsMs, n) => {
    const ofFrame = codes.map((list) => list[n]!);
    return { ptsMs, code: ofFrame[0] ?? null, codes: ofFrame, sensitiveShare: shares[n]! };
  });
}

/** Painted within a day of now: recordings under test are not older. */
function isOfToday({ timeMs }: Timecode): boolean {
  return Math.abs(timeMs - Date.now()) < 24 * 3_600_000;
}

/** Remembers the scale at which a code was found; looks again when there is none at it. */
class CodeReader {
  private scale: number | undefined;
  constructor(private readonly fixedScale: number | undefined) {}

  read(luma: Luma): Timecode | null {
    if (this.fixedScale !== undefined) return decodeTimecode(luma, this.fixedScale);
    const code = this.scale === undefined ? null : decodeTimecode(luma, this.scale);
    if (code) return code;
    const found = findTimecode(luma, MIN_SCALE, MAX_SCALE, isOfToday);
    if (found) this.scale = found.scale;
    return found?.code ?? null;
  }
}

/** Timestamps from the showinfo filter's lines: whole ticks and their time base, because pts_time is rounded. */
class ShowinfoReader {
  readonly ptsMs: number[] = [];
  /** The last of what else ffmpeg said, for error messages. */
  otherText = '';
  private rest = '';
  private timeBase = { num: NaN, den: 1 };

  read(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const base = /showinfo.*config in time_base: (\d+)\/(\d+)/.exec(line);
      const frame = /showinfo.* n: *\d+ pts: *(-?\d+|NOPTS)/.exec(line);
      if (base) this.timeBase = { num: Number(base[1]), den: Number(base[2]) };
      else if (frame) this.ptsMs.push((Number(frame[1]) * 1000 * this.timeBase.num) / this.timeBase.den);
      else if (!line.includes('showinfo')) this.otherText = `${this.otherText}${line}\n`.slice(-4000);
    }
  }
}

/** Cuts a stream into frames of `size` bytes. The callback's buffer is used again for the next frame. */
function eachRawFrame(stream: Readable, size: number, onFrame: (frame: Buffer) => void): void {
  const frame = Buffer.allocUnsafe(size);
  let filled = 0;
  stream.on('data', (chunk: Buffer) => {
    for (let offset = 0; offset < chunk.length;) {
      const taken = chunk.copy(frame, filled, offset);
      offset += taken;
      filled += taken;
      if (filled < size) break;
      onFrame(frame);
      filled = 0;
    }
  });
}

export interface ClockErrors {
  /** Codes compared; 0 means that nothing was proved. */
  count: number;
  maxMs: number;
  p99Ms: number;
  meanMs: number;
}

/**
 * How far video time and shown time are apart, |pts - (shown - start)|, over all codes of all frames outside of gaps (in a
 * gap under a second the frame before it stays). The screen is
 * up to one painter frame (40 ms at 25 fps) older than the moment it was grabbed: that much error is the rig's own.
 * @param startTimeMs the wall-clock time (Unix epoch, ms) that the recording claims for video time 0
 */
export function frameClockErrors(
  frames: readonly DecodedFrame[],
  startTimeMs: number,
  gaps: readonly { offsetMs: number; durationMs: number }[] = [],
  late: LateCodes = new Map(),
): ClockErrors {
  const errors: number[] = [];
  for (const { ptsMs, codes } of frames) {
    // The file's ticks are a little finer than the manifest's milliseconds.
    if (gaps.some((gap) => ptsMs >= gap.offsetMs - 1 && ptsMs < gap.offsetMs + gap.durationMs - 1)) continue;
    for (const code of codes) if (code) errors.push(codeErrorMs(startTimeMs + ptsMs, code, late));
  }
  errors.sort((a, b) => a - b);
  const count = errors.length;
  if (count === 0) return { count, maxMs: NaN, p99Ms: NaN, meanMs: NaN };
  return {
    count,
    maxMs: errors[count - 1]!,
    p99Ms: errors[Math.ceil(count * 0.99) - 1]!,
    meanMs: errors.reduce((sum, error) => sum + error, 0) / count,
  };
}
