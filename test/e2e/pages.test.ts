// Several pages, and pages that go away, in real Chromium: tabs that are closed, reloaded, crashed, and a browser that
// is killed. docs/protocol.md, "Several pages", sentence by sentence; judged by the recordings' pictures.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { crash, startBrowser } from '../rig/browser.ts';
import type { CcpTab } from '../rig/ccpPage.ts';
import { CCP_PAGE, openCcpTab } from '../rig/ccpPage.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import type { Recorder } from '../rig/recorder.ts';
import { agent, startRecorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';

const GRACE_SECONDS = 3;
const contact = { contactId: 'c' };
const hello = { protocol: 1, ...agent };
const before = 1;
const away = 2;
const after = 3;

let desk: Desk;
let server: PageServer;
let browser: Browser;
let recorder: Recorder;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
  server = await startPageServer({ routes: { '/ccp.html': CCP_PAGE } });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await server.stop();
  await desk.stop();
});
beforeEach(async () => {
  recorder = await startRecorder({
    display: desk.display,
    flags: ['--grace-seconds', String(GRACE_SECONDS)],
  });
  await desk.setPhase(before);
});
afterEach(async () => {
  await Promise.all(browser.context.pages().map((page) => page.close()));
  await recorder.stop();
});

async function open(identity: object = hello): Promise<CcpTab & { hello: Record<string, unknown> }> {
  const tab = await openCcpTab(browser, server, recorder.port);
  return { ...tab, hello: await tab.ask('hello', identity) };
}

async function begin(tab: CcpTab): Promise<Record<string, unknown>> {
  const started = await tab.ask('contact.start', { ...contact, channel: 'VOICE' });
  expect(started).toMatchObject({ ok: true });
  await sleep(600);
  return started;
}

/** Waits until it is there: it is made by another process. */
async function published() {
  for (;;) {
    const [found] = await recorder.published();
    if (found !== undefined) {
      const { mp4, manifest } = found;
      expect(await decodesCleanly(mp4)).toBe('');
      const frames = await decodeRecording(mp4, manifest);
      expect(recordingClock(frames, manifest, await desk.lateCodes()).maxMs).toBeLessThanOrEqual(200);
      const phases = new Set(frames.flatMap(({ codes }) => [...codes.values()].map((code) => code?.phase)));
      return { manifest, frames, phases, reasons: manifest.gaps.map(({ reason }) => reason) };
    }
    await sleep(50);
  }
}

describe('two tabs of the same agent', () => {
  it('share one state: what one begins the other may suspend, resume and stop, and both are told', async () => {
    const [one, two] = [await open(), await open()];
    const started = await begin(one);
    expect(await two.ask('contact.suspend', contact)).toMatchObject({ ok: true });
    expect(await one.ask('status')).toMatchObject({ state: 'suspended' });
    expect(await one.ask('contact.resume', contact)).toMatchObject({ ok: true });
    const stopped = await two.ask('contact.stop', contact);
    expect(stopped).toMatchObject({ ok: true, recordingId: started.recordingId });
    expect(await one.ask('contact.stop', contact)).toMatchObject({ endTime: stopped.endTime });
    await published();
    await one.page.waitForFunction(() =>
      JSON.stringify((globalThis as unknown as { pushes: unknown }).pushes).includes('PUBLISHED'),
    );
    const told = await Promise.all([one, two].map((tab) => tab.pushes()));
    for (const pushes of told) {
      const revisions = pushes.map((push) => push.rev);
      expect(revisions).toEqual(revisions.map((_, index) => revisions[0]! + index));
    }
    const common = told[0]!.filter((push) => push.rev > told[1]![0]!.rev);
    expect(told[1]!.slice(1, 1 + common.length)).toEqual(common.slice(0, told[1]!.length - 1));
  });

  it('one crashes: the other still vouches for the contact, and there is no grace period', async () => {
    const [one, two] = [await open(), await open()];
    await begin(one);
    await crash(one.page);
    await sleep((GRACE_SECONDS + 1) * 1000); // longer than the grace period, which is under test
    expect(await two.ask('status')).toMatchObject({ state: 'recording', recordings: [contact] });
    await two.ask('contact.stop', contact);
    expect((await published()).manifest.endCause).toBe('stopped');
  });
});

describe('another agent, or another instance', () => {
  it.each([
    { ...hello, agentArn: `${agent.instanceArn}/agent/bob` },
    { ...hello, instanceArn: `${agent.instanceArn}-other` },
  ])('is refused while one is connected, and ends its recordings once it is gone', async (other) => {
    const one = await open();
    await begin(one);
    const refused = await open(other);
    expect(refused.hello).toMatchObject({
      ok: false,
      error: { code: 'MULTIPLE_CCP_INTERACTION', source: 'CLIENT' },
    });
    expect(await refused.ask('contact.stop', contact)).toMatchObject({ error: { code: 'NOT_READY' } });
    await one.page.close();
    const accepted = await open(other);
    expect(accepted.hello).toMatchObject({ ok: true, recordings: [] });
    expect((await published()).manifest.endCause).toBe('agent-changed');
  });
});

describe('the last tab goes away in mid-contact', () => {
  const ways: readonly (readonly [string, (tab: CcpTab) => Promise<unknown>])[] = [
    ['closed', (tab) => tab.page.close()],
    ['reloaded', (tab) => tab.page.reload()],
    ['gone elsewhere', (tab) => tab.page.goto('about:blank')],
    ['crashed', (tab) => crash(tab.page)],
  ];

  it.each(ways)(
    '%s: recording goes on without a gap, and the page that returns finds it',
    async (_, leave) => {
      const tab = await open();
      const started = await begin(tab);
      await leave(tab);
      await desk.setPhase(away);
      await sleep(900);
      const back = await open();
      expect(back.hello).toMatchObject({
        recordings: [{ ...contact, recordingId: started.recordingId, state: 'recording' }],
      });
      await desk.setPhase(after);
      await sleep(600);
      expect(await back.ask('contact.stop', contact)).toMatchObject({ recordingId: started.recordingId });
      const { phases, reasons, frames } = await published();
      expect(reasons).toEqual([]);
      expect(phases).toEqual(new Set([before, away, after]));
      const steps = frames.slice(1).map((frame, index) => frame.ptsMs - frames[index]!.ptsMs);
      // The desk is still for a moment after the window has gone; a frame comes each second all the same.
      expect(Math.max(...steps)).toBeLessThanOrEqual(1200);
    },
  );

  it.each(ways)('%s while suspended: it stays so until a page resumes it', async (_, leave) => {
    const tab = await open();
    await begin(tab);
    await tab.ask('contact.suspend', contact);
    await desk.showSensitive(true);
    await leave(tab);
    await sleep(600);
    const back = await open();
    expect(back.hello).toMatchObject({ recordings: [{ ...contact, state: 'suspended' }] });
    // A page that says again what it knows has not said otherwise.
    await back.ask('contact.start', { ...contact, channel: 'VOICE' });
    await sleep(600);
    expect(await back.ask('status')).toMatchObject({ state: 'suspended' });
    await desk.showSensitive(false);
    await desk.setPhase(after);
    await back.ask('contact.resume', contact);
    await sleep(600);
    await back.ask('contact.stop', contact);
    const { phases, reasons, frames } = await published();
    expect(Math.max(...frames.map(({ sensitiveShare }) => sensitiveShare))).toBe(0);
    expect(phases).toEqual(new Set([before, after]));
    expect(reasons).toEqual(['suspended']);
  });

  it('and nobody comes back: the recording ends with the grace period, and is published', async () => {
    const tab = await open();
    const started = await begin(tab);
    const leftAt = Date.now();
    await tab.page.close();
    const { manifest } = await published();
    expect(manifest).toMatchObject({ endCause: 'page-lost', startTime: started.startTime });
    const end = Date.parse(manifest.endTime) - leftAt;
    expect(end).toBeGreaterThan(GRACE_SECONDS * 1000 - 300);
    expect(end).toBeLessThan(GRACE_SECONDS * 1000 + 1500);
    const late = await open();
    expect(late.hello).toMatchObject({ recordings: [] });
  });

  it('and a tab returns at the last moment: the contact lives on', async () => {
    const tab = await open();
    await begin(tab);
    const spare = await browser.newPage(`${server.origin}/ccp.html`);
    await tab.page.close();
    await sleep(GRACE_SECONDS * 1000 - 900);
    await spare.close();
    const back = await open();
    await sleep(1500);
    expect(await back.ask('status')).toMatchObject({ state: 'recording' });
    await back.ask('contact.stop', contact);
    expect((await published()).manifest.endCause).toBe('stopped');
  });

  it('with the whole browser, killed: the contact goes on, and the next browser finds it', async () => {
    const tab = await open();
    const started = await begin(tab);
    await browser.kill();
    browser = await startBrowser();
    const back = await open();
    expect(back.hello).toMatchObject({ recordings: [{ recordingId: started.recordingId }] });
    await sleep(300);
    await back.ask('contact.stop', contact);
    expect((await published()).reasons).toEqual([]);
  });
});
