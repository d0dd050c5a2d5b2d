// Several monitors, and monitors that come, go and change in mid-contact, on a real X server with real RandR outputs.
// Every monitor shows its own clock; what is judged is what every frame of the MP4 shows of each.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../main/shared/manifest.ts';
import { MACROBLOCK, MAX_MACROBLOCKS } from '../../main/shared/names.ts';
import type { Desk, MonitorSpec } from '../rig/desk.ts';
import { startDesk } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import type { RecordingFrame } from '../rig/recordingFrames.ts';
import { clockLine, decodeRecording, recordingClock } from '../rig/recordingFrames.ts';

const FRAME_MS = 200;
const full = { width: 1920, height: 1080 };

let desk: Desk;
let recorder: Recorder;
let page: Page;
let contacts = 0;

beforeAll(async () => {
  desk = await startDesk({
    monitors: [{ x: 0, y: 0, width: 1280, height: 720 }, null, null, null],
    changeable: true,
  });
  recorder = await startRecorder({ display: desk.display });
  page = await recorder.connect();
});
afterAll(async () => {
  await recorder.stop();
  await desk.stop();
});
afterEach(() => desk.setPhase(0));

async function start(): Promise<string> {
  contacts += 1;
  const contactId = `c-${contacts}`;
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  return contactId;
}

interface Recorded {
  mp4: string;
  manifest: Manifest;
  frames: RecordingFrame[];
}

/** Stops the contact and judges what holds for every recording: length, decoding, clock on every monitor. */
async function finish(contactId: string): Promise<Recorded> {
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  const found = (await recorder.published()).find(({ manifest }) => manifest.contact.contactId === contactId);
  const { mp4, manifest } = found!;
  expect(await decodesCleanly(mp4)).toBe('');
  const { durationMs, profile, level } = await probe(mp4);
  expect(Math.abs(durationMs - manifest.durationMs)).toBeLessThanOrEqual(FRAME_MS);
  // What Windows' own decoder takes: https://learn.microsoft.com/windows/win32/medfound/h-264-video-decoder
  expect(profile).toBe('High');
  expect(level).toBeLessThanOrEqual(51);
  const frames = await decodeRecording(mp4, manifest);
  const clock = recordingClock(frames, manifest);
  console.log(`${manifest.video.width}x${manifest.video.height}: ${clockLine(clock)}`);
  expect(clock.maxMs, JSON.stringify(clock.worst)).toBeLessThanOrEqual(FRAME_MS);
  return { mp4, manifest, frames };
}

function numbersSeen(frames: readonly RecordingFrame[], name: string): Set<number | undefined> {
  return new Set(frames.filter(({ codes }) => codes.has(name)).map(({ codes }) => codes.get(name)?.monitor));
}

describe('monitors', () => {
  const layouts: readonly [string, readonly (MonitorSpec | null)[]][] = [
    ['one of an odd size', [{ x: 0, y: 0, width: 1367, height: 769 }]],
    [
      'two of mixed sizes side by side',
      [
        { x: 0, y: 0, ...full },
        { x: 1920, y: 56, width: 1280, height: 1024 },
      ],
    ],
    [
      'two stacked',
      [
        { x: 0, y: 0, width: 1280, height: 720 },
        { x: 100, y: 720, width: 1024, height: 600 },
      ],
    ],
    [
      'three, one of them portrait',
      [
        { x: 1080, y: 420, ...full, primary: true },
        { x: 0, y: 0, width: 1080, height: 1920 },
        { x: 3000, y: 420, width: 801, height: 601 },
      ],
    ],
    [
      'three in an L with a gap between them',
      [
        { x: 0, y: 0, width: 1280, height: 720 },
        { x: 1480, y: 0, width: 800, height: 600 },
        { x: 0, y: 900, width: 1024, height: 768 },
      ],
    ],
    ['three over the encoder’s limit', [0, 2560, 5120].map((x) => ({ x, y: 0, width: 2560, height: 1440 }))],
  ];
  it.each(layouts)('%s: each is seen whole, at its place, and on time', async (_, layout) => {
    await desk.arrange([...layout, ...Array<null>(4 - layout.length).fill(null)]);
    const contactId = await start();
    await sleep(1600);
    const { manifest, frames } = await finish(contactId);
    const [run] = manifest.runs;
    expect(run?.monitors.map(({ picture: _picture, ...monitor }) => monitor)).toEqual(
      desk.monitors.map(({ number: _number, ...monitor }) => monitor).sort((a, b) => a.x - b.x || a.y - b.y),
    );
    expect(run?.leftOut).toEqual([]);
    expect(manifest.gaps).toEqual([]);
    for (const { name, number } of desk.monitors)
      expect(numbersSeen(frames, name)).toEqual(new Set([number]));
    const { width, height } = manifest.video;
    const blocks = Math.ceil(width / MACROBLOCK) * Math.ceil(height / MACROBLOCK);
    expect(blocks).toBeLessThanOrEqual(MAX_MACROBLOCKS);
    // Nothing is scaled that need not be, and what must be is scaled as little as can be.
    if (layout.some((one) => one?.width === 2560)) {
      expect(blocks).toBeGreaterThan(MAX_MACROBLOCKS * 0.97);
    } else {
      for (const { picture, ...monitor } of run!.monitors) {
        expect([picture.width, picture.height]).toEqual([monitor.width, monitor.height]);
      }
    }
  });

  it('a fourth is left out, the primary one first, and the manifest says so', async () => {
    await desk.arrange(
      [0, 640, 1280, 1920].map((x) => ({ x, y: 0, width: 640, height: 480, primary: x === 1920 })),
    );
    const contactId = await start();
    await sleep(800);
    const { manifest, frames } = await finish(contactId);
    const [run] = manifest.runs;
    expect(run?.monitors.map(({ name }) => name)).toEqual(['DUMMY0', 'DUMMY1', 'DUMMY3']);
    expect(run?.leftOut.map(({ name }) => name)).toEqual(['DUMMY2']);
    expect(manifest.video.width).toBe(3 * 640);
    expect(numbersSeen(frames, 'DUMMY3')).toEqual(new Set([4]));
  });
});

describe('in mid-contact', () => {
  const left = { x: 0, y: 0, width: 1280, height: 720 };
  const right = { x: 1280, y: 0, width: 1024, height: 768 };
  const changes: readonly [string, (MonitorSpec | null)[], (MonitorSpec | null)[]][] = [
    ['unplug', [left, right], [left, null]],
    ['plug', [left, null], [left, right]],
    ['another resolution', [left, right], [left, { ...right, width: 1680, height: 1050 }]],
    [
      'rotation',
      [left, right],
      [
        { ...left, width: 720, height: 1280 },
        { ...right, x: 720 },
      ],
    ],
    [
      'another arrangement',
      [left, right],
      [
        { ...left, x: 1024 },
        { ...right, x: 0 },
      ],
    ],
    ['unplug of the primary one', [left, right], [null, { ...right, x: 0 }]],
  ];
  it.each(changes)(
    '%s: capture is back on the new layout, the canvas stays, and a gap longer than a frame says why',
    async (_, before, after) => {
      await desk.arrange([...before, null, null]);
      const contactId = await start();
      await sleep(1000);
      await desk.setPhase(1);
      const { askedAtMs } = await desk.arrange([...after, null, null]);
      await sleep(1600);
      const { manifest, frames } = await finish(contactId);
      const backAtMs = Date.parse(manifest.runs.at(-1)!.startTime);
      console.log(`back after ${backAtMs - askedAtMs} ms`);
      expect(backAtMs - askedAtMs).toBeLessThanOrEqual(2000);
      expect(manifest.runs).toHaveLength(2);
      expect(manifest.gaps.length).toBeLessThanOrEqual(1);
      for (const { reason } of manifest.gaps) expect(reason).toBe('display-changed');
      expect(manifest.runs[1]?.monitors.map(({ name }) => name).sort()).toEqual(
        desk.monitors.map(({ name }) => name).sort(),
      );
      const { width, height } = manifest.video;
      const evenly = (size: number): number => size + (size % 2);
      const specs = before.filter((one) => one !== null);
      expect([width, height]).toEqual([
        evenly(Math.max(...specs.map((one) => one.x + one.width))),
        evenly(Math.max(...specs.map((one) => one.y + one.height))),
      ]);
      // The last second shows the new layout, every monitor of it.
      const last = frames.filter(({ ptsMs }) => ptsMs > manifest.durationMs - 800);
      expect(last.length).toBeGreaterThan(2);
      for (const { name, number } of desk.monitors)
        expect(numbersSeen(last, name)).toEqual(new Set([number]));
    },
  );

  it('no monitor at all: the slate says so, and capture returns with the first one', async () => {
    await desk.arrange([left, right, null, null]);
    const contactId = await start();
    await sleep(800);
    await desk.arrange([null, null, null, null]);
    await page.push(
      (push) =>
        push.type === 'app.state' && push.state === 'paused' && push.reason?.code === 'display-unavailable',
    );
    await sleep(1500);
    const { askedAtMs } = await desk.arrange([null, right, null, null]);
    await sleep(1500);
    const { manifest, frames } = await finish(contactId);
    expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['display-unavailable']);
    expect(Date.parse(manifest.runs[1]!.startTime) - askedAtMs).toBeLessThanOrEqual(2000);
    expect(numbersSeen(frames.slice(-3), 'DUMMY1')).toEqual(new Set([2]));
  });

  it('a contact that starts without any monitor begins with the slate, and the page is told', async () => {
    await desk.arrange([null, null, null, null]);
    contacts += 1;
    const contactId = `c-${contacts}`;
    const started = await page.ask('contact.start', { contactId, channel: 'CHAT' });
    expect(started).toMatchObject({ pausedBy: ['display-unavailable'] });
    await sleep(600);
    await desk.arrange([left, null, null, null]);
    await page.push(
      (push) =>
        push.type === 'app.state' &&
        push.state === 'recording' &&
        push.contacts.some((one) => one.contactId === contactId),
    );
    await sleep(800);
    const { manifest } = await finish(contactId);
    expect(manifest.startTime).toBe(started.startTime);
    expect(manifest.gaps).toMatchObject([{ offsetMs: 0, reason: 'display-unavailable' }]);
    expect(manifest.runs).toHaveLength(1);
  });

  it('suspended stays suspended, whatever becomes of the monitors', async () => {
    await desk.arrange([left, right, null, null]);
    const contactId = await start();
    await sleep(600);
    await page.ask('contact.suspend', { contactId });
    await desk.showSensitive(true);
    await desk.arrange([left, null, null, null]);
    await sleep(400);
    await desk.arrange([null, null, null, null]);
    await sleep(400);
    await desk.arrange([left, right, null, null]);
    await sleep(600);
    expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
    await desk.showSensitive(false);
    await page.ask('contact.resume', { contactId });
    await sleep(800);
    const { manifest, frames } = await finish(contactId);
    expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['suspended']);
    expect(Math.max(...frames.map(({ sensitiveShare }) => sensitiveShare))).toBe(0);
  });
});
