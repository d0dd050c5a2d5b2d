// Where a Windows user's files may lie: a profile on another drive, in folders with spaces and letters of other
// scripts. And one Sightline for each data folder, by Windows' own means.
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startDesk, oneMonitor, type Desk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { host } from '../rig/program.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { clockLine, decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { driveD } from '../rig/wine.ts';

let desk: Desk;
let home: string;
let recorder: Recorder;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());
beforeEach(async () => {
  home = join(driveD(), 'Profile', 'Zoë Müller 東京', 'Local Settings');
  await mkdir(home, { recursive: true });
  recorder = await startRecorder({ display: desk.display, home });
});
afterEach(async () => {
  await recorder.stop();
  await rm(join(driveD(), 'Profile'), { recursive: true, force: true });
});

it('a contact is recorded on D: in such folders, is found again after a kill, and is delivered there', async () => {
  const contactId = 'on-drive-d';
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(1500);
  recorder.kill('SIGKILL');
  await recorder.exited;
  recorder = await startRecorder({ display: desk.display, home, flags: ['--grace-seconds', '1'] });
  const event = await (await recorder.connect({ hello: {} })).event(contactId, 'PUBLISHED');
  const [found] = await recorder.published();
  const { mp4, manifest } = found!;
  expect(host.path(mp4)).toMatch(/^D:\\Profile\\Zoë Müller 東京\\Local Settings\\sink\\connect\\/);
  expect(event.detail).toMatchObject({ recordingInfo: { location: host.url(mp4) } });
  expect(await decodesCleanly(mp4)).toBe('');
  const clock = recordingClock(await decodeRecording(mp4, manifest), manifest);
  console.log(clockLine(clock));
  expect(clock.count).toBeGreaterThan(2);
  expect(clock.maxMs).toBeLessThanOrEqual(200);
  expect(await readdir(join(recorder.dataDir, 'spool'))).toEqual([]);
});

it('a killed recorder takes its ffmpeg along and leaves its data folder free; two at once are refused', async () => {
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  expect(await host.ffmpegs(recorder.pid)).toHaveLength(1);
  await expect(startRecorder({ display: desk.display, home })).rejects.toThrow(
    /Another Sightline \(process \d+\) uses the data folder D:\\Profile/,
  );
  recorder.kill('SIGKILL');
  await recorder.exited;
  // The file with its number is still there, and that number may be anybody's by now: Windows gives it out again.
  expect(await readdir(recorder.dataDir)).toContain('sightline.pid');
  const elsewhere = await mkdtemp(join(tmpdir(), 'sightline-elsewhere-'));
  const other = await startRecorder({ display: desk.display, home: elsewhere });
  await copyFile(join(other.dataDir, 'sightline.pid'), join(recorder.dataDir, 'sightline.pid'));
  const began = Date.now();
  while ((await host.ffmpegs(recorder.pid)).length > 0 && Date.now() - began < 5000) await sleep(20);
  expect(await host.ffmpegs(recorder.pid)).toEqual([]);
  console.log(`ffmpeg.exe was gone ${Date.now() - began} ms after its parent`);
  recorder = await startRecorder({ display: desk.display, home });
  expect(await readFile(join(recorder.dataDir, 'sightline.pid'), 'utf8')).toContain('"pid"');
  await other.stop();
  await rm(elsewhere, { recursive: true, force: true });
  expect(await recorder.stop()).toBe(0);
  expect(await readdir(recorder.dataDir)).not.toContain('sightline.pid');
});
