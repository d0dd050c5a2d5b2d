// `sightline doctor` as the built program: into the strict S3 stand-in, on real screens that are black, still and alive,
// beside a running Sightline.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { displaysOf } from '../../main/capture/displays.ts';
import { FfmpegFinder } from '../../main/capture/ffmpegBinary.ts';
import { ffmpegSpawner } from '../../main/capture/spawnFfmpeg.ts';
import { tryCapture } from '../../main/capture/trial.ts';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { silentLogger } from '../../main/platform/log.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { startBroker } from '../rig/broker.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { startDisplay } from '../rig/display.ts';
import { startEventBridgeServer, testKey } from '../rig/eventBridgeServer.ts';
import { endWithUs } from '../rig/process.ts';
import { startRecorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { BUCKET, KMS_KEY, startStrictStore } from '../rig/s3Store.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const DOMAIN = ['--allowed-domains', 'acme.my.connect.aws'];
let home: string;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-doctor-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(home, { recursive: true, force: true });
});

interface Report {
  readonly code: number;
  readonly text: string;
  readonly check: (name: string) => CheckResult;
}

/** Not spawnSync: the stand-ins answer in this process. */
async function doctor(flags: readonly string[], environment: Record<string, string> = {}): Promise<Report> {
  const { DISPLAY: _, ...inherited } = process.env;
  const dataDir = flags.includes('--data-dir') ? [] : ['--data-dir', join(home, 'data')];
  const child = spawn(process.execPath, [program, 'doctor', '--json', ...dataDir, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...inherited, HOME: home, ...environment },
  });
  endWithUs(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number];
  const { checks } = JSON.parse(text) as { checks: CheckResult[] };
  return { code, text, check: (name) => checks.find((one) => one.name === name)! };
}

async function store(options?: Parameters<typeof startStrictStore>[0]) {
  const started = await startStrictStore(options);
  stops.push(() => started.stop());
  return started;
}

describe('the sink', () => {
  it('in S3 is written to with a small object, which is checked and gone again', async () => {
    const s3 = await store();
    const { flags, environment } = s3Options(s3, ['--s3-kms-key-id', KMS_KEY]);
    const { check, text } = await doctor([...DOMAIN, ...flags], environment);
    expect(check('sink bucket')).toMatchObject({ verdict: 'ok', remedy: '' });
    expect(check('sink bucket').evidence).toContain(`encrypted with ${KMS_KEY}`);
    expect(check('clock').evidence).toMatch(/^right to 1\.5 s by S3/);
    expect(check('credentials')).toMatchObject({ verdict: 'warning' });
    expect(check('credentials').evidence).toBe('from environment, without an end');
    const calls = s3.strict!.requests.map(({ operation, key, status }) => ({ operation, key, status }));
    expect(calls.map(({ operation }) => operation)).toEqual(['PutObject', 'HeadObject', 'DeleteObject']);
    for (const { key } of calls)
      expect(key).toMatch(
        /^connect\/sightline-doctor\/ScreenRecordings\/\.sightline-doctor\/[0-9a-f]{16}\.txt$/,
      );
    expect(s3.strict!.objects(BUCKET)).toEqual([]);
    expect(s3.strict!.problems).toEqual([]);
    expect(text).not.toContain(s3.credentials.secretAccessKey);
    expect(text).not.toContain(s3.credentials.accessKeyId);
  });

  it('that may not delete keeps one object, and it is said', async () => {
    const s3 = await store();
    const { flags, environment } = s3Options(s3);
    for (let time = 0; time < 2; time += 1) {
      s3.strict!.inject({ kind: 'accessDenied', operation: 'DeleteObject' });
      const { check } = await doctor([...DOMAIN, ...flags], environment);
      expect(check('sink bucket')).toMatchObject({ verdict: 'warning' });
      expect(check('sink bucket').remedy).toContain('s3:DeleteObject');
    }
    expect(s3.strict!.objects(BUCKET)).toHaveLength(1);
  });

  it('behind a broker is not tried; that the broker asks for a token is', async () => {
    const s3 = await store();
    const broker = await startBroker(s3.strict!, ['token']);
    stops.push(() => broker.close());
    const { flags, environment } = s3Options(s3, ['--broker-url', broker.url]);
    const { check } = await doctor([...DOMAIN, ...flags], environment);
    expect(check('credentials')).toMatchObject({ verdict: 'ok' });
    expect(check('credentials').evidence).toContain('answered 401');
    expect(check('sink bucket')).toMatchObject({ verdict: 'skipped' });
    expect(check('clock').evidence).toContain('by the broker');
    expect(broker.given).toEqual([]);
    expect(s3.strict!.requests).toEqual([]);
  });
});

it('a clock that is off shows in the server’s date', async () => {
  const server = createServer((_, response) => {
    response.writeHead(401, { Date: new Date(Date.now() + 3_600_000).toUTCString() }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { check } = await doctor([...DOMAIN, '--sink', 's3', '--s3-bucket', BUCKET, '--broker-url', url]);
  expect(check('clock')).toMatchObject({ verdict: 'failed' });
  expect(check('clock').evidence).toMatch(/^3[56]\d\d\.\d s slow by the broker/);
});

it('EventBridge is asked for an answer, sends nothing, and tells what the last try came to', async () => {
  const bus = await startEventBridgeServer();
  stops.push(() => bus.stop());
  const flags = [
    ...['--event-bus-name', bus.bus, '--event-bridge-endpoint', bus.endpoint, '--aws-region', bus.region],
    ...DOMAIN,
  ];
  const environment = {
    AWS_ACCESS_KEY_ID: testKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testKey.secretAccessKey,
    AWS_SESSION_TOKEN: testKey.sessionToken ?? '',
  };
  const { check, text } = await doctor(flags, environment);
  expect(check('EventBridge').verdict).toBe('ok');
  expect(check('EventBridge').evidence).toContain('0 events wait');
  expect(check('credentials')).toMatchObject({ verdict: 'ok', evidence: 'from environment' });
  expect(text).not.toContain(testKey.secretAccessKey);
  expect(text).not.toContain(testKey.sessionToken);
  expect(bus.received).toEqual([]);
  const logs = join(home, 'data', 'logs');
  await mkdir(logs, { recursive: true });
  const message = 'status events do not reach EventBridge; they wait in the outbox';
  const line = { time: new Date().toISOString(), message, code: 'AccessDeniedException', reason: 'no right' };
  await writeFile(join(logs, 'sightline.log'), `${JSON.stringify(line)}\n`);
  const problem = (await doctor(flags, environment)).check('EventBridge');
  expect(problem.verdict).toBe('warning');
  expect(problem.evidence).toContain('AccessDeniedException: no right');
  await bus.down();
  expect((await doctor(flags, environment)).check('EventBridge')).toMatchObject({ verdict: 'failed' });
});

describe('the test capture', () => {
  it('ends at once when a contact begins, and leaves no ffmpeg', async () => {
    const desk = await startDesk({ monitors: oneMonitor });
    stops.push(() => desk.stop());
    const displays = displaysOf({ platform: 'linux', display: desk.display, maxMonitors: 3, source: null });
    stops.push(() => {
      displays.close();
      return Promise.resolve();
    });
    const beginning = new AbortController();
    const ends: Promise<unknown>[] = [];
    const startedAt = performance.now();
    const tried = await tryCapture({
      finder: new FfmpegFinder({ ffmpegPath: null, resourcesFolder: findResourcesFolder(), encoder: 'auto' }),
      displays,
      fps: 5,
      signal: beginning.signal,
      spawn: (path, args) => {
        const child = ffmpegSpawner(silentLogger)(path, args);
        ends.push(once(child, 'exit'));
        child.stdout.once('data', () => beginning.abort());
        return child;
      },
    });
    expect(tried).toBeNull();
    expect(ends).toHaveLength(1);
    expect(await ends[0]).toEqual([null, 'SIGKILL']);
    // Two captures of two seconds each would have taken four.
    expect(performance.now() - startedAt).toBeLessThan(3500);
  });

  it('knows a black screen', async () => {
    const display = await startDisplay();
    stops.push(() => display.stop());
    const { check } = await doctor([...DOMAIN, '--display', display.display]);
    expect(check('test capture')).toMatchObject({ verdict: 'warning' });
    expect(check('test capture').evidence).toContain('screen black, still');
    expect(check('test capture').remedy).toContain('hides the screen');
  });

  it('knows a screen on which nothing moves, and one that is alive', async () => {
    const still = await startDesk({ monitors: oneMonitor, scene: 'still' });
    stops.push(() => still.stop());
    // The desk paints its code in any scene: the picture stands when it does.
    await still.painters[0]!.pause();
    const frozen = (await doctor([...DOMAIN, '--display', still.display])).check('test capture');
    expect(frozen).toMatchObject({ verdict: 'ok' });
    expect(frozen.evidence).toContain('screen still (not one pixel changed in');
    expect(frozen.remedy).toContain('its picture is frozen');
    await still.painters[0]!.resume();
    const moving = await startDesk({ monitors: oneMonitor });
    stops.push(() => moving.stop());
    const alive = (await doctor([...DOMAIN, '--display', moving.display])).check('test capture');
    expect(alive.verdict).not.toBe('failed');
    expect(alive.evidence).toMatch(
      /^screen alive \(\d+ of 10 frames, [1-9]\d* with changes\); \d+ of 10 frames encoded; \d+% of one core$/,
    );
    // Nothing of it is anywhere.
    expect(await readdir(join(home, 'data'))).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/mp4|raw|png/)]),
    );
  });
});

it('beside a running Sightline: whose port it is, no test capture while recording, who was refused', async () => {
  const desk = await startDesk({ monitors: oneMonitor });
  stops.push(() => desk.stop());
  const recorder = await startRecorder({ display: desk.display, home });
  stops.push(() => recorder.stop());
  await expect(recorder.connect({ origin: 'https://forgotten.example' })).rejects.toThrow('403');
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  await page.event('c', 'INITIATED');
  const beside = ['--data-dir', recorder.dataDir, '--display', desk.display, '--allow-loopback-origins'];
  const during = await doctor([...beside, '--port', String(recorder.port)]);
  expect(during.check('port')).toMatchObject({ verdict: 'ok' });
  expect(during.check('port').evidence).toContain(`process ${recorder.pid}`);
  expect(during.check('single instance').evidence).toContain(
    `process ${recorder.pid}, port ${recorder.port}`,
  );
  expect(during.check('test capture')).toMatchObject({
    verdict: 'skipped',
    evidence: 'not run while recording',
  });
  expect(during.check('refused pages').evidence).toContain('https://forgotten.example (once');
  expect(during.check('key store').evidence).toBe('key-file locks and unlocks');
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
  const another = await doctor([
    '--data-dir',
    join(home, 'other'),
    '--allow-loopback-origins',
    '--port',
    String(recorder.port),
  ]);
  expect(another.check('port')).toMatchObject({ verdict: 'failed' });
  expect(another.check('port').evidence).toContain('another Sightline');
});
