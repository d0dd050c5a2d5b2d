// The command line as a Windows program, the port that is somebody else's, and the S3 sink.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDesk, oneMonitor, type Desk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { host, type ProgramResult } from '../rig/program.ts';
import { startRecorder } from '../rig/recorder.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { downloadPublished, s3Options } from '../rig/s3Recorder.ts';
import { startStrictStore } from '../rig/s3Store.ts';
import { CLOCK_BESIDE_OTHERS_MS } from '../rig/wine.ts';

let desk: Desk;
let home: string;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-windows-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function sightline(args: string[], environment: Record<string, string> = {}): Promise<ProgramResult> {
  return host.run({ args, environment, display: desk.display, wrapper: [] });
}

describe('the command line', () => {
  it('policy: flag before variable before default, in the places of Windows', async () => {
    const { code, stdout } = await sightline(['policy', '--json', '--fps', '7'], {
      SIGHTLINE_FPS: '9',
      SIGHTLINE_GRACE_SECONDS: '5',
    });
    const { keys } = JSON.parse(stdout) as { keys: Record<string, { value: unknown; source: string }> };
    expect(code).toBe(0);
    expect(keys.fps).toEqual({ value: 7, source: 'flag' });
    expect(keys.graceSeconds).toEqual({ value: 5, source: 'environment' });
    expect(keys.dataDir?.value).toMatch(/^C:\\users\\[^\\]+\\AppData\\Local\\Sightline$/);
  });

  it('a wrong command line is refused with its exit code', async () => {
    const { code, stderr } = await sightline(['serve', '--allowed-domains', 'https://a.example']);
    expect(code).toBe(64);
    expect(stderr).toContain('"https://a.example": it has a scheme');
  });

  it('doctor: the encoder of ours, the monitors in pixels, a capture of each', async () => {
    const { code, stdout } = await sightline(
      [...['doctor', '--json', '--allow-loopback-origins'], '--data-dir', host.path(join(home, 'd'))],
      { SIGHTLINE_ALLOWED_DOMAINS: 'acme.my.connect.aws' },
    );
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; verdict: string; evidence: string }[];
    };
    const of = (name: string) => checks.find((check) => check.name === name);
    expect(of('ffmpeg and encoder')?.evidence).toMatch(/libopenh264 in .*win32-x64\\ffmpeg\.exe/);
    expect(of('display')?.evidence).toBe('DISPLAY1 1280x720');
    expect(of('test capture')?.verdict).toBe('ok');
    expect(of('test capture')?.evidence).toMatch(/\d+ frames encoded/);
    expect(of('data folder')?.evidence).toMatch(/GiB free/);
    console.log(checks.map(({ verdict, name, evidence }) => `${verdict} ${name}: ${evidence}`).join('\n'));
    expect(checks.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name)).toEqual([]);
    expect(code).toBe(0);
  });

  it('recordings and recordings retry find the running Sightline of this user', async () => {
    const recorder = await startRecorder({ display: desk.display, home });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'seen', channel: 'TASK' });
    await page.ask('contact.stop', { contactId: 'seen' });
    await page.event('seen', 'PUBLISHED');
    const at = ['--data-dir', host.path(recorder.dataDir)];
    const retried = await sightline(['recordings', ...at, 'retry']);
    expect(retried).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No pending uploads.') as string,
    });
    expect(await recorder.stop()).toBe(0);
    const { stdout } = await sightline(['recordings', '--json', ...at]);
    const { recordings } = JSON.parse(stdout) as { recordings: { contact: string; status: string }[] };
    expect(recordings).toMatchObject([{ contact: 'seen', status: 'PUBLISHED' }]);
  });
});

it('a taken port is refused with words about what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const { code, stderr } = await sightline([
      'serve',
      '--port',
      String(port),
      '--data-dir',
      host.path(home),
    ]);
    console.log(stderr.split('\n').at(-2));
    expect(code).toBe(69);
    expect(stderr).toMatch(
      new RegExp(`CLIENT_CONNECTION_ERROR: Port ${port} is already in use.* set another "port"`),
    );
  } finally {
    server.close();
  }
});

it('a contact goes into S3, whole and at its time', async () => {
  const store = await startStrictStore();
  try {
    const recorder = await startRecorder({ display: desk.display, home, ...s3Options(store) });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await sleep(1500);
    await page.ask('contact.stop', { contactId: 'c' });
    const event = await page.event('c', 'PUBLISHED');
    expect(event.detail).toMatchObject({
      recordingInfo: {
        location: expect.stringMatching(
          /^s3:\/\/[^/]+\/connect\/acme\/ScreenRecordings\/.*c_\w+\.mp4$/,
        ) as string,
      },
    });
    const [found] = await downloadPublished(store, join(home, 'downloaded'), (id) => id === 'c');
    expect(await decodesCleanly(found!.mp4)).toBe('');
    const clock = recordingClock(await decodeRecording(found!.mp4, found!.manifest), found!.manifest);
    expect(clock.count).toBeGreaterThan(3);
    expect(clock.maxMs).toBeLessThanOrEqual(CLOCK_BESIDE_OTHERS_MS);
    expect(store.strict!.problems).toEqual([]);
    expect(await recorder.stop()).toBe(0);
  } finally {
    await store.stop();
  }
});
