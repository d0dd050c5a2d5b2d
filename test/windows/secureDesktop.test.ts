// Windows' secure desktop (User Account Control, Ctrl+Alt+Del) refuses every blit. Here a gdi32 does it for the real
// ffmpeg.exe (rig/c/secureDesktop.c), whose gdigrab then does what it does on Windows: it ends, in mid-run with exit code 0.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { compileForWindows } from '../rig/compiled.ts';
import { oneMonitor, startDesk, type Desk } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { host } from '../rig/program.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { CLOCK_BESIDE_OTHERS_MS, onDrive, wineSession } from '../rig/wine.ts';

const sourceOf = (name: string): string => fileURLToPath(new URL(`../rig/c/${name}`, import.meta.url));
const shipped = fileURLToPath(new URL('../../resources/ffmpeg/win32-x64/ffmpeg.exe', import.meta.url));
const contact = { contactId: 'c', channel: 'VOICE' };
/** Retries come every second, and an ffmpeg takes its time to start under Wine. */
const BACK_WITHIN_MS = 3000;

let desk: Desk;
let folder: string;
/** Exists while the secure desktop is in front. */
let flag: string;
let ffmpeg: string;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
  folder = await mkdtemp(join(tmpdir(), 'sightline-secure-desktop-'));
  flag = join(folder, 'secure-desktop');
  ffmpeg = join(folder, 'ffmpeg.exe');
  const shim = await compileForWindows(
    ...([sourceOf('secureDesktop.c'), sourceOf('secureDesktop.def'), '-shared', '-lgdi32'] as const),
  );
  await copyFile(shim, join(folder, 'gdi3S.dll'));
  // The shipped program in all but the name of one library.
  const bytes = await readFile(shipped);
  const at = bytes.indexOf('GDI32.dll\0');
  expect(bytes.indexOf('GDI32.dll\0', at + 1)).toBe(-1);
  bytes.write('gdi3S', at, 'latin1');
  await writeFile(ffmpeg, bytes);
});
afterAll(async () => {
  await desk.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => rm(flag, { force: true }));

const secureDesktop = {
  opens: () => writeFile(flag, ''),
  async closes(): Promise<number> {
    await rm(flag);
    return Date.now();
  },
};
const environment = (): Record<string, string> => ({ SECURE_DESKTOP: host.path(flag) });

async function start(home: string): Promise<{ recorder: Recorder; page: Page }> {
  const recorder = await startRecorder({
    ...{ display: desk.display, home, environment: environment() },
    flags: ['--ffmpeg-path', host.path(ffmpeg)],
  });
  return { recorder, page: await recorder.connect() };
}

async function isRecording(page: Page): Promise<boolean> {
  return (await page.ask<{ state: string }>('status')).state === 'recording';
}

/** Stops the contact and checks what every recording must be. */
async function finish(recorder: Recorder, page: Page) {
  const { endTime } = await page.ask<{ endTime: string }>('contact.stop', { contactId: 'c' });
  const event = await page.event('c', 'PUBLISHED');
  const [found] = await recorder.published();
  const { mp4, manifest } = found!;
  expect(await decodesCleanly(mp4)).toBe('');
  expect(manifest.endTime).toBe(endTime);
  expect(Math.abs((await probe(mp4)).durationMs - manifest.durationMs)).toBeLessThanOrEqual(200);
  const clock = recordingClock(await decodeRecording(mp4, manifest), manifest);
  expect(clock.count).toBeGreaterThan(3);
  expect(clock.maxMs).toBeLessThanOrEqual(CLOCK_BESIDE_OTHERS_MS);
  expect(await recorder.stop()).toBe(0);
  const statuses = (await recorder.events()).map(({ detail }) => detail.recordingStatus);
  expect(statuses).toEqual(['INITIATED', 'COMPLETED', 'PUBLISHED']);
  return { manifest, event };
}

it('this ffmpeg.exe ends as gdigrab does: in mid-run with exit code 0', async () => {
  const session = await wineSession(desk.display);
  const input = '-probesize 32 -framerate 5 -f gdigrab -i desktop';
  const output = '-c:v libopenh264 -movflags +frag_every_frame+empty_moov -f mp4 -y';
  const words = `-nostdin ${input} -t 20 ${output}`.split(' ');
  const child = spawn(session.loader, [onDrive(ffmpeg), ...words, onDrive(join(folder, 'x.mp4'))], {
    ...{ env: { ...session.environment, ...environment() }, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await expect.poll(() => said, { timeout: 20_000 }).toContain('Output #0');
  await sleep(600);
  await secureDesktop.opens();
  const [code] = (await once(child, 'exit')) as [number | null];
  await secureDesktop.closes();
  console.log(said.split('\n').filter((line) => /Failed|Error/.test(line)));
  expect(said).toContain('Failed to capture image (error 5)');
  expect(code).toBe(0);
});

it('a contact that starts under it begins with a gap, and capture returns', async () => {
  const home = await mkdtemp(join(folder, 'start-'));
  const { recorder, page } = await start(home);
  await secureDesktop.opens();
  const askedAt = Date.now();
  const started = await page.ask<{ startTime: string }>('contact.start', contact);
  const answeredAfterMs = Date.now() - askedAt;
  expect(started).toMatchObject({ pausedBy: ['display-unavailable'] });
  expect(answeredAfterMs).toBeLessThan(5000);
  await sleep(2500);
  expect(await page.ask('status')).toMatchObject({ state: 'problem', reason: { code: 'NO_DISPLAY' } });
  const closedAt = await secureDesktop.closes();
  await expect.poll(() => isRecording(page), { timeout: 20_000 }).toBe(true);
  await sleep(1200);
  const { manifest } = await finish(recorder, page);
  expect(manifest.startTime).toBe(started.startTime);
  expect(manifest.gaps).toMatchObject([{ offsetMs: 0, reason: 'display-unavailable', by: 'system' }]);
  expect(manifest.runs).toHaveLength(1);
  const backAfterMs = Date.parse(manifest.gaps[0]!.endTime) - closedAt;
  console.log(`answered after ${answeredAfterMs} ms, back ${backAfterMs} ms after the secure desktop`);
  expect(backAfterMs).toBeGreaterThan(-200);
  expect(backAfterMs).toBeLessThan(BACK_WITHIN_MS);
});

it('in mid-contact it is a gap with its reason', async () => {
  const home = await mkdtemp(join(folder, 'middle-'));
  const { recorder, page } = await start(home);
  await page.ask('contact.start', contact);
  await sleep(1200);
  await secureDesktop.opens();
  await sleep(3000);
  const closedAt = await secureDesktop.closes();
  await expect.poll(() => isRecording(page), { timeout: 20_000 }).toBe(true);
  await sleep(1200);
  const { manifest } = await finish(recorder, page);
  expect(manifest.runs).toHaveLength(2);
  expect(manifest.gaps).toMatchObject([{ reason: 'display-unavailable', by: 'system' }]);
  const backAfterMs = Date.parse(manifest.gaps[0]!.endTime) - closedAt;
  console.log(`back ${backAfterMs} ms after the secure desktop`);
  expect(backAfterMs).toBeLessThan(BACK_WITHIN_MS);
});
