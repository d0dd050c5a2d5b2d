// A screen that is entirely black while it is recorded, as a minimized or disconnected remote session is, is marked in
// manifest and event, and the pages and the log say so at once. A dark screen with a single pixel that is not black is real.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startDisplay } from '../rig/display.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { startRecorder } from '../rig/recorder.ts';
import { Canvas } from '../rig/xCanvas.ts';

const contact = { contactId: 'c', channel: 'VOICE' };
/** A frame, and what the painter and the recorder are late. */
const TOLERANCE_MS = 500;

/** A recorder and a screen of one colour, but for a pixel in the middle of its lower right quarter. The pointer is in the middle. */
async function start() {
  const display = await startDisplay();
  onTestFinished(() => display.stop());
  const canvas = await Canvas.open(display.display);
  onTestFinished(() => {
    canvas.client.terminate();
  });
  const surface = canvas.surface();
  const paint = async (all: number, pixel = all): Promise<number> => {
    const { width, height } = canvas;
    surface.fill(all, { x: 0, y: 0, width, height });
    surface.fill(pixel, { x: (width * 3) / 4, y: (height * 3) / 4, width: 1, height: 1 });
    canvas.show(surface);
    await canvas.sync();
    return Date.now();
  };
  await paint(0x404040);
  const recorder = await startRecorder({ display: display.display });
  onTestFinished(async () => {
    await recorder.stop();
  });
  const page = await recorder.connect();
  await page.ask('contact.start', contact);
  const finish = async () => {
    await page.ask('contact.stop', { contactId: 'c' });
    const { detail } = await page.event('c', 'PUBLISHED');
    const [found] = await recorder.published();
    expect(await decodesCleanly(found!.mp4)).toBe('');
    const warnings = recorder.stderr().match(/the recorded screen is entirely black/g) ?? [];
    return { detail, manifest: found!.manifest, warnings: warnings.length };
  };
  return { paint, page, finish };
}

it('black for more than ten seconds, and black until the end', async () => {
  const { paint, page, finish } = await start();
  await sleep(1000);
  const firstFrom = await paint(0);
  await sleep(12_000);
  const reason = { code: 'black-screen', message: expect.stringContaining('entirely black') as string };
  expect(await page.ask('status')).toMatchObject({ state: 'recording', reason });
  const firstTo = await paint(0x000001);
  await expect.poll(() => page.ask('status')).toMatchObject({ state: 'recording', reason: null });
  const secondFrom = await paint(0);
  await sleep(11_500);
  const { manifest, detail, warnings } = await finish();

  const { totalMs, stretches } = manifest.black!;
  expect(stretches).toHaveLength(2);
  const near = (time: string, expected: number): void =>
    expect(Math.abs(Date.parse(time) - expected), time).toBeLessThanOrEqual(TOLERANCE_MS);
  near(stretches[0]!.startTime, firstFrom);
  near(stretches[0]!.endTime, firstTo);
  near(stretches[1]!.startTime, secondFrom);
  expect(stretches[1]!.endTime).toBe(manifest.endTime);
  for (const { startTime, endTime, offsetMs, durationMs } of stretches) {
    expect(offsetMs).toBe(Date.parse(startTime) - Date.parse(manifest.startTime));
    expect(durationMs).toBe(Date.parse(endTime) - Date.parse(startTime));
  }
  expect(totalMs).toBe(stretches[0]!.durationMs + stretches[1]!.durationMs);
  expect(detail).toMatchObject({ recordingInfo: { blackInMillis: totalMs } });
  expect(manifest.gaps).toEqual([]);
  expect(warnings).toBe(2);
});

it('black but for one dark pixel, and black for eight seconds: not marked', async () => {
  const { paint, page, finish } = await start();
  await paint(0, 0x000001);
  await sleep(11_500);
  expect(await page.ask('status')).toMatchObject({ state: 'recording', reason: null });
  await paint(0);
  await sleep(8000);
  await paint(0, 0x010000);
  await sleep(1500);
  const { manifest, detail, warnings } = await finish();
  expect(manifest.black).toBeUndefined();
  expect(detail).not.toHaveProperty('recordingInfo.blackInMillis');
  expect(warnings).toBe(0);
});
