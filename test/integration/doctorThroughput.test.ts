// The check of the line: timed uploads into the strict S3 stand-in and timed writes into a folder, fast and slow, and never
// during a contact. The slow lines to S3 are cases of doctorCloud.test.ts.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { LiveState } from '../../main/diagnostics/context.ts';
import { judgeThroughput, throughputCheck } from '../../main/diagnostics/checks/throughput.ts';
import { loadPolicy } from '../../main/policy/load.ts';
import { startDisplay } from '../rig/display.ts';
import { Bench } from '../rig/doctorCases/bench.ts';
import { startRecorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { BUCKET, REGION, startStrictStore, type S3Store } from '../rig/s3Store.ts';
import { startSlowLine } from '../rig/slowLine.ts';
import { makeSlowDisk } from '../soak/slowDisk.ts';

let bench: Bench;
beforeEach(async () => (bench = await Bench.make()));
afterEach(() => bench.stop());

const check = async (flags: readonly string[], environment: Record<string, string> = {}) =>
  (await bench.checks(['throughput'], { flags, environment }))[0]!;

async function behindLine(bytesPerSecond: number): Promise<{ s3: S3Store; front: S3Store }> {
  const s3 = await startStrictStore();
  bench.onEnd(() => s3.stop());
  const line = await startSlowLine(Number(new URL(s3.endpoint).port), bytesPerSecond);
  bench.onEnd(() => line.stop());
  s3.strict!.frontHost = `127.0.0.1:${line.port}`;
  return { s3, front: { ...s3, endpoint: `http://${s3.strict!.frontHost}` } };
}

describe('into S3', () => {
  it('measures what the line lets through, with one object that is deleted again', async () => {
    const { s3, front } = await behindLine(250_000);
    const { flags, environment } = s3Options(front, ['--upload-limit-kbit', '0']);
    const found = await check(flags, environment);
    expect(found).toMatchObject({ verdict: 'ok', remedy: '' });
    const [, kbps] = /^(\d+) kbit\/s to s3:\/\/recordings \(256 KiB in [12]\.\d s\); an hour/.exec(
      found.evidence,
    )!;
    // 2,000 kbit/s; less on a busy machine.
    expect(Number(kbps)).toBeGreaterThan(1000);
    expect(Number(kbps)).toBeLessThan(2200);
    const { requests, problems } = s3.strict!;
    expect(requests.map(({ operation }) => operation)).toEqual([
      ...['HeadObject', 'PutObject', 'PutObject', 'DeleteObject'],
    ]);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(s3.strict!.objects(BUCKET)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('is quick on a fast line, and sends 3.3 MiB at most', async () => {
    const { s3, front } = await behindLine(50_000_000);
    const { flags, environment } = s3Options(front);
    const started = performance.now();
    expect(await check(flags, environment)).toMatchObject({ verdict: 'ok' });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(s3.strict!.bytesReceived).toBeLessThan(3.5 * 1024 * 1024);
  });

  it('gives up after 12 s, and deletes what there is', async () => {
    const { s3, front } = await behindLine(2000);
    const { flags, environment } = s3Options(front);
    const started = performance.now();
    const found = await check(flags, environment);
    expect(found).toMatchObject({ verdict: 'failed' });
    expect(found.evidence).toMatch(
      /^less than 44 kbit\/s to s3:\/\/recordings \(64 KiB did not arrive within 12\.0 s\); during contacts/,
    );
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(s3.strict!.objects(BUCKET)).toEqual([]);
    expect(s3.strict!.requests.at(-1)).toMatchObject({ operation: 'DeleteObject', status: 204 });
  });

  it('keeps one object where it may not be deleted, however often it runs', async () => {
    const s3 = await startStrictStore();
    bench.onEnd(() => s3.stop());
    const { flags, environment } = s3Options(s3);
    for (let time = 0; time < 2; time += 1) {
      s3.strict!.inject({ kind: 'accessDenied', operation: 'DeleteObject' });
      expect(await check(flags, environment)).toMatchObject({ verdict: 'ok' });
    }
    expect(s3.strict!.objects(BUCKET)).toHaveLength(1);
  });

  it('fails where a small object gets through, and a larger one does not', async () => {
    const s3 = await startStrictStore();
    bench.onEnd(() => s3.stop());
    const { flags, environment } = s3Options(s3);
    s3.strict!.inject({ kind: 'accessDenied', operation: 'PutObject', skip: 1 });
    expect(await check(flags, environment)).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringMatching(/^AccessDenied: /) as string,
    });
  });

  it('is skipped behind a broker, and where the bucket does not answer', async () => {
    const { flags, environment } = s3Options(await startAndStop());
    const broker = ['--broker-url', 'http://127.0.0.1:9/'];
    expect(await check([...flags, ...broker], environment)).toMatchObject({
      verdict: 'skipped',
      evidence: expect.stringMatching(/^the broker issues credentials only for an agent/) as string,
    });
    expect(await check(flags, environment)).toMatchObject({
      verdict: 'skipped',
      evidence: 'nothing can be uploaded: see the check "sink bucket"',
    });
  });
});

async function startAndStop(): Promise<S3Store> {
  const s3 = await startStrictStore();
  await s3.stop();
  return s3;
}

describe('into a folder', () => {
  it('writes and leaves nothing', async () => {
    const sink = join(bench.home, 'sink');
    await mkdir(sink);
    const found = await check(['--sink-folder', sink]);
    expect(found.verdict).toBe('ok');
    expect(found.evidence).toMatch(/^\d+ (kbit|Mbit)\/s to .*\/sink \(.*\); an hour of contacts/);
    expect(await readdir(sink)).toEqual([]);
  });

  it('is skipped where the folder is not there: another check says so', async () => {
    expect(await check(['--sink-folder', join(bench.home, 'gone')])).toMatchObject({
      verdict: 'skipped',
      evidence: expect.stringMatching(/cannot be written to: see the check "sink folder" \(ENOENT/) as string,
    });
  });

  it('on a disk that stands still for a while is slow, and what it wrote is deleted', async (context) => {
    const disk = await makeSlowDisk();
    if (disk === null) return context.skip('no disk of our own can be made here');
    onTestFinished(() => disk.remove());
    let thawed: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve) => {
      thawed = disk.freeze(1500, resolve);
    });
    const found = await check(['--sink-folder', disk.folder]);
    await thawed;
    expect(found).toMatchObject({ verdict: 'warning' });
    expect(found.evidence).toMatch(/^\d{3} kbit\/s to .* \(64 KiB in 1\.\d s\); an hour of contacts/);
    expect(await readdir(disk.folder)).toEqual(['lost+found']);
    return undefined;
  });
});

describe('a contact', () => {
  it('of a running Sightline is not slowed: nothing is sent', async () => {
    const display = await startDisplay();
    bench.onEnd(() => display.stop());
    const s3 = await startStrictStore();
    bench.onEnd(() => s3.stop());
    const { flags, environment } = s3Options(s3);
    const recorder = await startRecorder({ display: display.display, home: bench.home });
    bench.onEnd(() => recorder.stop());
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await page.event('c', 'INITIATED');
    expect(await check([...flags, '--data-dir', recorder.dataDir], environment)).toMatchObject({
      verdict: 'skipped',
      evidence: 'not run while recording',
    });
    expect(s3.strict!.requests).toEqual([]);
  });

  it('that begins ends the upload at once', async () => {
    const { s3, front } = await behindLine(20_000);
    const { environment } = s3Options(front);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const store = { sink: 's3', s3Bucket: BUCKET, s3Endpoint: front.endpoint, s3PathStyle: true } as const;
    const { values: policy } = loadPolicy({
      ...{ machine: [], environment: {} },
      flags: { dataDir: bench.dataDir, awsRegion: REGION, ...store },
    });
    let isRecording = false;
    let changed = (): void => undefined;
    const live: LiveState = {
      isRecording: () => isRecording,
      onChange: (listener) => {
        changed = listener;
        return () => undefined;
      },
      eventBridgeProblem: () => null,
    };
    const found = Promise.resolve(
      throughputCheck({ policy, instanceAlias: null, live, network: new NodeNetwork() }),
    );
    while (s3.strict!.bytesReceived === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const began = performance.now();
    isRecording = true;
    changed();
    expect(await found).toMatchObject({
      verdict: 'skipped',
      evidence: 'not run while recording: a contact began',
    });
    // 64 KiB would take 3.3 s.
    expect(performance.now() - began).toBeLessThan(2500);
    expect(s3.strict!.objects(BUCKET)).toEqual([]);
  });
});

describe('the verdict', () => {
  const kbps = (rate: number) => judgeThroughput({ bytes: rate * 125, ms: 1000, isWhole: true }, 'x', 500);
  it.each([
    [600, 'ok'],
    [599, 'warning'],
    [94, 'warning'],
    [93, 'failed'],
  ])('of %d kbit/s is %s', (rate, verdict) => {
    expect(kbps(rate)).toMatchObject({ verdict });
  });

  it('of what did not arrive is failed', () => {
    const { verdict, evidence } = judgeThroughput({ bytes: 65_536, ms: 12_000, isWhole: false }, 'x', null);
    expect(verdict).toBe('failed');
    expect(evidence).toMatch(/^less than 44 kbit\/s to x \(64 KiB did not arrive within 12\.0 s\); an hour/);
  });

  it('says what an hour of contacts needs', () => {
    expect(kbps(2000).evidence).toMatch(
      /; an hour of contacts \(42 to 138 MB\) takes 3 min to 9 min to upload$/,
    );
  });
});
