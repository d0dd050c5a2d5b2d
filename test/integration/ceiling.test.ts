// A screen full of video: no minute of it exceeds the ceiling, no frame is left out, and it is sharp as soon as it rests. The
// recorder's own encoding options on frames that the test makes, faster than they are shown.
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { captureArguments } from '../../main/capture/ffmpegCommand.ts';
import { compose, fit } from '../../main/capture/layout.ts';
import { BusiestMinute } from '../../main/media/bitRate.ts';
import { FragmentSplitter } from '../../main/media/fragments.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { BIT_RATE_CEILING } from '../../main/shared/names.ts';
import { spawnForCapture } from '../../main/capture/spawnFfmpeg.ts';
import { endWithUs, runOrThrow } from '../rig/process.ts';
import { decodeRaw } from '../rig/rawFrames.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { writeFile } from 'node:fs/promises';

const SCREEN = { width: 640, height: 360 };
const BYTES = SCREEN.width * SCREEN.height * 4;
const FPS = 5;
/** Longer than the minute that counts. */
const MOVING = 90 * FPS;
/** Two seconds. */
const RESTING = 2 * FPS;
const PROGRAM = join(findResourcesFolder(), 'ffmpeg', 'linux-x64', 'ffmpeg');

/** Large grains, so that an encoder has something to lose. */
function noise(): Buffer {
  const grains = randomFillSync(Buffer.alloc(BYTES / 16 + SCREEN.width));
  const frame = Buffer.alloc(BYTES * 2);
  for (let pixel = 0; pixel < frame.length / 4; pixel += 1) {
    const [x, y] = [pixel % SCREEN.width, Math.floor(pixel / SCREEN.width)];
    frame.fill(
      grains[((y >> 2) * (SCREEN.width >> 2) + (x >> 2)) % grains.length]!,
      pixel * 4,
      pixel * 4 + 3,
    );
  }
  return frame;
}

function meanError(one: Uint8Array, other: Uint8Array): number {
  const count = SCREEN.width * SCREEN.height;
  let sum = 0;
  for (let at = 0; at < count; at += 1) sum += Math.abs(one[at]! - other[at]!);
  return sum / count;
}

it('a screen full of video stays below the ceiling with every frame, and is sharp two seconds after it rests', async () => {
  const composition = compose([{ name: 'a', x: 0, y: 0, ...SCREEN, primary: true }]);
  const words = captureArguments({
    grab: { device: 'x11grab', display: ':0', area: composition.area },
    ...{ composition, fit: fit(composition, null) },
    ...{ fps: FPS, encoder: 'libopenh264', quality: 'balanced', isPatched: true },
  });
  const size = `${SCREEN.width}x${SCREEN.height}`;
  const input = `-v error -f rawvideo -pixel_format bgr0 -video_size ${size} -framerate ${FPS} -i pipe:0`;
  const child = spawnForCapture(PROGRAM, [...input.split(' '), ...words.slice(words.indexOf('-an'))]);
  endWithUs(child);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const source = noise();
  const frameAt = (index: number): Buffer => {
    const offset = (((index * 7919) % SCREEN.height) * SCREEN.width + ((index * 104729) % SCREEN.width)) * 4;
    return source.subarray(offset, offset + BYTES);
  };
  for (let index = 0; index < MOVING + RESTING; index += 1) {
    const frame = frameAt(Math.min(index, MOVING - 1));
    if (!child.stdin.write(frame)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  }
  child.stdin.end();
  expect(await ended).toBe(0);

  const mp4 = Buffer.concat(output);
  const fragments = new FragmentSplitter().push(mp4).filter((one) => one.kind === 'fragment');
  expect(fragments).toHaveLength(MOVING + RESTING);
  const busiest = new BusiestMinute();
  fragments.forEach(({ fragment }, index) => busiest.add((index * 1000) / FPS, fragment.frame.byteLength));
  expect(busiest.bitsPerSecond).toBeLessThanOrEqual(BIT_RATE_CEILING);
  // It used what it may: a ceiling that nothing reaches would show nothing.
  expect(busiest.bitsPerSecond).toBeGreaterThan(BIT_RATE_CEILING / 2);

  const file = join(await temporaryFolder(), 'video.mp4');
  await writeFile(file, mp4);
  const frames = await decodeRaw(file, SCREEN);
  const raw = '-f rawvideo -pix_fmt yuv420p pipe:1'.split(' ');
  const { stdout: truth } = await runOrThrow(
    PROGRAM,
    [...input.split(' '), '-vf', `deskyuv=size=${size}:parts=0_0_640_360_0_0`, ...raw],
    { input: frameAt(MOVING - 1) },
  );
  const [moving = 0, resting = Infinity] = [frames[MOVING - 1]!, frames.at(-1)!].map((frame) =>
    meanError(frame, truth),
  );
  expect(moving).toBeGreaterThan(2 * resting);
  expect(resting).toBeLessThan(2);
});
