// Overlay frames on streams of real encoders, decoded by ffmpeg: the image is exactly there, everything else is exactly the
// frame before, and the next key frame follows without an error.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDecoderConfig } from '../../../main/media/decoderConfig.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import { isKeyFrame } from '../../../main/media/h264.ts';
import { overlayFrame } from '../../../main/media/overlayFrame.ts';
import { YuvImage } from '../../../main/media/yuvImage.ts';
import { captureArguments } from '../../../main/capture/ffmpegCommand.ts';
import { compose, fit } from '../../../main/capture/layout.ts';
import { findResourcesFolder } from '../../../main/platform/paths.ts';
import { runOrThrow } from '../../rig/process.ts';
import { decodeRaw, painted } from '../../rig/rawFrames.ts';
import { ffmpegPath } from '../support/fragmentedMp4.ts';

const ours = join(findResourcesFolder(), 'ffmpeg', 'linux-x64', 'ffmpeg');
const x264 = ['-c:v', 'libx264', '-bf', '0', '-g', '300', '-tune', 'zerolatency'];

interface Stream {
  readonly config: VideoDecoderConfig;
  readonly frames: readonly Uint8Array[];
}

async function encode(
  ffmpeg: string,
  size: string,
  frames: number,
  options: readonly string[],
): Promise<Stream> {
  const input = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=5`, '-frames:v', String(frames)];
  const raw = await runOrThrow(ffmpegPath(), [
    ...['-v', 'error', ...input, '-pix_fmt', 'yuv420p', '-f', 'rawvideo', 'pipe:1'],
  ]);
  const { stdout } = await runOrThrow(
    ffmpeg,
    [
      ...[
        '-v',
        'error',
        '-f',
        'rawvideo',
        '-pixel_format',
        'yuv420p',
        '-video_size',
        size,
        '-framerate',
        '5',
      ],
      ...['-i', 'pipe:0', ...options, '-movflags', '+frag_every_frame+empty_moov+default_base_moof'],
      ...['-f', 'mp4', 'pipe:1'],
    ],
    { input: raw.stdout },
  );
  const parts = new FragmentSplitter().push(stdout);
  const start = parts.flatMap((one) => (one.kind === 'initialisation' ? [one.segment.bytes] : []))[0];
  const found = parts.flatMap((one) => (one.kind === 'fragment' ? [one.fragment.frame] : []));
  expect(found).toHaveLength(frames);
  return { config: await readDecoderConfig(start!), frames: found };
}

/** As an H.264 stream in Annex B. */
function annexB({ config, frames }: Stream): Buffer {
  const description = Buffer.from(config.description as Uint8Array);
  const units = [...parameterSets(description), ...frames.flatMap((frame) => unitsOf(Buffer.from(frame)))];
  return Buffer.concat(units.flatMap((unit) => [Buffer.of(0, 0, 0, 1), unit]));
}

function unitsOf(frame: Buffer): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 0; at < frame.length; at += 4 + frame.readUInt32BE(at))
    units.push(frame.subarray(at + 4, at + 4 + frame.readUInt32BE(at)));
  return units;
}

function parameterSets(avcC: Buffer): Buffer[] {
  const spsEnd = 8 + avcC.readUInt16BE(6);
  return [avcC.subarray(8, spsEnd), avcC.subarray(spsEnd + 3, spsEnd + 3 + avcC.readUInt16BE(spsEnd + 1))];
}

function badge(width: number, height: number): YuvImage {
  const image = new YuvImage(width, height, { red: 28, green: 37, blue: 48 });
  const data = Uint8Array.from({ length: width * height }, (_, index) => (index * 7) % 256);
  image.paint({ width, height, data }, 0, 0, { red: 255, green: 180, blue: 40 });
  return image;
}

const streams: [string, string, readonly string[], string][] = [
  ['libx264, CABAC', 'ffmpeg', x264, '640x360'],
  ['libx264 with weighted prediction', 'ffmpeg', [...x264, '-weightp', '2', '-crf', '40'], '640x360'],
  ['libx264, CAVLC', 'ffmpeg', [...x264, '-coder', '0'], '640x360'],
  ['libx264, baseline', 'ffmpeg', [...x264, '-profile:v', 'baseline'], '650x366'],
  ['libx264, four slices', 'ffmpeg', [...x264, '-slices', '4'], '640x360'],
  [
    'libx264, ultrafast, four reference frames',
    'ffmpeg',
    [...x264, '-preset', 'ultrafast', '-refs', '4'],
    '640x360',
  ],
  ['libopenh264 as runs use it', 'ours', [], '1280x720'],
  ['libopenh264, 1080 rows of 1088', 'ours', [], '1920x1080'],
];

describe('an overlay frame', () => {
  it.each(streams)(
    '%s',
    async (_, which, options, size) => {
      if (which === 'ours' && !existsSync(ours)) return;
      const [width, height] = size.split('x').map(Number) as [number, number];
      const frame = { width, height };
      const encoding = which === 'ours' ? libopenh264() : options;
      for (const count of [1, 18]) {
        const { config, frames } = await encode(
          which === 'ours' ? ours : ffmpegPath(),
          size,
          count,
          encoding,
        );
        const before = frames.at(-1)!;
        const image = badge(160, 48);
        const [x, y] = [96, Math.floor(height / 16) * 16 - 48];
        const first = overlayFrame(config, before, { image, x, y })!;
        expect(isKeyFrame(first)).toBe(false);
        expect(first.byteLength).toBeLessThan(160 * 48 * 1.5 + 2000);
        // A second one refers to the first, and a key frame follows, as after a gap.
        const second = overlayFrame(config, first, { image: badge(16, 16), x: 0, y: 0 })!;
        const key = frames[0]!;
        const decoded = await decodeRaw(annexB({ config, frames: [...frames, first, second, key] }), frame);
        const [held, withImage, withBoth, after] = decoded.slice(-4);
        const expected = painted(held!, frame, image, x, y);
        expect(withImage!.equals(expected)).toBe(true);
        expect(withBoth!.equals(painted(expected, frame, badge(16, 16), 0, 0))).toBe(true);
        expect(after!.equals(decoded[0]!)).toBe(true);
      }
    },
    60_000,
  );

  it('is not made outside of the frame, of other formats and after frames that no other may refer to', async () => {
    const image = badge(32, 32);
    const { config, frames } = await encode(ffmpegPath(), '320x176', 2, x264);
    const last = frames.at(-1)!;
    expect(overlayFrame(config, last, { image, x: 304, y: 0 })).toBeNull();
    expect(overlayFrame(config, last, { image, x: 0, y: 160 })).toBeNull();
    expect(overlayFrame(config, last, { image, x: -16, y: 0 })).toBeNull();
    expect(overlayFrame(config, last, { image, x: 288, y: 144 })).not.toBeNull();
    const unreferenced = Buffer.from(last);
    for (let at = 4; at < unreferenced.length; at += 4 + unreferenced.readUInt32BE(at - 4))
      unreferenced[at]! &= 0x1f;
    expect(overlayFrame(config, unreferenced, { image, x: 0, y: 0 })).toBeNull();
    const wide = await encode(ffmpegPath(), '320x176', 2, [...x264, '-pix_fmt', 'yuv444p']);
    expect(overlayFrame(wide.config, wide.frames.at(-1)!, { image, x: 0, y: 0 })).toBeNull();
    const interlaced = await encode(ffmpegPath(), '320x176', 2, [
      ...x264,
      '-flags',
      '+ildct',
      '-x264opts',
      'tff=1',
    ]);
    expect(overlayFrame(interlaced.config, interlaced.frames.at(-1)!, { image, x: 0, y: 0 })).toBeNull();
  });
});

/** The encoder's options of a run. */
function libopenh264(): string[] {
  const monitor = { name: 'a', x: 0, y: 0, width: 1280, height: 720, primary: true };
  const composition = compose([monitor]);
  const args = captureArguments({
    grab: { device: 'x11grab', display: ':0', area: composition.area },
    ...{ composition, fit: fit(composition, null) },
    ...{ fps: 5, encoder: 'libopenh264', quality: 'balanced', isPatched: true },
  });
  return args.slice(args.indexOf('-c:v'), args.indexOf('-movflags'));
}
