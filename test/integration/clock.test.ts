// Guarantee 3 in the hard cases that a test can make in seconds (npm run soak:clock makes an hour of them): ffmpeg that
// stalls and ffmpeg that dies. And the time limit of a suspension, which is a matter of time as well.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Desk } from '../rig/desk.ts';
import { startDesk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { clockLine, decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { ffmpegsOf, signal } from '../soak/common.ts';

const contact = { contactId: 'c' };
let desk: Desk;
let recorder: Recorder;
let page: Page;

beforeAll(async () => {
  const size = { width: 1024, height: 600 };
  desk = await startDesk({
    monitors: [
      { x: 0, y: 0, ...size },
      { x: 1024, y: 0, ...size },
    ],
  });
});
afterAll(() => desk.stop());
afterEach(() => recorder.stop());

async function begin(...flags: string[]): Promise<void> {
  recorder = await startRecorder({ display: desk.display, flags });
  page = await recorder.connect();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(1000);
}

async function finish() {
  await page.ask('contact.stop', contact);
  await page.event('c', 'PUBLISHED');
  const [found] = await recorder.published();
  const { mp4, manifest } = found!;
  expect(await decodesCleanly(mp4)).toBe('');
  const frames = await decodeRecording(mp4, manifest);
  const clock = recordingClock(frames, manifest);
  console.log(clockLine(clock));
  expect(clock.unread).toBe(0);
  expect(clock.maxMs).toBeLessThanOrEqual(200);
  return { manifest, frames };
}

it('ffmpeg stalls for 3 s: what comes after it is shown at its own time', async () => {
  await begin();
  const pids = await ffmpegsOf(recorder.pid);
  expect(pids).toHaveLength(1);
  pids.forEach((pid) => signal(pid, 'SIGSTOP'));
  await sleep(3000);
  pids.forEach((pid) => signal(pid, 'SIGCONT'));
  await sleep(1200);
  const { manifest, frames } = await finish();
  // It was the same run all along: the last picture stood still.
  expect(manifest.runs).toHaveLength(1);
  const steps = frames.slice(1).map((frame, index) => frame.ptsMs - frames[index]!.ptsMs);
  expect(Math.max(...steps)).toBeGreaterThan(2500);
});

it('ffmpeg dies three times: each time it is back at once, on time, with what is longer than a frame as a gap', async () => {
  await begin();
  for (let times = 0; times < 3; times += 1) {
    (await ffmpegsOf(recorder.pid)).forEach((pid) => signal(pid, 'SIGKILL'));
    await sleep(2000 + times * 500);
  }
  const { manifest } = await finish();
  expect(manifest.runs).toHaveLength(4);
  // The second and the third try wait half a second and a second.
  expect([2, 3]).toContain(manifest.gaps.length);
  for (const { reason, durationMs } of manifest.gaps) {
    expect(reason).toBe('interrupted');
    expect(durationMs).toBeLessThan(2500);
  }
});

it('a suspension with a time limit ends by itself, and the page is told when capture is back', async () => {
  await begin('--suspend-max-seconds', '5');
  await desk.setPhase(1);
  const suspended = await page.ask<{ suspendedAt: string; resumesAt: string }>('contact.suspend', {
    ...contact,
    maxSeconds: 1,
  });
  expect(Date.parse(suspended.resumesAt) - Date.parse(suspended.suspendedAt)).toBe(1000);
  await desk.setPhase(2);
  await sleep(700);
  await desk.setPhase(3);
  const told = await page.push((push) => push.type === 'contact.resumed');
  expect(told).toMatchObject({ ...contact, cause: 'time-limit' });
  await sleep(600);
  const { manifest, frames } = await finish();
  expect(manifest.suspensions).toMatchObject([{ resumedBy: 'time-limit' }]);
  expect(manifest.gaps).toMatchObject([{ reason: 'suspended', by: 'page', endedBy: 'time-limit' }]);
  const phases = frames.flatMap(({ codes }) => [...codes.values()].map((code) => code?.phase));
  expect(phases).not.toContain(2);
  expect(phases).toContain(3);
});

it('without policy for it, a time limit is refused: in doubt less is recorded', async () => {
  await begin();
  const suspended = await page.ask('contact.suspend', { ...contact, maxSeconds: 1 });
  expect(suspended).not.toHaveProperty('resumesAt');
  expect(suspended).toHaveProperty('maxSecondsRefused', true);
  await sleep(1500);
  expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
  const { manifest } = await finish();
  expect(manifest.suspensions).toMatchObject([{ resumedAt: null, resumedBy: null }]);
  expect(manifest.gaps).toMatchObject([{ reason: 'suspended', by: 'page', endedBy: null }]);
});
