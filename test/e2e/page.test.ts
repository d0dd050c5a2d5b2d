// The whole way round in a real browser: a real page opens a real WebSocket, records its own screen's display, and
// then another page plays what came of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from '../rig/browser.ts';
import { startBrowser } from '../rig/browser.ts';
import type { CcpTab } from '../rig/ccpPage.ts';
import { CCP_PAGE, openCcpTab } from '../rig/ccpPage.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { PageServer } from '../rig/pageServer.ts';
import { startPageServer } from '../rig/pageServer.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import type { Recorder } from '../rig/recorder.ts';
import { agent, startRecorder } from '../rig/recorder.ts';

const PLAYER = `<!doctype html><meta charset="utf-8"><video muted src="/recording.mp4"></video><script>
  const video = document.querySelector('video');
  window.finished = new Promise((resolve, reject) => {
    video.onended = () => resolve({ currentTime: video.currentTime, duration: video.duration,
      width: video.videoWidth, height: video.videoHeight });
    video.onerror = () => reject(new Error(video.error.message));
  });
  window.finished.catch(() => {});
  window.pictureAt = (seconds) => new Promise((resolve) => {
    video.onseeked = () => {
      const canvas = document.createElement('canvas');
      canvas.width = 16; canvas.height = 9;
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0, 16, 9);
      resolve([...context.getImageData(1, 1, 1, 1).data.slice(0, 3)]);
    };
    video.currentTime = seconds;
  });
</script>`;

let display: Display;
let painter: Painter;
let recorder: Recorder;
let server: PageServer;
let browser: Browser;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode' });
  recorder = await startRecorder({ display: display.display });
  server = await startPageServer({ routes: { '/ccp.html': CCP_PAGE, '/player.html': PLAYER } });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.stop();
  await server.stop();
  await recorder.stop();
  await painter.stop();
  await display.stop();
});

async function openCcp(): Promise<CcpTab> {
  return openCcpTab(browser, server, recorder.port);
}

describe('a page in Chromium', () => {
  it('asks for health by fetch, as it must before the browser lets it connect', async () => {
    const page = await browser.newPage(`${server.origin}/ccp.html`);
    const health = await page.evaluate(
      async (port) => (await fetch(`http://127.0.0.1:${port}/v1/health`)).json(),
      recorder.port,
    );
    expect(health).toEqual({ app: 'sightline', version: '0.1.0', protocol: 1 });
    await page.close();
  });

  it('records a contact with a suspension, and the MP4 plays to its end', async () => {
    const { page, ask } = await openCcp();
    expect(await ask('hello', { protocol: 1, ...agent })).toMatchObject({ ok: true, encoder: 'libopenh264' });
    const contact = { contactId: 'from-chromium' };
    const started = await ask('contact.start', { ...contact, channel: 'VOICE' });
    expect(started).toMatchObject({ ok: true });
    await sleep(1500);
    const suspended = await ask('contact.suspend', contact);
    await sleep(1200);
    const resumed = await ask('contact.resume', contact);
    await sleep(1200);
    const stopped = await ask('contact.stop', contact);
    await page.waitForFunction(() =>
      (
        globalThis as unknown as { pushes: { event?: { detail: { recordingStatus: string } } }[] }
      ).pushes.some((push) => push.event?.detail.recordingStatus === 'PUBLISHED'),
    );
    await page.close();

    const [found] = await recorder.published();
    server.routes['/recording.mp4'] = { file: found!.mp4 };
    const player = await browser.newPage(`${server.origin}/player.html`);
    const at = (reply: Record<string, unknown>, field: string): number => Date.parse(reply[field] as string);
    const startTime = at(started, 'startTime');
    const lengthSeconds = (at(stopped, 'endTime') - startTime) / 1000;

    // In the middle of the suspension the player shows the slate: its dark blue, which the rig's screen never is.
    const middle = (at(suspended, 'suspendedAt') + at(resumed, 'resumedAt')) / 2;
    const [red, green, blue] = await player.evaluate(
      (seconds) =>
        (globalThis as unknown as { pictureAt: (at: number) => Promise<number[]> }).pictureAt(seconds),
      (middle - startTime) / 1000,
    );
    expect([red! - 0x1c, green! - 0x25, blue! - 0x30].every((difference) => Math.abs(difference) < 12)).toBe(
      true,
    );

    const played = await player.evaluate(async () => {
      const scope = globalThis as unknown as { finished: Promise<Record<string, number>>; document: never };
      const video = (
        scope.document as unknown as {
          querySelector(name: string): { currentTime: number; play(): Promise<void> };
        }
      ).querySelector('video');
      video.currentTime = 0;
      await video.play();
      return scope.finished;
    });
    expect(played).toMatchObject({ width: 1280, height: 720 });
    expect(Math.abs(played.duration! - lengthSeconds)).toBeLessThanOrEqual(0.2);
    expect(Math.abs(played.currentTime! - lengthSeconds)).toBeLessThanOrEqual(0.2);
    await player.close();
  });

  it('of a foreign origin is kept out: no health, no socket', async () => {
    const strict = await startRecorder({
      display: display.display,
      flags: ['--allow-loopback-origins', 'no', '--allowed-domains', 'acme.my.connect.aws'],
    });
    const page = await browser.newPage(`${server.origin}/ccp.html`);
    const outcome = await page.evaluate(async (port) => {
      const socket = (globalThis as unknown as { open_: (port: number) => Promise<string> })
        .open_(port)
        .catch((error: unknown) => String(error));
      const health = fetch(`http://127.0.0.1:${port}/v1/health`).then(
        () => 'readable',
        () => 'unreadable',
      );
      return { socket: await socket, health: await health };
    }, strict.port);
    expect(outcome).toEqual({ socket: 'Error: closed with 1006', health: 'unreadable' });
    expect(strict.stderr()).toContain(`Origin ${server.origin} is not in \\"allowedDomains\\"`);
    await page.close();
    await strict.stop();
  });

  it('that is closed or reloaded in mid-contact loses nothing', async () => {
    const first = await openCcp();
    await first.ask('hello', { protocol: 1, ...agent });
    const started = await first.ask('contact.start', { contactId: 'closed-tab', channel: 'CHAT' });
    await first.page.close();
    await sleep(700);
    const second = await openCcp();
    expect(await second.ask('hello', { protocol: 1, ...agent })).toMatchObject({
      recordings: [{ contactId: 'closed-tab', recordingId: started.recordingId, state: 'recording' }],
    });
    const stopped = await second.ask('contact.stop', { contactId: 'closed-tab' });
    expect(stopped).toMatchObject({ ok: true, recordingId: started.recordingId });
    await second.page.close();
  });
});
