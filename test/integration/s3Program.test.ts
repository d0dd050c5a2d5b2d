// The built program with S3 for its sink: a contact from the real display into the bucket, during the call and after it,
// with credentials from the environment and from a broker, over a network that goes away.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../rig/broker.ts';
import { oneMonitor, startDesk, type Desk } from '../rig/desk.ts';
import { startPainter } from '../rig/painter.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import { FFMPEG_HINT, findTool } from '../rig/process.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { downloadPublished, s3Options } from '../rig/s3Recorder.ts';
import type { Fault, S3Server } from '../rig/s3Server.ts';
import { BUCKET, KMS_KEY, REGION, startStrictStore, type S3Store } from '../rig/s3Store.ts';

let desk: Desk;
let store: S3Store;
let s3: S3Server;
let home: string;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
});
afterAll(() => desk.stop());
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await rm(home, { recursive: true, force: true });
});

async function start(
  flags: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Recorder> {
  const options = s3Options(store, flags);
  const recorder = await startRecorder({
    display: desk.display,
    home,
    flags: options.flags,
    environment: { ...options.environment, ...environment },
  });
  stops.push(() => recorder.stop());
  return recorder;
}

async function newStore(): Promise<void> {
  home = await mkdtemp(join(tmpdir(), 'sightline-s3-'));
  store = await startStrictStore();
  s3 = store.strict!;
  stops.push(() => store.stop());
}

async function record(page: Page, contactId: string, ms: number): Promise<void> {
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(ms);
  await page.ask('contact.stop', { contactId });
}

const published = (contactId: string) =>
  downloadPublished(store, join(home, 'downloaded'), (id) => id === contactId);

const uploadsReason = (page: Page, matches: (code: string) => boolean): Promise<unknown> =>
  page.push(
    (push) => push.type === 'app.state' && push.uploads.reason !== null && matches(push.uploads.reason.code),
  );

describe('a contact', () => {
  it('is one object with its manifest, tells the right time, and is told of with its place', async () => {
    await newStore();
    const recorder = await start();
    const page = await recorder.connect();
    await record(page, 'c', 1500);
    const event = await page.event('c', 'PUBLISHED');
    const [{ mp4, manifest }, ...others] = (await published('c')) as [
      Awaited<ReturnType<typeof published>>[0],
    ];
    expect(others).toEqual([]);
    const key = s3.objects(BUCKET).find((one) => one.key.endsWith('.mp4'))!.key;
    expect(event.detail).toMatchObject({ recordingInfo: { location: `s3://${BUCKET}/${key}` } });
    expect(key).toMatch(/^connect\/acme\/ScreenRecordings\/\d{4}\/\d\d\/\d\d\/c_\d{8}T\d{6}Z\.mp4$/);
    expect(await decodesCleanly(mp4)).toBe('');
    expect(recordingClock(await decodeRecording(mp4, manifest), manifest).maxMs).toBeLessThan(200);
    expect(s3.problems).toEqual([]);
    expect(await readdir(join(recorder.dataDir, 'spool'))).toEqual([]);
  });

  it('that is long goes while it is on, held to the cap, and what was suspended never does', async () => {
    await newStore();
    const painter = await startPainter({ display: desk.display, scene: 'snow', fps: 12 });
    stops.push(() => painter.stop());
    // Another ffmpeg has no ceiling: many megabytes within seconds.
    const unlimited = ['--ffmpeg-path', findTool(['ffmpeg'], FFMPEG_HINT)];
    const recorder = await start(['--fps', '10', '--upload-limit-kbit', '32000', ...unlimited]);
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'long', channel: 'VOICE' });
    await untilRequest((one) => one.operation === 'UploadPart' && one.status === 200);
    const first = s3.requests.find((one) => one.operation === 'UploadPart')!;
    await page.ask('contact.suspend', { contactId: 'long' });
    await page.ask('contact.resume', { contactId: 'long' });
    // A run that begins on a busy machine takes a while to have its first picture.
    await sleep(1500);
    const atStop = s3.requests.length;
    await page.ask('contact.stop', { contactId: 'long' });
    await page.event('long', 'PUBLISHED');
    // 4 MB a second: 5 MiB take a second and a bit.
    expect(first.partNumber).toBe(2);
    const live = s3.requests.slice(0, atStop).filter((one) => one.operation === 'UploadPart').length;
    const after = s3.requests
      .slice(atStop)
      .filter((one) => one.operation === 'UploadPart' && one.partNumber === 2);
    expect(live).toBeGreaterThan(0);
    expect(after).toEqual([]);
    const [{ mp4, manifest }] = (await published('long')) as [Awaited<ReturnType<typeof published>>[0]];
    expect(manifest.gaps.map(({ reason }) => reason)).toEqual(['suspended']);
    expect(manifest.video.parts?.length).toBeGreaterThan(1);
    expect(await decodesCleanly(mp4)).toBe('');
    expect(Math.abs((await probe(mp4)).durationMs - manifest.durationMs)).toBeLessThan(200);
    expect(s3.problems).toEqual([]);
    // Nothing was tried twice, either: what begins after a delivery is part of it.
    expect(recorder.stderr()).not.toMatch(/delivering while the contact goes on failed|publishing failed/);
  });
});

/** Resolves when such a request has been answered. */
async function untilRequest(matches: (one: S3Server['requests'][0]) => boolean): Promise<void> {
  while (!s3.requests.some(matches)) await sleep(50);
}

describe('trouble on the way', () => {
  it('a network that is away is waited for with its reason shown, never FAILED, and nothing is lost', async () => {
    await newStore();
    const recorder = await start();
    const page = await recorder.connect();
    await s3.down();
    await record(page, 'away', 600);
    await uploadsReason(page, (code) => code === 'CLIENT_CONNECTION_ERROR');
    await sleep(3000);
    await s3.up();
    await page.event('away', 'PUBLISHED');
    const statuses = (await recorder.events()).map((event) => event.detail.recordingStatus);
    expect(statuses).toEqual(['INITIATED', 'COMPLETED', 'PUBLISHED']);
    expect(await published('away')).toHaveLength(1);
  });

  it.each<[string, string, string[], Fault]>([
    ['no right to put', 'CLIENT_AUTH_ERROR', [], { kind: 'accessDenied', operation: 'PutObject' }],
    [
      'no confirmed encryption',
      'ENCRYPTION_NOT_CONFIRMED',
      ['--s3-kms-key-id', KMS_KEY],
      { kind: 'encryptionInAnswer', named: null },
    ],
  ])(
    '%s is FAILED with %s, and delivered when IT has fixed it',
    async (_, code, flags, fault) => {
      await newStore();
      const recorder = await start(flags);
      const page = await recorder.connect();
      s3.inject({ ...fault, times: 1000 });
      await record(page, 'denied', 600);
      const event = await page.event('denied', 'FAILED');
      expect(event.detail).toMatchObject({ failureInfo: { code, source: 'CLIENT' } });
      expect(await published('denied')).toEqual([]);
      expect(await readdir(join(recorder.dataDir, 'spool'))).not.toEqual([]);
      s3.clearFaults();
      await page.event('denied', 'PUBLISHED');
      expect(await published('denied')).toHaveLength(1);
    },
    60_000,
  );

  it('a clock that is twenty minutes off is told of, and learned from', async () => {
    home = await mkdtemp(join(tmpdir(), 'sightline-s3-'));
    const late = 20 * 60_000;
    store = await startStrictStore({ clock: () => Date.now() + late });
    s3 = store.strict!;
    stops.push(() => store.stop());
    const recorder = await start();
    const page = await recorder.connect();
    await record(page, 'skewed', 600);
    await uploadsReason(page, (code) => code === 'CLIENT_AUTH_ERROR');
    await page.event('skewed', 'PUBLISHED');
    expect(s3.requests.map((one) => one.errorCode)).toContain('RequestTimeTooSkewed');
    expect(await published('skewed')).toHaveLength(1);
  });
});

describe('credentials', () => {
  const TOKEN = 'a-token-of-the-page-31415926';
  let broker: Broker;

  async function withBroker(): Promise<{ recorder: Recorder; page: (token?: string) => Promise<Page> }> {
    await newStore();
    broker = await startBroker(s3, [TOKEN]);
    stops.push(() => broker.close());
    const nothing = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    const recorder = await start(['--broker-url', broker.url], nothing);
    return {
      recorder,
      page: (token) => recorder.connect({ hello: token === undefined ? {} : { token } }),
    };
  }

  it('come from the broker for the one recording, and are in no file, no log and no command line', async () => {
    const { recorder, page } = await withBroker();
    const one = await page(TOKEN);
    await record(one, 'brokered', 600);
    await one.event('brokered', 'PUBLISHED');
    const [request] = broker.requests;
    expect(request?.token).toBe(TOKEN);
    expect(request?.body).toMatchObject({ contactId: 'brokered', bucket: BUCKET });
    const keys = s3.objects(BUCKET).map(({ key }) => key);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key.startsWith(String(request?.body['keyPrefix']))).toBe(true);
    const secrets = [TOKEN, ...broker.given.flatMap((key) => [key.secretAccessKey, key.sessionToken ?? ''])];
    await expectNowhere(home, secrets);
    for (const secret of secrets) expect(recorder.stderr()).not.toContain(secret);
    const commandLine = await readFile(`/proc/${recorder.pid}/cmdline`, 'utf8');
    for (const secret of secrets) expect(commandLine).not.toContain(secret);
  });

  it('are waited for until a page has signed on with a token', async () => {
    const { page } = await withBroker();
    const one = await page();
    await record(one, 'waiting', 600);
    await uploadsReason(one, (code) => code === 'CLIENT_AUTH_ERROR');
    expect(broker.requests).toEqual([]);
    await page(TOKEN);
    await one.event('waiting', 'PUBLISHED');
    expect(await published('waiting')).toHaveLength(1);
  });

  it('of a page that the broker does not know are not given; those of the next sign-on are used', async () => {
    const { page } = await withBroker();
    const one = await page('another-token');
    await record(one, 'refused', 600);
    await uploadsReason(one, (code) => code === 'CLIENT_AUTH_ERROR');
    expect(broker.given).toEqual([]);
    await page(TOKEN);
    await one.event('refused', 'PUBLISHED');
  });

  it('come from a named profile', async () => {
    await newStore();
    const file = join(home, 'credentials');
    const { accessKeyId, secretAccessKey } = store.credentials;
    await writeFile(
      file,
      `[default]\naws_access_key_id = AKIANOBODYNOBODY0000\naws_secret_access_key = nothing\n\n[recorder]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    const environment = {
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    };
    const recorder = await start(['--aws-profile', 'recorder', '--aws-region', REGION], environment);
    const page = await recorder.connect();
    await record(page, 'profile', 600);
    await page.event('profile', 'PUBLISHED');
    expect(await published('profile')).toHaveLength(1);
  });
});

async function expectNowhere(folder: string, secrets: readonly string[]): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const text = await readFile(join(folder, name), 'latin1').catch(() => '');
    for (const secret of secrets) expect(text.includes(secret), name).toBe(false);
  }
}
