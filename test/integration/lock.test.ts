// The screen is locked, another user comes to the front, the computer sleeps: capture pauses with that reason and
// returns after. A real recorder on a real system bus of its own with a stand-in for logind; judged by the pictures.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import type { Login1, Login1Session, PrivateBus } from '../rig/login1.ts';
import { startBus, startLogin1 } from '../rig/login1.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { temporaryFolder } from '../unit/support/folders.ts';

const contact = { contactId: 'c' };
let desk: Desk;
let bus: PrivateBus;
let login1: Login1;
let session: Login1Session;
let recorder: Recorder;
let page: Page;

beforeEach(async () => {
  desk = await startDesk({ monitors: oneMonitor });
  bus = await startBus(await temporaryFolder());
  const started = await startLogin1(bus.address, [{ id: '2', isAuto: true }]);
  login1 = started;
  session = started.sessions[0]!;
});
afterEach(async () => {
  await recorder.stop();
  await login1.stop();
  await bus.stop();
  await desk.stop();
});

async function start(...flags: string[]): Promise<void> {
  recorder = await startRecorder({
    display: desk.display,
    flags,
    environment: { DBUS_SYSTEM_BUS_ADDRESS: bus.address },
  });
  page = await recorder.connect();
}

function becomes(state: string, code?: string): Promise<unknown> {
  const from = page.pushes.length;
  return page.push(
    (push) =>
      page.pushes.indexOf(push) >= from &&
      push.type === 'app.state' &&
      push.state === state &&
      push.reason?.code === code,
  );
}

async function finish() {
  await page.ask('contact.stop', contact);
  await page.event('c', 'PUBLISHED');
  const [found] = await recorder.published();
  const { mp4, manifest } = found!;
  expect(await decodesCleanly(mp4)).toBe('');
  const frames = await decodeRecording(mp4, manifest);
  expect(recordingClock(frames, manifest).maxMs).toBeLessThanOrEqual(200);
  const phases = new Set(frames.flatMap(({ codes }) => [...codes.values()].map((code) => code?.phase)));
  return { manifest, phases, reasons: manifest.gaps.map(({ reason }) => reason) };
}

it('locked, switched away, asleep: a gap each, with its reason, and nothing of it is seen', async () => {
  await start();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await desk.setPhase(1);
  const away: readonly (readonly [string, () => void, () => void])[] = [
    ['locked', () => session.setLockedHint(true), () => session.setLockedHint(false)],
    ['switched-away', () => session.setActive(false), () => session.setActive(true)],
    ['asleep', () => login1.prepareForSleep(true), () => login1.prepareForSleep(false)],
  ];
  for (const [reason, leave, comeBack] of away) {
    await sleep(500);
    const paused = becomes('paused', reason);
    leave();
    await paused;
    await desk.setPhase(9);
    await sleep(500);
    await desk.setPhase(1);
    const recording = becomes('recording');
    comeBack();
    await recording;
  }
  await sleep(400);
  const { phases, reasons, manifest } = await finish();
  expect(phases).toEqual(new Set([0, 1]));
  expect(reasons).toEqual(['locked', 'switched-away', 'asleep']);
  for (const { durationMs } of manifest.gaps) expect(durationMs).toBeLessThan(2000);
});

it('a suspension outlives the lock, and a lock the suspension', async () => {
  await start();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(500);
  await page.ask('contact.suspend', contact);
  await desk.setPhase(9);
  const told = recorder.stderr().length;
  session.setLockedHint(true);
  while (!recorder.stderr().slice(told).includes('away from the screen')) await sleep(10);
  session.setLockedHint(false);
  await sleep(300);
  expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
  session.setLockedHint(true);
  await sleep(200);
  // The page's resume is answered, but nobody is to be recorded before the screen is unlocked.
  expect(await page.ask('contact.resume', contact)).toMatchObject({ pausedBy: ['locked'] });
  await sleep(400);
  expect(await page.ask('status')).toMatchObject({ state: 'paused' });
  await desk.setPhase(2);
  const recording = becomes('recording');
  session.setLockedHint(false);
  await recording;
  await sleep(400);
  const { phases, reasons } = await finish();
  expect(phases).toEqual(new Set([0, 2]));
  expect(reasons).toEqual(['suspended', 'locked']);
});

it('a contact that begins while the screen is locked is told so, and is captured once it is not', async () => {
  await start();
  session.setLockedHint(true);
  while (!recorder.stderr().includes('away from the screen')) await sleep(10);
  expect(await page.ask('contact.start', { ...contact, channel: 'TASK' })).toMatchObject({
    pausedBy: ['locked'],
  });
  await sleep(300);
  const recording = becomes('recording');
  session.setLockedHint(false);
  await recording;
  await sleep(400);
  expect((await finish()).reasons).toEqual(['locked']);
});

it('a request to lock without a lock screen pauses until it is taken back, and the page is told why', async () => {
  await start();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(400);
  const paused = becomes('paused', 'locked');
  session.sendLock();
  await paused;
  const reason = {
    code: 'locked',
    message: 'The system reports the screen as locked. Unlock it to continue recording.',
  };
  expect(await page.ask('status')).toMatchObject({ state: 'paused', reason });
  const other = await recorder.connect();
  expect(await other.push((push) => push.type === 'app.state')).toMatchObject({ state: 'paused', reason });
  const recording = becomes('recording');
  session.sendUnlock();
  await recording;
  expect(await page.ask('status')).toMatchObject({ state: 'recording', reason: null });
  await sleep(400);
  expect((await finish()).reasons).toEqual(['locked']);
});

it('policy pauseOnLock off: recording goes on', async () => {
  await start('--pause-on-lock', 'no');
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(400);
  session.setLockedHint(true);
  await sleep(800);
  expect(await page.ask('status')).toMatchObject({ state: 'recording' });
  expect((await finish()).reasons).toEqual([]);
});
