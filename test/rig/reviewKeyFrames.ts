// Key frames of H.264 as the review server hands them over, from pictures.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import { descriptionOf } from '../../main/media/decoderConfig.ts';
import type { KeyFrame } from '../../review/contract.ts';
import { findTool, runOrThrow } from './process.ts';

/** @param source what ffmpeg's -i takes: a picture's path, or with `['-f', 'lavfi']` a generated one */
export async function keyFrameOf(source: string, options: readonly string[] = []): Promise<KeyFrame> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-keyframe-'));
  try {
    const file = join(folder, 'frame.mp4');
    const ffmpeg = findTool(
      ['ffmpeg'],
      'Install it (on Debian: apt install ffmpeg), or run `npm run setup`.',
    );
    const words = [...options, '-i', source, '-frames:v', '1', '-pix_fmt', 'yuv420p', '-c:v', 'libx264'];
    await runOrThrow(ffmpeg, ['-y', '-v', 'error', ...words, file]);
    const input = new Input({ source: new BufferSource(await readFile(file)), formats: [MP4] });
    const track = await input.getPrimaryVideoTrack();
    const config = await track?.getDecoderConfig();
    const packet = track && (await new EncodedPacketSink(track).getFirstPacket());
    if (!track || !config || !packet) throw new Error(`${source} gave no frame.`);
    return {
      timeMs: 0,
      codec: config.codec,
      width: await track.getCodedWidth(),
      height: await track.getCodedHeight(),
      description: descriptionOf(config).toString('base64'),
      data: Buffer.from(packet.data).toString('base64'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
