// A real fragmented MP4 as a capture run writes it (one fragment a frame), made by the ffmpeg of this machine.
import { FfmpegFinder } from '../../../main/capture/ffmpegBinary.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../../rig/process.ts';

export interface TestVideo {
  readonly bytes: Buffer;
  readonly frames: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  /** Each so many frames there is a key frame, the first included. */
  readonly keyInterval: number;
}

/** The ffmpeg on PATH, as an absolute path. */
export function ffmpegPath(): string {
  return findTool(['ffmpeg'], FFMPEG_HINT);
}

export async function makeTestVideo(frames = 10): Promise<TestVideo> {
  const [fps, width, height, keyInterval] = [5, 160, 96, 5];
  const path = ffmpegPath();
  const { encoder } = await new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '').find();
  const { stdout } = await runOrThrow(path, [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc=size=${width}x${height}:rate=${fps}`],
    ...[
      '-frames:v',
      String(frames),
      '-pix_fmt',
      'yuv420p',
      '-c:v',
      encoder,
      '-bf',
      '0',
      '-g',
      String(keyInterval),
    ],
    ...(encoder === 'libx264' ? ['-tune', 'zerolatency'] : []),
    ...['-fps_mode', 'vfr', '-enc_time_base', '1/1000'],
    ...['-movflags', '+frag_every_frame+empty_moov+default_base_moof', '-flush_packets', '1'],
    ...['-f', 'mp4', 'pipe:1'],
  ]);
  return { bytes: stdout, frames, fps, width, height, keyInterval };
}

/** The initialisation segment and one fragment a frame, as capture appends them to a run file. */
export function chunksOf({ bytes }: TestVideo): Uint8Array[] {
  return new FragmentSplitter()
    .push(bytes)
    .map((part) => (part.kind === 'initialisation' ? part.segment.bytes : part.fragment.bytes));
}

/** The boxes at the top of an MP4: type, place and size. Written anew here so that the tests have a second opinion. */
export function topBoxes(bytes: Buffer): { type: string; start: number; end: number }[] {
  const boxes: { type: string; start: number; end: number }[] = [];
  for (let start = 0; start + 8 <= bytes.length;) {
    const end = start + bytes.readUInt32BE(start);
    boxes.push({ type: bytes.toString('latin1', start + 4, start + 8), start, end });
    start = end;
  }
  return boxes;
}
