// What our ffmpeg delivers of a screen (resources/ffmpeg/patches: grab-changes, deskyuv), sample by sample: a frame for every
// change, however small, and nothing else but one a second and what is asked for. Its own encoder is left out.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import x11, { type Client, type Display as Connection } from 'x11';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { captureArguments } from '../../main/capture/ffmpegCommand.ts';
import { compose, fit } from '../../main/capture/layout.ts';
import { spawnForCapture } from '../../main/capture/spawnFfmpeg.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { endWithUs } from '../rig/process.ts';
import type { Rect } from '../rig/timecode.ts';
import { Dice } from '../soak/common.ts';

const SCREEN = { width: 640, height: 400 };
/** Half of the time after which a frame comes in any case, and far more than a frame's interval. */
const SOON_MS = 500;
const PROGRAM = join(findResourcesFolder(), 'ffmpeg', 'linux-x64', 'ffmpeg');

let display: Display;
let connection: Connection;
let client: Client;
/** 0xRRGGBB of every pixel: what must be on the screen. */
const pixels = new Uint32Array(SCREEN.width * SCREEN.height);

beforeAll(async () => {
  display = await startDisplay(SCREEN);
  connection = await promisify<Connection>((done) =>
    x11.createClient({ display: display.display }, (error, one) => done(error ?? null, one)),
  )();
  ({ client } = connection);
  await paint({ x: 0, y: 0, ...SCREEN }, 0x2b4a66);
});
afterAll(async () => {
  client.terminate();
  await display.stop();
});

/** A window of that colour, above the others. */
async function paint(rect: Rect, colour: number): Promise<void> {
  const screen = connection.screen[0]!;
  const { x, y, width, height } = rect;
  const window = client.AllocID();
  const values = { backgroundPixel: colour, overrideRedirect: true };
  client.CreateWindow(window, screen.root, x, y, width, height, 0, screen.root_depth, 1, 0, values);
  client.MapWindow(window);
  for (let row = y; row < y + height; row += 1)
    pixels.fill(colour, row * SCREEN.width + x, row * SCREEN.width + x + width);
  await client.sync();
}

/** BT.709 in the video range, chroma of the mean of four pixels: as deskyuv says, written a second time. */
function converted(monitors: readonly Rect[], canvas: { width: number; height: number }): Buffer {
  const { width, height } = canvas;
  const frame = Buffer.alloc(width * height * 1.5, 128).fill(16, 0, width * height);
  const colourAt = (x: number, y: number): number[] => {
    const pixel = pixels[y * SCREEN.width + x]!;
    return [(pixel >> 16) & 255, (pixel >> 8) & 255, pixel & 255];
  };
  const weigh = (
    rgb: readonly number[],
    weights: readonly number[],
    black: number,
    scale: number,
  ): number => {
    const sum = rgb.reduce((total, value, index) => total + value * weights[index]!, 0);
    return Math.floor((sum + black * scale + scale / 2) / scale);
  };
  let left = 0;
  for (const monitor of monitors) {
    for (let y = 0; y < monitor.height; y += 1)
      for (let x = 0; x < monitor.width; x += 1)
        frame[y * width + left + x] = weigh(
          colourAt(monitor.x + x, monitor.y + y),
          [5983, 20127, 2032],
          16,
          1 << 15,
        );
    for (let y = 0; y < monitor.height; y += 2)
      for (let x = 0; x < monitor.width; x += 2) {
        const four = [0, 1].flatMap((down) =>
          [0, 1].map((across) => colourAt(monitor.x + x + across, monitor.y + y + down)),
        );
        const sum = [0, 1, 2].map((index) => four.reduce((total, rgb) => total + rgb[index]!, 0));
        const at = width * height + ((y / 2) * width) / 2 + (left + x) / 2;
        frame[at] = weigh(sum, [-3298, -11094, 14392], 128, 1 << 17);
        frame[at + (width * height) / 4] = weigh(sum, [14392, -13073, -1319], 128, 1 << 17);
      }
    left += monitor.width;
  }
  return frame;
}

interface Grab {
  readonly child: ChildProcessWithoutNullStreams;
  /** Those that have arrived, with the time of their arrival. */
  readonly frames: { readonly data: Buffer; readonly at: number }[];
  /** It has begun, and knows where the pointer is. */
  atRest(): Promise<void>;
  /** The next frame after these; null: none came so soon. */
  after(count: number, withinMs: number): Promise<Buffer | null>;
}

/** Runs the recorder's own command, with raw frames instead of an MP4. */
function grab(monitors: readonly Rect[], canvas: { width: number; height: number }): Grab {
  const composition = compose(
    monitors.map((rect, index) => ({ ...rect, name: String(index), primary: index === 0 })),
  );
  const words = captureArguments({
    grab: { device: 'x11grab', display: display.display, area: composition.area },
    ...{ composition, fit: fit(composition, null) },
    ...{ fps: 5, encoder: 'libopenh264', quality: 'balanced', isPatched: true },
  });
  words[words.indexOf('-draw_mouse') + 1] = '0';
  const raw = '-fps_mode passthrough -c:v rawvideo -threads 1 -flush_packets 1 -f rawvideo pipe:1'.split(' ');
  const child = spawnForCapture(PROGRAM, [...words.slice(0, words.indexOf('-c:v')), ...raw]);
  endWithUs(child);
  const frames: Grab['frames'] = [];
  const bytes = canvas.width * canvas.height * 1.5;
  let pending = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (; pending.length >= bytes; pending = pending.subarray(bytes))
      frames.push({ data: Buffer.from(pending.subarray(0, bytes)), at: performance.now() });
  });
  child.stderr.resume();
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    ...{ child, frames },
    async atRest() {
      expect(await this.after(0, 5000)).not.toBeNull();
      await sleep(500);
    },
    async after(count, withinMs) {
      const until = performance.now() + withinMs;
      while (frames.length <= count && performance.now() < until) await sleep(5);
      return frames[count]?.data ?? null;
    },
  };
}

describe.each([
  ['one monitor', [{ x: 0, y: 0, ...SCREEN }], SCREEN],
  [
    'two monitors with a strip between them, the second one lower',
    [
      { x: 0, y: 0, width: 256, height: 300 },
      { x: 320, y: 0, width: 318, height: 400 },
    ],
    { width: 574, height: 400 },
  ],
] as const)('%s', (_, monitors, canvas) => {
  it('delivers every single pixel that changes, soon, and the rest as it was', async () => {
    const dice = new Dice(20261130);
    const grabbed = grab(monitors, canvas);
    await grabbed.atRest();
    for (let change = 0; change < 60; change += 1) {
      const monitor = dice.pick<Rect>(monitors);
      const place = {
        x: monitor.x + Math.floor(dice.between(0, monitor.width)),
        y: monitor.y + Math.floor(dice.between(0, monitor.height)),
      };
      const before = grabbed.frames.length;
      const inverse = pixels[place.y * SCREEN.width + place.x]! ^ 0xffffff;
      await paint({ ...place, width: 1, height: 1 }, inverse);
      const frame = await grabbed.after(before, SOON_MS);
      expect(frame, `change ${change} at ${place.x},${place.y}`).not.toBeNull();
      expect(frame!.equals(converted(monitors, canvas)), `change ${change}`).toBe(true);
    }
  });

  it('delivers what changes at many places at once', async () => {
    const dice = new Dice(4);
    const grabbed = grab(monitors, canvas);
    await grabbed.atRest();
    for (let round = 0; round < 5; round += 1) {
      for (let change = 0; change < 30; change += 1) {
        const size = {
          width: 1 + Math.floor(dice.between(0, 90)),
          height: 1 + Math.floor(dice.between(0, 40)),
        };
        await paint(
          {
            ...size,
            x: Math.floor(dice.between(0, SCREEN.width - size.width)),
            y: Math.floor(dice.between(0, SCREEN.height - size.height)),
          },
          Math.floor(dice.between(0, 0xffffff)),
        );
      }
      const expected = converted(monitors, canvas);
      await expect.poll(() => grabbed.frames.at(-1)?.data.equals(expected), { timeout: 900 }).toBe(true);
    }
  });
});

it('delivers one frame a second of a screen that rests, one for each request at once, and ends with stdin', async () => {
  const grabbed = grab([{ x: 0, y: 0, ...SCREEN }], SCREEN);
  await grabbed.atRest();
  await sleep(4200);
  const resting = grabbed.frames.length;
  expect(resting).toBeGreaterThanOrEqual(4);
  expect(resting).toBeLessThanOrEqual(7);
  for (let request = 0; request < 5; request += 1) {
    const before = grabbed.frames.length;
    grabbed.child.stdin.write('f');
    expect((await grabbed.after(before, SOON_MS))?.equals(grabbed.frames[0]!.data)).toBe(true);
  }
  const exited = new Promise((resolve) => grabbed.child.once('exit', resolve));
  grabbed.child.stdin.end();
  expect(await exited).toBe(0);
});
