// Several contacts at once, several pages, and pages that vanish.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
let display: Display;
let painter: Painter;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode' });
});
afterAll(async () => {
  await painter.stop();
  await display.stop();
});

async function recordingOf(recorder: Recorder, contactId: string) {
  const found = (await recorder.published()).find(({ manifest }) => manifest.contact.contactId === contactId);
  if (found === undefined) throw new Error(`${contactId} was not published`);
  return { ...found, frames: await decodeFrames(found.mp4) };
}

function expectHonest(frames: readonly DecodedFrame[], startTime: number, endTime: number): void {
  const errors = frameClockErrors(frames, startTime);
  expect(errors.count).toBeGreaterThan(3);
  expect(errors.maxMs).toBeLessThanOrEqual(FRAME_MS);
  for (const { code } of frames) {
    if (code === null) continue;
    expect(code.timeMs).toBeGreaterThan(startTime - FRAME_MS);
    expect(code.timeMs).toBeLessThanOrEqual(endTime);
  }
}

describe('two contacts that overlap', () => {
  let recorder: Recorder;
  let page: Page;
  const times = new Map<string, { start: number; end: number }>();

  beforeAll(async () => {
    recorder = await startRecorder({ display: display.display });
    page = await recorder.connect();
    const start = async (contactId: string): Promise<number> =>
      Date.parse(
        (await page.ask<{ startTime: string }>('contact.start', { contactId, channel: 'CHAT' })).startTime,
      );
    const stop = async (contactId: string): Promise<number> =>
      Date.parse((await page.ask<{ endTime: string }>('contact.stop', { contactId })).endTime);
    const first = await start('first');
    await sleep(1500);
    const second = await start('second');
    await sleep(1200);
    times.set('first', { start: first, end: await stop('first') });
    await sleep(1200);
    times.set('second', { start: second, end: await stop('second') });
    await page.event('second', 'PUBLISHED');
    await page.event('first', 'PUBLISHED');
  });
  afterAll(() => recorder.stop());

  it.each(['first', 'second'])('%s has just its own part, without a gap', async (contactId) => {
    const { start, end } = times.get(contactId)!;
    const { mp4, manifest, frames } = await recordingOf(recorder, contactId);
    expect(await decodesCleanly(mp4)).toBe('');
    expect(Math.abs((await probe(mp4)).durationMs - (end - start))).toBeLessThanOrEqual(FRAME_MS);
    expect(manifest.gaps).toEqual([]);
    expectHonest(frames, start, end);
    const steps = frames.slice(1).map((frame, index) => frame.ptsMs - frames[index]!.ptsMs);
    // The rotation to the second contact's run costs the first one no more than a frame.
    expect(Math.max(...steps)).toBeLessThanOrEqual(2 * FRAME_MS);
  });
});

describe('a suspension is for the whole screen', () => {
  it('the other contact is told who holds it, and gets the gap too', async () => {
    const recorder = await startRecorder({ display: display.display });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'one', channel: 'CHAT' });
    await page.ask('contact.suspend', { contactId: 'one' });
    const late = await page.ask('contact.start', { contactId: 'two', channel: 'TASK' });
    expect(late.stillSuspendedBy).toEqual(['one']);
    await page.ask('contact.suspend', { contactId: 'two' });
    expect(await page.ask('contact.resume', { contactId: 'two' })).toMatchObject({
      stillSuspendedBy: ['one'],
    });
    expect(await page.ask('status')).toMatchObject({ state: 'suspended' });
    await sleep(600);
    // Stopping the contact that holds it lets capture go on for the other.
    await page.ask('contact.stop', { contactId: 'one' });
    await page.push(
      (push) => push.type === 'app.state' && push.state === 'recording' && push.contacts.length === 1,
    );
    await sleep(800);
    await page.ask('contact.stop', { contactId: 'two' });
    await page.event('two', 'PUBLISHED');
    const { manifest, mp4 } = await recordingOf(recorder, 'two');
    expect(manifest.gaps.map(({ offsetMs, reason }) => ({ offsetMs, reason }))).toEqual([
      { offsetMs: 0, reason: 'suspended' },
    ]);
    expect(await decodesCleanly(mp4)).toBe('');
    await recorder.stop();
  });

  it('a contact that was suspended from its start to its end is published as a slate', async () => {
    const recorder = await startRecorder({ display: display.display });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'holder', channel: 'CHAT' });
    await page.ask('contact.suspend', { contactId: 'holder' });
    await page.ask('contact.start', { contactId: 'blank', channel: 'CHAT' });
    await sleep(700);
    await page.ask('contact.stop', { contactId: 'blank' });
    await page.event('blank', 'PUBLISHED');
    const { frames, manifest } = await recordingOf(recorder, 'blank');
    expect(frames).toHaveLength(1);
    expect(manifest.gaps).toHaveLength(1);
    expect(manifest.runs).toEqual([]);
    await recorder.stop();
  });
});

describe('pages that vanish', () => {
  it('recording goes on; a page that returns finds its contact', async () => {
    const recorder = await startRecorder({ display: display.display });
    const page = await recorder.connect();
    const started = await page.ask<{ startTime: string; recordingId: string }>('contact.start', {
      contactId: 'kept',
      channel: 'VOICE',
    });
    page.socket.terminate();
    await sleep(1000);
    const back = await recorder.connect({ hello: false });
    expect(await back.ask('hello', { protocol: 1, ...agent })).toMatchObject({
      recordings: [{ contactId: 'kept', recordingId: started.recordingId, state: 'recording' }],
    });
    const stopped = await back.ask<{ endTime: string }>('contact.stop', { contactId: 'kept' });
    await back.event('kept', 'PUBLISHED');
    const { manifest, frames } = await recordingOf(recorder, 'kept');
    expect(manifest.gaps).toEqual([]);
    expectHonest(frames, Date.parse(started.startTime), Date.parse(stopped.endTime));
    await recorder.stop();
  });

  it('after the grace period the recording is completed and published', async () => {
    const recorder = await startRecorder({ display: display.display, flags: ['--grace-seconds', '1'] });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'left', channel: 'VOICE' });
    page.socket.terminate();
    await sleep(1500); // the grace period itself is under test
    const back = await recorder.connect();
    await back.push((push) => push.type === 'app.state' && push.contacts.length === 0);
    const [manifest] = await waitFor(async () => (await recorder.published()).map((one) => one.manifest));
    expect(manifest).toMatchObject({ endCause: 'page-lost', contact: { contactId: 'left' } });
    expect(manifest!.durationMs).toBeGreaterThan(700);
    await recorder.stop();
  });

  it('another agent who signs in during the grace period ends the recordings of the one before', async () => {
    const recorder = await startRecorder({ display: display.display });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'of-alice', channel: 'VOICE' });
    await sleep(400);
    await page.close();
    const bob = await recorder.connect({
      hello: { agentArn: `${agent.instanceArn}/agent/bob`, agentUsername: 'bob' },
    });
    expect(await bob.ask('status')).not.toMatchObject({ recordings: [{ state: 'recording' }] });
    const [manifest] = await waitFor(async () => (await recorder.published()).map((one) => one.manifest));
    expect(manifest).toMatchObject({ endCause: 'agent-changed', agent: { username: 'alice' } });
    await recorder.stop();
  });
});

/** Asks again until there is an answer; the thing waited for happens in another process. */
async function waitFor<T>(ask: () => Promise<T[]>): Promise<T[]> {
  for (;;) {
    const answer = await ask();
    if (answer.length > 0) return answer;
    await sleep(50);
  }
}
