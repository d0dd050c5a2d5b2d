// The rig against the real thing, whole (test/integration/rig.test.ts is the part that every run of the tests rests on).
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { decodeFrames, frameClockErrors, type DecodedFrame } from '../rig/frames.ts';
import { decodesCleanly, framePng, probe, topLevelBoxes } from '../rig/mp4.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { startPainter, type Painter } from '../rig/painter.ts';
import { capture, CAPTURE_FPS, withCode, type Capture } from '../rig/plainCapture.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import type { Rect } from '../rig/timecode.ts';

const record = (
  name: string,
  frames: number,
  options: Parameters<typeof capture>[3] = {},
): Promise<Capture> => capture(display.display, join(folder, name), frames, options);

// Real time, real browser: on a loaded machine vitest's five seconds are not a fault.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let folder: string;
let display: Display;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-rig-'));
  display = await startDisplay();
});

afterAll(async () => {
  await display.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('display', () => {
  it('gives each caller one of its own, and takes it away again', async () => {
    const other = await startDisplay({ width: 640, height: 480 });
    expect(other.display).not.toBe(display.display);
    const painter = await startPainter({ display: other.display, scene: 'still' });
    other.kill();
    expect(await painter.exited).toContain(`(display ${other.display})`);
    await expect(painter.setPhase(1)).rejects.toThrow('the painter is gone');
    await painter.stop();
    await other.stop();
    await expect(startPainter({ display: other.display, scene: 'still' })).rejects.toThrow(/could not start/);
  });

  it('says what to install if there is no X server', async () => {
    const server = { commands: ['no-such-server'], hint: 'Install it.', args: () => [] };
    await expect(startDisplay({ server })).rejects.toThrow('no-such-server is on PATH. Install it.');
  });
});

describe('a recording of the timecode scene', () => {
  let painter: Painter;
  let recording: Capture;
  let frames: DecodedFrame[];

  beforeAll(async () => {
    painter = await startPainter({ display: display.display, scene: 'timecode', monitor: 3, phase: 7 });
    recording = await record('timecode.mp4', 3 * CAPTURE_FPS);
    frames = await decodeFrames(recording.file);
  });

  afterAll(() => painter.stop());

  it('is painted at least 20 times a second', async () => {
    const { frames: painted, runMs } = await painter.stats();
    expect((painted * 1000) / runMs).toBeGreaterThan(20);
  });

  it('is described by ffprobe and by its boxes', async () => {
    const video = await probe(recording.file);
    expect(video).toMatchObject({ codec: 'h264', width: 1280, height: 720, pixFmt: 'yuv420p' });
    expect(video).toMatchObject({
      colorRange: 'tv',
      colorSpace: 'bt709',
      colorPrimaries: 'bt709',
      colorTransfer: 'bt709',
    });
    expect(video).toMatchObject({ packets: 3 * CAPTURE_FPS, startTimeMs: 0 });
    expect(video.durationMs).toBeGreaterThan(frames.at(-1)!.ptsMs);
    expect(video.keyframes).toBeGreaterThanOrEqual(1);
    expect(await topLevelBoxes(recording.file)).toEqual(['ftyp', 'moov', 'free', 'mdat']);
    const png = join(folder, 'frame.png');
    await framePng(recording.file, 1999, png);
    expect((await stat(png)).size).toBeGreaterThan(1000);
  });

  it('decodes cleanly until its bytes are damaged', async () => {
    expect(await decodesCleanly(recording.file)).toBe('');
    const damaged = join(folder, 'damaged.mp4');
    await copyFile(recording.file, damaged);
    const { size } = await stat(damaged);
    const file = await open(damaged, 'r+');
    // A third of it: H.264 has no checksums, and less can decode to garbage without a word.
    const noise = Buffer.from(Array.from({ length: Math.floor(size / 3) }, (_, i) => (i * i * 31) % 251));
    await file.write(noise, 0, noise.length, noise.length);
    await file.truncate(size - 500);
    await file.close();
    expect(await decodesCleanly(damaged)).not.toBe('');
    expect((await topLevelBoxes(damaged)).at(-1)).toBe('mdat!');
  });

  it('is read at half the size, without being told', async () => {
    const small = await record('half.mp4', 10, { filter: 'scale=640:360', fps: 10 });
    const found = await decodeFrames(small.file);
    expect(withCode(found)).toHaveLength(10);
    expect(frameClockErrors(found, small.startTimeMs).maxMs).toBeLessThanOrEqual(100);
    expect(await decodeFrames(small.file, { scale: 0.5 })).toEqual(found);
  });

  it('keeps uneven timestamps as they are, and gives null where there is no code', async () => {
    const uneven = join(folder, 'uneven.mp4');
    // Frames missing here and there, a slate from 2.4 s on, and everything 0.5 s late.
    const filter = "select='gt(mod(n,5)*mod(n,7),0)',drawbox=color=gray:t=fill:enable='gte(t,2.4)'";
    await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
      ...['-v', 'error', '-i', recording.file, '-vf', filter, '-fps_mode', 'passthrough'],
      ...['-enc_time_base', '1:1000000', '-c:v', 'libx264', '-bf', '2'],
      // The start is kept in the movie's time scale, whose usual milliseconds would round it.
      ...['-output_ts_offset', '0.5', '-movie_timescale', '1000000', uneven],
    ]);
    const kept = frames.filter((_, n) => (n % 5) * (n % 7) > 0);
    const found = await decodeFrames(uneven);
    const us = (list: DecodedFrame[]): number[] => list.map(({ ptsMs }) => Math.round(ptsMs * 1000));
    expect(us(found)).toEqual(us(kept).map((time) => time + 500_000));
    expect(found.map(({ code }) => code)).toEqual(
      kept.map(({ ptsMs, code }) => (ptsMs < 2400 ? code : null)),
    );
    expect(await probe(uneven)).toMatchObject({ startTimeMs: found[0]!.ptsMs, packets: kept.length });
  });

  it('may have its frames bunched together', async () => {
    const bunched = join(folder, 'bunched.mp4');
    await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
      ...[
        '-v',
        'error',
        '-i',
        recording.file,
        '-vf',
        'settb=1/1000000,setpts=N*N*40',
        '-fps_mode',
        'passthrough',
      ],
      ...['-enc_time_base', '1:1000000', '-c:v', 'libx264', '-bf', '0', bunched],
    ]);
    expect(await decodesCleanly(bunched)).toBe('');
    const found = await decodeFrames(bunched);
    expect(found.map(({ ptsMs }) => Math.round(ptsMs * 1000))).toEqual(frames.map((_, n) => n * n * 40));
    expect(found.map(({ code }) => code)).toEqual(frames.map(({ code }) => code));
  });

  it('is still while the painter pauses', async () => {
    await painter.pause();
    const still = await decodeFrames((await record('still.mp4', 10)).file);
    expect(new Set(still.map(({ code }) => code?.timeMs)).size).toBe(1);
    const { paintedAtMs } = await painter.resume();
    expect(paintedAtMs).toBeGreaterThan(still[0]!.code!.timeMs);
  });

  describe('in Chromium', () => {
    let browser: Browser;
    let server: PageServer;

    beforeAll(async () => {
      const page = `<!doctype html><video src="/recording.mp4" muted></video>`;
      server = await startPageServer({ routes: { '/': page, '/recording.mp4': { file: recording.file } } });
      browser = await startBrowser();
    });

    afterAll(async () => {
      await browser.stop();
      await server.stop();
    });

    it('plays to its end', async () => {
      const page = await browser.newPage(server.origin);
      const seconds = await page.evaluate(`new Promise((resolve, reject) => {
        const video = document.querySelector('video');
        video.onended = () => resolve(video.currentTime);
        video.onerror = () => reject(new Error(video.error.message));
        video.playbackRate = 2;
        video.play().catch(reject);
      })`);
      expect(seconds).toBeCloseTo((await probe(recording.file)).durationMs / 1000, 1);
    });

    it('gets the byte range it asks for', async () => {
      const get = (range: string): Promise<Response> =>
        fetch(`${server.origin}/recording.mp4`, { headers: { range } });
      const { size } = await stat(recording.file);
      const middle = await get('bytes=4-7');
      expect(middle.status).toBe(206);
      expect(middle.headers.get('content-range')).toBe(`bytes 4-7/${size}`);
      expect(await middle.text()).toBe('ftyp');
      expect((await (await get('bytes=-10')).arrayBuffer()).byteLength).toBe(10);
      expect((await get(`bytes=${size}-`)).status).toBe(416);
      expect((await fetch(`${server.origin}/elsewhere`)).status).toBe(404);
    });
  });
});

describe('two painters on one screen', () => {
  it('are read apart, at odd places and sizes', async () => {
    const left: Rect = { x: 0, y: 0, width: 633, height: 401 };
    const right: Rect = { x: 633, y: 17, width: 607, height: 679 };
    const scene = 'timecode';
    const painters = await Promise.all([
      startPainter({ display: display.display, scene, area: left, monitor: 1 }),
      startPainter({ display: display.display, scene, area: right, monitor: 2, phase: 200 }),
    ]);
    const both = await record('both.mp4', 10);
    const found = await decodeFrames(both.file, { monitors: [left, right] });
    await Promise.all(painters.map((painter) => painter.stop()));
    for (const { codes } of found) {
      expect(codes.map((code) => [code?.monitor, code?.phase])).toEqual([
        [1, 0],
        [2, 200],
      ]);
    }
  });
});
