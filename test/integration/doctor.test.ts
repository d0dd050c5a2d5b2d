// Health checks on stand-ins and real screens: into the strict S3 stand-in, EventBridge, on screens that are still and alive;
// as the built program into S3 and beside a running Sightline.
import { once } from 'node:events';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { displaysOf } from '../../main/capture/displays.ts';
import { FfmpegFinder } from '../../main/capture/ffmpegBinary.ts';
import { ffmpegSpawner } from '../../main/capture/spawnFfmpeg.ts';
import { tryCapture } from '../../main/capture/trial.ts';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { silentLogger } from '../../main/platform/log.ts';
import { EVENT_BRIDGE_FAILED, EVENT_BRIDGE_RECOVERED } from '../../main/shared/names.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import { startBroker } from '../rig/broker.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { startEventBridgeServer, testKey } from '../rig/eventBridgeServer.ts';
import { Bench } from '../rig/doctorCases/bench.ts';
import { startRecorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { BUCKET, KMS_KEY, startStrictStore } from '../rig/s3Store.ts';

const DOMAIN = ['--allowed-domains', 'acme.my.connect.aws'];
let bench: Bench;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  bench = await Bench.make();
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await bench.stop();
});

/** The whole program. */
async function doctor(flags: readonly string[], environment: Record<string, string> = {}) {
  const { checks, text } = await bench.doctor({ flags, environment });
  return { text, checks, check: (name: string) => checks.find((one) => one.name === name)! };
}

/** One check, in this process, after those whose findings it uses. */
async function check(
  name: string,
  flags: readonly string[],
  environment: Record<string, string> = {},
  ...before: string[]
): Promise<CheckResult> {
  return (await bench.checks([...before, name], { flags, environment })).at(-1)!;
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
    expect(check('sink bucket').evidence).toContain(
      `(aws:kms with the key ${KMS_KEY}; the bucket's default is another: AES256), then deleted`,
    );
    expect(check('clock').evidence).toMatch(/^right within 1\.5 s according to S3/);
    expect(check('credentials')).toMatchObject({ verdict: 'warning' });
    expect(check('credentials').evidence).toBe('from environment, without an expiry');
    const calls = s3.strict!.requests.map(({ operation, key, status }) => ({ operation, key, status }));
    expect(check('throughput')).toMatchObject({ verdict: 'ok', remedy: '' });
    const put = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];
    expect(calls.map(({ operation }) => operation)).toEqual([
      ...[...put, 'HeadObject', 'DeleteObject'],
      // What the bucket encrypts with by default.
      ...['CreateMultipartUpload', 'AbortMultipartUpload'],
      ...['HeadObject', ...put, ...put, ...put, ...put, 'DeleteObject'],
    ]);
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
      const found = await check('sink bucket', flags, environment);
      expect(found).toMatchObject({ verdict: 'warning' });
      expect(found.remedy).toContain('s3:DeleteObject');
    }
    expect(s3.strict!.objects(BUCKET)).toHaveLength(1);
  });

  it('behind a broker is not tried; that the broker asks for a token is', async () => {
    const s3 = await store();
    const broker = await startBroker(s3.strict!, ['token']);
    stops.push(() => broker.close());
    const { flags, environment } = s3Options(s3, ['--broker-url', broker.url]);
    const names = ['credentials', 'sink bucket', 'clock'];
    const [credentials, bucket, clock] = await bench.checks(names, { flags, environment });
    expect(credentials).toMatchObject({ verdict: 'ok' });
    expect(credentials!.evidence).toContain('answered 401');
    expect(bucket).toMatchObject({ verdict: 'skipped' });
    expect(clock!.evidence).toContain('according to the broker');
    expect(broker.given).toEqual([]);
    expect(s3.strict!.requests).toEqual([]);
  });
});

it('EventBridge is asked for an answer, gets no event, and the last attempt is read from the log', async () => {
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
  const [credentials, first] = await bench.checks(['credentials', 'EventBridge'], { flags, environment });
  expect(first).toMatchObject({ verdict: 'ok' });
  expect(first!.evidence).toContain('0 events pending');
  expect(credentials).toMatchObject({ verdict: 'ok', evidence: 'from environment' });
  const text = JSON.stringify([credentials, first]);
  expect(text).not.toContain(testKey.secretAccessKey);
  expect(text).not.toContain(testKey.sessionToken);
  expect(bus.received).toEqual([]);
  const logs = bench.path('data', 'logs');
  await mkdir(logs, { recursive: true });
  const line = { time: new Date().toISOString(), message: 'in any words', event: EVENT_BRIDGE_FAILED };
  const failed = { ...line, code: 'AccessDeniedException', reason: 'no right' };
  await writeFile(join(logs, 'sightline.log'), `${JSON.stringify(failed)}\n`);
  const problem = await check('EventBridge', flags, environment);
  expect(problem.verdict).toBe('warning');
  expect(problem.evidence).toContain('AccessDeniedException: no right');
  const recovered = { ...line, event: EVENT_BRIDGE_RECOVERED };
  await appendFile(join(logs, 'sightline.log'), `${JSON.stringify(recovered)}\n`);
  expect(await check('EventBridge', flags, environment)).toMatchObject({ verdict: 'ok' });
  await bus.down();
  expect(await check('EventBridge', flags, environment)).toMatchObject({ verdict: 'failed' });
});

describe('the test capture', () => {
  it('ends at once when a contact begins, and leaves no ffmpeg', async () => {
    const desk = await startDesk({ monitors: oneMonitor });
    stops.push(() => desk.stop());
    const displays = displaysOf({
      platform: 'linux',
      policy: { display: desk.display, maxMonitors: 3 },
    });
    stops.push(() => {
      displays.close();
      return Promise.resolve();
    });
    const beginning = new AbortController();
    const ends: Promise<unknown>[] = [];
    const startedAt = performance.now();
    const tried = await tryCapture({
      finder: new FfmpegFinder({ ffmpegPath: null, encoder: 'auto' }, findResourcesFolder()),
      ...{ displays, fps: 5, quality: 'balanced' },
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

  it('knows a screen on which nothing moves, and one that is alive', async () => {
    const still = await startDesk({ monitors: oneMonitor, scene: 'still' });
    stops.push(() => still.stop());
    // The desk paints its code in any scene: the picture stands when it does.
    await still.painters[0]!.pause();
    const frozen = await check('test capture', ['--display', still.display]);
    expect(frozen).toMatchObject({ verdict: 'ok' });
    expect(frozen.evidence).toContain('screen still (not one pixel changed in');
    expect(frozen.remedy).toContain('its image is frozen');
    await still.painters[0]!.resume();
    const moving = await startDesk({ monitors: oneMonitor });
    stops.push(() => moving.stop());
    const alive = await check('test capture', ['--display', moving.display]);
    expect(alive.verdict).not.toBe('failed');
    expect(alive.evidence).toMatch(
      /^screen alive \(\d+ of 10 frames, [1-9]\d* with changes\); \d+ frames encoded; \d+% of one core$/,
    );
    // Nothing of it is anywhere.
    expect(await readdir(bench.home, { recursive: true })).not.toContainEqual(
      expect.stringMatching(/mp4|raw|png/),
    );
  });
});

it('beside a running Sightline: whose port it is, no test capture while recording, who was refused', async () => {
  const desk = await startDesk({ monitors: oneMonitor });
  stops.push(() => desk.stop());
  const recorder = await startRecorder({ display: desk.display, home: bench.home });
  stops.push(() => recorder.stop());
  await expect(recorder.connect({ origin: 'https://forgotten.example' })).rejects.toThrow('403');
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  await page.event('c', 'INITIATED');
  const beside = ['--data-dir', recorder.dataDir, '--display', desk.display, '--allow-loopback-origins'];
  const during = await doctor([...beside, '--port', String(recorder.port)]);
  expect(during.checks.map(({ name }) => name)).toEqual([...bench.names(), 'network']);
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
  expect(during.check('key store').evidence).toBe('key-file encrypts and decrypts');
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
});
