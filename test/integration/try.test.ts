// `sightline try`, as IT runs it after the installation: with and without a running Sightline, into a folder and into S3, and where
// something is wrong. Whoever else may ask for it is in controlAttacks.test.ts.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RUN_FILE_EXTENSION } from '../../main/spool/runFiles.ts';
import { trialReportSchema, type TrialReport } from '../../main/shared/trial.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { run } from '../rig/process.ts';
import { agent, readEvents, readPublished, startRecorder, type Recorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { BUCKET, KMS_KEY, startStrictStore, type S3Store } from '../rig/s3Store.ts';

let display: Display;
let home: string;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => (display = await startDisplay()));
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-try-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(home, { recursive: true, force: true });
});

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const dataDir = (): string => join(home, 'data');
const sink = (): string => join(home, 'sink');
const events = () => readEvents(join(dataDir(), 'status-events.ndjson'));

async function tryIt(flags: readonly string[] = [], environment: Record<string, string> = {}) {
  const { code, stdout, stderr } = await run(
    process.execPath,
    [program, 'try', '--seconds', '3', '--data-dir', dataDir(), '--sink-folder', sink(), ...flags],
    { env: { ...process.env, DISPLAY: display.display, ...environment } },
  );
  return { code, stdout: stdout.toString(), stderr };
}

async function report(flags: readonly string[] = [], environment: Record<string, string> = {}) {
  const { code, stdout, stderr } = await tryIt(['--json', ...flags], environment);
  expect(stderr).toBe('');
  return { code, report: trialReportSchema.parse(JSON.parse(stdout)) };
}

function works(of: TrialReport): TrialReport & { ok: true } {
  if (!of.ok) throw new Error(JSON.stringify(of));
  return of;
}

async function hasFrames(): Promise<boolean> {
  const names = await readdir(join(dataDir(), 'spool'), { recursive: true });
  const runs = names.filter((name) => name.endsWith(RUN_FILE_EXTENSION));
  const sizes = await Promise.all(
    runs.map(async (name) => (await stat(join(dataDir(), 'spool', name))).size),
  );
  // More than ffmpeg's header, which has 800 bytes.
  return sizes.some((size) => size > 1200);
}

async function startStore(): Promise<S3Store> {
  const store = await startStrictStore();
  stops.push(() => store.stop());
  return store;
}

async function running(flags: readonly string[] = []): Promise<Recorder> {
  const recorder = await startRecorder({ display: display.display, home, flags });
  stops.push(() => recorder.stop());
  return recorder;
}

describe('sightline try', () => {
  it('records into the folder, says so in plain words, and marks the recording as a trial', async () => {
    const { code, stdout, stderr } = await tryIt();
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [one] = await readPublished(sink());
    expect(one?.manifest).toMatchObject({ trial: true, endCause: 'stopped' });
    expect(one?.manifest.contact.contactId).toMatch(/^sightline-try-[0-9a-f-]{36}$/);
    expect(one?.manifest.durationMs).toBeGreaterThan(2500);
    expect(await decodesCleanly(one?.mp4 ?? '')).toBe('');
    const sha256 = createHash('sha256')
      .update(await readFile(one?.mp4 ?? ''))
      .digest('hex');
    for (const text of [
      'It works',
      `${one?.manifest.video.frames} frames`,
      sha256,
      'written',
      'names no encryption',
      one?.mp4 ?? '-',
    ])
      expect(stdout).toContain(text);
    const told = await events();
    expect(told.map(({ detail }) => detail.recordingStatus)).toEqual(['INITIATED', 'COMPLETED', 'PUBLISHED']);
    for (const { detail } of told) expect(detail.sightline).toEqual({ channel: 'TASK', trial: true });
    // The lock is free again, and nothing waits.
    expect(await readdir(join(dataDir(), 'spool'))).toEqual([]);
    expect((await report(['--delete'])).code).toBe(0);
  });

  it('removes its recording again with --delete, and no other', async () => {
    await tryIt();
    const before = await readdir(sink(), { recursive: true });
    const { code, report: of } = await report(['--delete']);
    expect(code).toBe(0);
    expect(works(of).removed).toEqual({ ok: true, why: null });
    expect((await readdir(sink(), { recursive: true })).sort()).toEqual(before.sort());
  });

  it('records into S3 and removes it there', async () => {
    const store = await startStore();
    const { flags, environment } = s3Options(store, ['--s3-kms-key-id', KMS_KEY]);
    const kept = works((await report(flags, environment)).report);
    const keys = (await store.objects()).map(({ key }) => key);
    expect(keys).toHaveLength(2);
    expect(kept.location).toBe(`s3://${BUCKET}/${keys.find((key) => key.endsWith('.mp4')) ?? ''}`);
    expect(kept.encryption).toEqual({ algorithm: 'aws:kms', keyId: KMS_KEY });
    const removed = works((await report([...flags, '--delete'], environment)).report);
    expect(removed.removed).toEqual({ ok: true, why: null });
    expect((await store.objects()).map(({ key }) => key).sort()).toEqual(keys.sort());
    expect(store.strict?.problems).toEqual([]);
  });

  it('says what is wrong with a bucket that is not there, and ends with 1', async () => {
    const store = await startStore();
    const { flags, environment } = s3Options(store, ['--s3-bucket', 'no-such-bucket']);
    const { code, stdout } = await tryIt(flags, environment);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /It does not work: the screen was recorded, and the sink did not take the recording/,
    );
    expect(stdout).toMatch(/NoSuchBucket/);
    expect(stdout).toMatch(/^(UPLOAD_FAILED|CLIENT_AUTH_ERROR): /m);
    expect(stdout).toContain('sightline doctor');
    // It is recorded, and not lost.
    expect(await readdir(join(dataDir(), 'spool'))).toHaveLength(1);
  });

  it('says that there is no display, and ends with 1', async () => {
    const { code, report: of } = await report(['--display', ':987']);
    expect(code).toBe(1);
    expect(of).toMatchObject({ ok: false, step: 'record', failure: { code: 'NO_DISPLAY' } });
  });

  it.each(['2', '61', 'x', '-3'])('takes no --seconds %s', async (seconds) => {
    expect((await tryIt(['--seconds', seconds])).code).toBe(64);
  });
});

describe('sightline try while Sightline runs', () => {
  it('asks that one, which shows it, while a page of an agent is connected', async () => {
    const recorder = await running();
    const page = await recorder.connect();
    const states = () => page.pushes.flatMap((one) => (one.type === 'app.state' ? [one.state] : []));
    const { code, report: of } = await report();
    expect(code).toBe(0);
    expect(works(of).location.startsWith(`file://${recorder.sinkFolder}/`)).toBe(true);
    expect(states()).toContain('recording');
    const [one] = await recorder.published();
    expect(one?.manifest).toMatchObject({ trial: true, agent: { arn: agent.agentArn } });
    expect(await page.request('status')).toMatchObject({ ok: true, state: 'idle', recordings: [] });
  });

  it('refuses during a contact, which goes on', async () => {
    const recorder = await running();
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    const { code, report: of } = await report();
    expect(code).toBe(1);
    expect(of).toMatchObject({ ok: false, step: 'begin', failure: { code: 'USER_ERROR' } });
    expect(await page.ask('status')).toMatchObject({ state: 'recording', recordings: [{ contactId: 'c' }] });
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    expect(await recorder.published()).toHaveLength(1);
  });

  it('makes way for an agent, and is not begun twice', async () => {
    const recorder = await running();
    const first = report(['--seconds', '8']);
    await expect.poll(events, { timeout: 10_000 }).toHaveLength(1);
    const second = await report();
    expect(second.report).toMatchObject({ ok: false, step: 'begin', failure: { code: 'USER_ERROR' } });
    await expect.poll(hasFrames, { timeout: 10_000 }).toBe(true);
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    expect(works((await first).report).durationMs).toBeLessThan(7000);
    const manifests = (await recorder.published()).map(({ manifest }) => manifest);
    expect(manifests.map(({ trial, endCause }) => [trial, endCause])).toEqual(
      expect.arrayContaining([
        [true, 'agent-changed'],
        [undefined, 'stopped'],
      ]),
    );
  });

  it('starts the services itself after a crash, whose file is still there', async () => {
    const recorder = await running();
    recorder.kill('SIGKILL');
    await recorder.exited;
    expect((await report()).code).toBe(0);
  });

  it('no page can mark its contact as a trial', async () => {
    const recorder = await running();
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'sightline-try-c', channel: 'VOICE', trial: true });
    await page.ask('contact.stop', { contactId: 'sightline-try-c' });
    const { detail } = await page.event('sightline-try-c', 'PUBLISHED');
    expect(detail.sightline).toEqual({ channel: 'VOICE' });
    expect((await recorder.published())[0]?.manifest.trial).toBeUndefined();
  });
});
