// Decoded frames as raw yuv420p, for tests that compare every sample.
import type { YuvImage } from '../../main/media/yuvImage.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from './process.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * @param input a file, or an H.264 stream in Annex B
 * @returns every frame in the order of presentation. Rejects at the first complaint of the decoder.
 */
export async function decodeRaw(input: string | Uint8Array, { width, height }: Size): Promise<Buffer[]> {
  const stream = typeof input === 'string' ? {} : { input };
  const { stdout, stderr } = await runOrThrow(
    findTool(['ffmpeg'], FFMPEG_HINT),
    [
      ...['-v', 'error', '-xerror', '-err_detect', 'explode'],
      ...(typeof input === 'string' ? ['-i', input] : ['-f', 'h264', '-i', 'pipe:0']),
      // Frames may be closer to each other than the usual rate.
      ...['-fps_mode', 'passthrough', '-enc_time_base', '1/1000'],
      ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'],
    ],
    stream,
  );
  if (stderr !== '') throw new Error(stderr);
  const bytes = width * height * 1.5;
  return Array.from({ length: stdout.byteLength / bytes }, (_, index) =>
    stdout.subarray(index * bytes, (index + 1) * bytes),
  );
}

/** The frame with the image copied into it; rows below the frame are left out. */
export function painted(frame: Buffer, size: Size, image: YuvImage, x: number, y: number): Buffer {
  const copy = Buffer.from(frame);
  let [to, from] = [0, 0];
  for (const scale of [1, 2, 2]) {
    const [width, height] = [size.width / scale, size.height / scale];
    const [across, down] = [image.width / scale, image.height / scale];
    for (let row = 0; row < Math.min(down, height - y / scale); row += 1) {
      const at = from + row * across;
      image.data.copy(copy, to + (y / scale + row) * width + x / scale, at, at + across);
    }
    to += width * height;
    from += across * down;
  }
  return copy;
}

/** Peak signal-to-noise ratio in dB; above 40 two images look the same. */
export function psnr(one: Uint8Array, other: Uint8Array): number {
  const squares = one.reduce((sum, value, index) => sum + (value - (other[index] ?? 0)) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squares / one.byteLength));
}
