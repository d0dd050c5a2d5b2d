// Plain screen captures for tests of the rig itself: ffmpeg's x11grab and libx264, nothing of Sightline.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { DecodedFrame } from './frames.ts';
import { endWithUs, FFMPEG_HINT, findTool } from './process.ts';
import type { Timecode } from './timecode.ts';

export const CAPTURE_FPS = 25;

export interface Capture {
  file: string;
  /** Wall-clock time of the first grabbed frame, as ffmpeg prints it. */
  startTimeMs: number;
}

/** Records the display until `frames` are in the file; `onFrame` may act meanwhile. */
export async function capture(
  display: string,
  file: string,
  frames: number,
  options: { filter?: string; fps?: number; onFrame?: (frame: number) => Promise<void> } = {},
): Promise<Capture> {
  const args = [
    ...['-hide_banner', '-nostats', '-y', '-f', 'x11grab', '-framerate', String(options.fps ?? CAPTURE_FPS)],
    ...['-probesize', '32', '-analyzeduration', '0', '-i', display],
    ...(options.filter ? ['-vf', options.filter] : []),
    // The grabber's own timestamps: at a constant rate a starved ffmpeg repeats old frames, which is no fault of ours.
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-color_range', 'tv', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
    ...['-frames:v', String(frames), '-movflags', '+faststart'],
    ...['-progress', 'pipe:1', '-stats_period', '0.04', file],
  ];
  const child = spawn(findTool(['ffmpeg'], FFMPEG_HINT), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithUs(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const frame = /^frame=(\d+)/.exec(line)?.[1];
    if (frame) await options.onFrame?.(Number(frame));
  }
  if ((await ended) !== 0) throw new Error(`ffmpeg failed:\n${said}`);
  return { file, startTimeMs: Number(/start: (\d+\.\d+)/.exec(said)![1]) * 1000 };
}

/** The frames that show a code. */
export function withCode(
  frames: DecodedFrame[],
): { ptsMs: number; code: Timecode; sensitiveShare: number }[] {
  return frames.flatMap(({ code, ...frame }) => (code ? [{ ...frame, code }] : []));
}
