// Sightline dies or is restarted in mid-contact, and the page comes back: the recording goes on, and a suspension holds
// until the page says otherwise. Judged by the pictures.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { DecodedFrame } from '../rig/frames.ts';
import { decodeFrames, frameClockErrors } from '../rig/frames.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { agent, startRecorder } from '../rig/recorder.ts';

const FRAME_MS = 200;
const contact = { contactId: 'c' };
const before = 1;
const away = 2;
const after = 3;

let display: Display;
let painter: Painter;
let home: string;
let recorder: Recorder;
let page: Page;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode' });
});
afterAll(async () => {
  await painter.stop();
  await display.stop();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-restart-'));
  await painter.setPhase(before);
  await start();
});
afterEach(async () => {
  await recorder.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<void> {
  recorder = await startRecorder({ display: display.display, home, flags });
  page = await recorder.connect({ hello: false });
}

async function hello(): Promise<unknown> {
  return (await page.ask('hello', { protocol: 1, ...agent })).recordings;
}

async function restart(signal: 'SIGKILL' | 'SIGTERM', ...flags: string[]): Promise<void> {
  recorder.kill(signal);
  await recorder.exited;
  await painter.setPhase(away);
  await sleep(700);
  await start(...flags);
}

/** What is recorded by the next start on: phases that were seen, and the frames themselves. */
async function finish(): Promise<{
  frames: DecodedFrame[];
  phases: Set<number | undefined>;
  reasons: string[];
}> {
  const stopped = await page.ask<{ endTime: string }>('contact.stop', contact);
  await page.event('c', 'PUBLISHED');
  const found = await recorder.published();
  expect(found).toHaveLength(1);
  const { mp4, manifest } = found[0]!;
  expect(manifest.endTime).toBe(stopped.endTime);
  expect(await decodesCleanly(mp4)).toBe('');
  expect(Math.abs((await probe(mp4)).durationMs - manifest.durationMs)).toBeLessThanOrEqual(FRAME_MS);
  const frames = await decodeFrames(mp4);
  expect(frameClockErrors(frames, Date.parse(manifest.startTime), manifest.gaps).maxMs).toBeLessThanOrEqual(
    FRAME_MS,
  );
  return {
    frames,
    phases: new Set(frames.flatMap(({ code }) => (code === null ? [] : [code.phase]))),
    reasons: manifest.gaps.map((gap) => gap.reason),
  };
}

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'a suspension holds across a restart by %s, until the page resumes',
  async (signal) => {
    await hello();
    const started = await page.ask<{ recordingId: string }>('contact.start', {
      ...contact,
      channel: 'VOICE',
    });
    await sleep(1000);
    await page.ask('contact.suspend', contact);
    await restart(signal);
    expect(await hello()).toEqual([{ ...contact, recordingId: started.recordingId, state: 'suspended' }]);
    await painter.showSensitive(true);
    // A page that only says again what it knows changes nothing.
    expect(await page.ask('contact.start', { ...contact, channel: 'VOICE' })).toMatchObject({
      recordingId: started.recordingId,
      stillSuspendedBy: ['c'],
    });
    await sleep(1200);
    expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
    await painter.showSensitive(false);
    await painter.setPhase(after);
    await page.ask('contact.resume', contact);
    await sleep(1000);
    const { frames, phases, reasons } = await finish();
    expect(phases).toEqual(new Set([before, after]));
    expect(Math.max(...frames.map((frame) => frame.sensitiveShare))).toBe(0);
    expect(reasons).toEqual(['suspended']);
  },
);

it('policy resumeAfterRestart ends it when the page has come back, and the page is told', async () => {
  await hello();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(600);
  await page.ask('contact.suspend', contact);
  await restart('SIGKILL', '--resume-after-restart');
  await painter.setPhase(after);
  await hello();
  const told = await page.push((push) => push.type === 'contact.resumed');
  expect(told).toMatchObject({ contactId: 'c', cause: 'restart' });
  await sleep(800);
  const { phases } = await finish();
  expect(phases).toEqual(new Set([before, after]));
});

it('a recording goes on as the same one, with the gap and its reason, once the page is back and not before', async () => {
  await hello();
  const started = await page.ask<{ recordingId: string }>('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(1200);
  await restart('SIGKILL');
  await sleep(1000);
  await painter.setPhase(after);
  const [open] = (await hello()) as { recordingId: string }[];
  expect(open?.recordingId).toBe(started.recordingId);
  await page.push((push) => push.type === 'app.state' && push.state === 'recording');
  await sleep(1000);
  const { phases, reasons } = await finish();
  expect(phases).toEqual(new Set([before, after]));
  expect(reasons).toEqual(['app-restarted']);
});

describe('a contact that was suspended when its page was given up', () => {
  it('begins again suspended', async () => {
    await recorder.stop();
    await start('--grace-seconds', '1');
    await hello();
    await page.ask('contact.start', { ...contact, channel: 'VOICE' });
    await sleep(500);
    await page.ask('contact.suspend', contact);
    page.socket.terminate();
    await sleep(1500); // the grace period itself is under test
    page = await recorder.connect();
    await painter.showSensitive(true);
    expect(await page.ask('contact.start', { ...contact, channel: 'VOICE' })).toMatchObject({
      stillSuspendedBy: ['c'],
    });
    await sleep(800);
    await painter.showSensitive(false);
    await painter.setPhase(after);
    await page.ask('contact.resume', contact);
    await sleep(600);
    await page.ask('contact.stop', contact);
    await page.event('c', 'PUBLISHED');
    for (const { mp4 } of await recorder.published()) {
      const frames = await decodeFrames(mp4);
      expect(Math.max(...frames.map((frame) => frame.sensitiveShare))).toBe(0);
    }
  });
});

describe('a contact that was suspended when nobody came back to it', () => {
  // Five starts, each of several seconds under Wine.
  it(
    'begins again suspended, after its recording was published and two more restarts, and once only',
    { timeout: 180_000 },
    async () => {
      await hello();
      await page.ask('contact.start', { ...contact, channel: 'VOICE' });
      await sleep(700);
      await page.ask('contact.suspend', contact);
      // Nobody says hello within the grace period: what there is ends and is delivered.
      await restart('SIGKILL', '--grace-seconds', '1');
      await vi.waitFor(async () => expect(await recorder.published()).toHaveLength(1), 20_000);
      await vi.waitFor(
        async () => expect(await readdir(join(recorder.dataDir, 'spool'))).toEqual([]),
        20_000,
      );
      await restart('SIGKILL');
      await restart('SIGTERM');
      expect(await hello()).toEqual([]);
      await painter.showSensitive(true);
      expect(await page.ask('contact.start', { ...contact, channel: 'VOICE' })).toMatchObject({
        stillSuspendedBy: ['c'],
      });
      await sleep(800);
      expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
      await painter.showSensitive(false);
      await painter.setPhase(after);
      await page.ask('contact.resume', contact);
      await sleep(600);
      await page.ask('contact.stop', contact);
      await page.event('c', 'PUBLISHED');
      const found = await recorder.published();
      expect(found).toHaveLength(2);
      for (const { mp4 } of found) {
        const frames = await decodeFrames(mp4);
        expect(Math.max(...frames.map((frame) => frame.sensitiveShare))).toBe(0);
      }
      expect(await readdir(join(recorder.dataDir, 'suspended'))).toEqual([]);
      await restart('SIGKILL');
      await hello();
      const again = await page.ask('contact.start', { ...contact, channel: 'VOICE' });
      expect(again).not.toHaveProperty('stillSuspendedBy');
      await page.ask('contact.stop', contact);
    },
  );
});
