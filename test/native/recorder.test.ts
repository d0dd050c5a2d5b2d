// The recorder as a Windows program on the desktop that is there: nothing is painted, so that this also runs on a real Windows, in the
// release workflow. In `npm test` it runs under Wine.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { host } from '../rig/program.ts';
import type { Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

const contactId = 'a1b2c3d4-0001-4000-8000-00000000a001';
let display: Display | null = null;
let home: string;
let recorder: Recorder;

beforeAll(async () => {
  if (process.platform !== 'win32') display = await startDisplay({ width: 1280, height: 720 });
});
afterAll(() => display?.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-native-'));
});
afterEach(async () => {
  recorder.kill('SIGKILL');
  await recorder.exited;
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 300 });
});

const start = async (): Promise<Recorder> =>
  (recorder = await startRecorder({ home, display: display?.display ?? null }));

/** One recording, whole: its MP4 has a moov. */
async function onlyRecording() {
  const [published, ...others] = await recorder.published();
  expect(others).toEqual([]);
  const mp4 = await readFile(published!.mp4);
  expect(mp4.includes('moov')).toBe(true);
  return { ...published!, sizeBytes: mp4.byteLength };
}

describe('the recorder on Windows', () => {
  it('records a contact with a suspension, and ends when it is asked to', async () => {
    const page = await (await start()).connect();
    await page.ask('contact.start', { contactId, channel: 'VOICE' });
    await sleep(2000);
    await page.ask('contact.suspend', { contactId });
    await expect.poll(() => host.ffmpegs(recorder.pid), { timeout: 10_000 }).toEqual([]);
    await sleep(1000);
    await page.ask('contact.resume', { contactId });
    await sleep(2000);
    await page.ask('contact.stop', { contactId });
    await page.event(contactId, 'PUBLISHED');
    const { manifest, sizeBytes } = await onlyRecording();
    expect(manifest.runs).toHaveLength(2);
    expect(manifest.gaps.map(({ reason }) => reason)).toContain('suspended');
    expect(manifest.runs[0]?.monitors.length).toBeGreaterThan(0);
    expect(sizeBytes).toBeGreaterThan(1000);
    await page.close();
    expect(await recorder.stop()).toBe(0);
  });

  it('goes on with the contact after it was killed', async () => {
    const page = await (await start()).connect();
    await page.ask('contact.start', { contactId, channel: 'VOICE' });
    await sleep(1500);
    recorder.kill('SIGKILL');
    await recorder.exited;
    await expect.poll(() => host.ffmpegs(recorder.pid), { timeout: 10_000 }).toEqual([]);
    const again = await (await start()).connect();
    await again.push((push) => push.type === 'app.state' && push.state === 'recording');
    await again.ask('contact.stop', { contactId });
    await again.event(contactId, 'PUBLISHED');
    const { manifest } = await onlyRecording();
    expect(manifest.gaps.map(({ reason }) => reason)).toContain('app-restarted');
    await again.close();
    expect(await recorder.stop()).toBe(0);
  });

  it('names the encoder of ours, the monitors, and a capture of each', async () => {
    await start();
    const { stdout } = await host.run({
      args: ['doctor', '--json', '--allow-loopback-origins', '--data-dir', host.path(join(home, 'doctor'))],
      ...{ environment: {}, display: display?.display ?? null, wrapper: [] },
    });
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; verdict: string; evidence: string }[];
    };
    const of = (name: string) => checks.find((check) => check.name === name);
    expect(of('ffmpeg and encoder')?.evidence).toMatch(/libopenh264 in .*win32-x64\\ffmpeg\.exe/);
    expect(of('display')?.evidence).toMatch(/^DISPLAY1 \d+x\d+/);
    // An empty desktop is a warning.
    expect(of('test capture')?.verdict).not.toBe('failed');
    expect(of('test capture')?.evidence).toMatch(/\d+ frames encoded/);
  });
});
