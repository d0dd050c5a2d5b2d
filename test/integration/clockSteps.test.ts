// The system's clock is set while a contact is recorded, and between a crash and the next start. The recorder and its
// ffmpeg have a wall clock that the test sets (test/rig/c/wallClock.c); the painter on the screen keeps the true one.
// ffmpeg is the system's: nothing can be loaded into our own, which is static.
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { compileC } from '../rig/compiled.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { FFMPEG_HINT, findTool } from '../rig/process.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { clockLine, decodeRecording, recordingClock } from '../rig/recordingFrames.ts';

const contact = { contactId: 'c' };
/** Half a second on an idle machine; a test shares its processors. Less than any wait of a capture that failed repeatedly. */
const MOST_MS = 1500;
let desk: Desk;
let home: string;
let clockFile: FileHandle;
let environment: Record<string, string>;
let recorder: Recorder;
let page: Page;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-clock-'));
  const path = join(home, 'clock');
  clockFile = await open(path, 'w+');
  await setClock(0);
  const source = fileURLToPath(new URL('../rig/c/wallClock.c', import.meta.url));
  const library = await compileC(source, '-shared', '-fPIC');
  environment = { LD_PRELOAD: library, SIGHTLINE_TEST_CLOCK: path };
});
afterEach(async () => {
  await recorder.stop();
  await clockFile.close();
  await rm(home, { recursive: true, force: true });
});

/** By so much the recorder's wall clock is off from now on. */
async function setClock(offsetMs: number): Promise<void> {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(offsetMs));
  await clockFile.write(bytes, 0, 8, 0);
}

async function start(): Promise<void> {
  const flags = ['--ffmpeg-path', findTool(['ffmpeg'], FFMPEG_HINT)];
  recorder = await startRecorder({ display: desk.display, home, flags, environment });
  page = await recorder.connect();
}

async function begin(): Promise<void> {
  await start();
  await page.ask('contact.start', { ...contact, channel: 'VOICE' });
  await sleep(1000);
}

async function finish() {
  await page.ask('contact.stop', contact);
  await page.event('c', 'PUBLISHED');
  const [found, ...others] = await recorder.published();
  expect(others).toEqual([]);
  const { mp4, manifest } = found!;
  expect(await decodesCleanly(mp4)).toBe('');
  const frames = await decodeRecording(mp4, manifest);
  const clock = recordingClock(frames, manifest);
  console.log(
    clockLine(clock),
    manifest.gaps.map(({ reason, durationMs }) => `${reason} ${durationMs} ms`).join(', '),
  );
  return { manifest, clock };
}

it('set back by an hour, and forward again: each costs half a second, and moves nothing', async () => {
  await begin();
  await setClock(-3_600_000);
  await sleep(3000);
  await setClock(1_800_000);
  await sleep(2500);
  const { manifest, clock } = await finish();
  expect(clock.maxMs).toBeLessThanOrEqual(200);
  expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['interrupted', 'interrupted']);
  for (const { durationMs } of manifest.gaps) expect(durationMs).toBeLessThan(MOST_MS);
});

it('set back every 2.5 s: none of the steps costs more than the first', async () => {
  await begin();
  for (let step = 1; step <= 5; step += 1) {
    await setClock(step * -2000);
    await sleep(2500);
  }
  const { manifest, clock } = await finish();
  expect(clock.maxMs).toBeLessThanOrEqual(200);
  expect(manifest.gaps).toHaveLength(5);
  for (const { durationMs } of manifest.gaps) expect(durationMs).toBeLessThan(MOST_MS);
});

it('set back by 3 s between a crash and the next start: the contact goes on, and its times never step back', async () => {
  await begin();
  recorder.kill('SIGKILL');
  await recorder.exited;
  await setClock(-3000);
  await start();
  const told = await page.ask<{ recordings: { contactId: string }[] }>('status');
  expect(told.recordings).toMatchObject([contact]);
  await page.push((push) => push.type === 'app.state' && push.state === 'recording');
  await sleep(1500);
  const { manifest } = await finish();
  expect(manifest.endCause).toBe('stopped');
  expect(manifest.runs).toHaveLength(2);
  const times = [...manifest.runs, ...manifest.gaps]
    .sort((a, b) => a.offsetMs - b.offsetMs)
    .flatMap(({ startTime, endTime }) => [startTime, endTime]);
  expect(times).toEqual([...times].sort());
  expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['app-restarted']);
});

it('a suspension that is stopped at once: in the manifest, and no run ends after it began', async () => {
  await begin();
  const { suspendedAt } = await page.ask<{ suspendedAt: string }>('contact.suspend', contact);
  const { manifest } = await finish();
  expect(manifest.suspensions).toMatchObject([{ suspendedAt, resumedAt: null }]);
  for (const { endTime } of manifest.runs) expect(endTime <= suspendedAt).toBe(true);
  expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['suspended']);
  expect(manifest.gaps[0]!.endTime).toBe(manifest.endTime);
});
