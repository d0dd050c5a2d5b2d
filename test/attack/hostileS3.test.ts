// What an S3 that is hostile, broken, or somebody else can do to Sightline: nothing but keep a recording waiting, with a
// reason shown. First the real client over a real spool, then the built program with little memory.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { UploadError } from '../../main/publisher/uploadError.ts';
import { S3Sink } from '../../main/publisher/s3/s3Sink.ts';
import { Throttle } from '../../main/publisher/s3/throttle.ts';
import { settingsFor } from '../rig/uploads.ts';
import { startDisplay } from '../rig/display.ts';
import type { HostileServer } from '../rig/hostileServer.ts';
import { s3Error, startHostileServer } from '../rig/hostileServer.ts';
import { startRecorder } from '../rig/recorder.ts';
import { LONG, SHORT, expectWhole, newId, rig } from '../rig/s3Judge.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import type { S3Store } from '../rig/s3Store.ts';
import { startStrictStore } from '../rig/s3Store.ts';
import type { S3Server } from '../rig/s3Server.ts';

const MIB = 1024 * 1024;
const SESSION_TOKEN = 'a-session-token-of-nobody/with+signs=and-c4n4ry';
let store: S3Store;
let hostile: HostileServer;

beforeAll(async () => {
  store = await startStrictStore();
  (store.strict as S3Server).accessKeys.push({ ...store.credentials, sessionToken: SESSION_TOKEN });
  hostile = await startHostileServer(store.endpoint);
  (store.strict as S3Server).frontHost = new URL(hostile.url).host;
});
afterEach(() => {
  hostile.hostility = () => null;
  hostile.change = () => undefined;
});
afterAll(() => Promise.all([hostile.close(), store.stop()]));

/** Into the hostile one, patient for so long. */
function sink(requestTimeoutMs = 2000, credentials: object = store.credentials): S3Sink {
  return new S3Sink({
    settings: { ...settingsFor(store, { requestTimeoutMs }), endpoint: hostile.url },
    throttle: new Throttle(),
    network: new NodeNetwork(),
    credentialsFor: () => credentials as S3Store['credentials'],
  });
}

async function refusalOf(frames: number, into: S3Sink): Promise<UploadError> {
  const spool = await rig();
  const id = newId();
  await spool.record(id, frames);
  const error: unknown = await spool.deliver(id, into).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UploadError);
  return error as UploadError;
}

describe('an S3 that says too much', () => {
  it.each([200, 403, 500])('is cut off after a mebibyte, whatever its status (%i)', async (status) => {
    const around: [string, string] = ['<Error><Code>X</Code><Message>', '</Message></Error>'];
    hostile.hostility = () => ({ kind: 'flood', status, sizeBytes: 32 * MIB, around });
    const before = hostile.sentBytes;
    const { code, message } = await refusalOf(SHORT, sink(20_000));
    expect(code).toBe('SERVICE_ISSUE');
    expect(message.length).toBeLessThan(600);
    // What the sockets of both sides hold may have been sent besides.
    expect(hostile.sentBytes - before).toBeLessThan(16 * MIB);
  });

  it('is quoted with a code and 200 characters, in one line', async () => {
    const words = `line one\nline two \u202egnp.exe ${'and so on '.repeat(50_000)}`;
    hostile.hostility = () => ({
      kind: 'says',
      status: 403,
      body: () => s3Error('AccessDenied', words),
    });
    const { code, message } = await refusalOf(SHORT, sink());
    expect(code).toBe('CLIENT_AUTH_ERROR');
    expect(message).toContain('AccessDenied: line one line two');
    expect(message).not.toMatch(/[\p{C}\n]/u);
    expect(message.length).toBeLessThan(800);
  });

  it('and calls its code what is none', async () => {
    hostile.hostility = () => ({
      kind: 'says',
      status: 400,
      body: () => s3Error(`No code ${'x'.repeat(10_000)}`, 'no'),
    });
    expect((await refusalOf(SHORT, sink())).message).toContain('UnknownCode: no');
  });

  it('echoing what it was sent, brings no secret into what Sightline says', async () => {
    hostile.hostility = () => ({
      kind: 'says',
      status: 400,
      body: ({ headers }) =>
        s3Error(
          'InvalidRequest',
          `you sent ${String(headers['x-amz-security-token'])} and ${headers.authorization ?? ''}`,
        ),
    });
    const into = sink(2000, { ...store.credentials, sessionToken: SESSION_TOKEN });
    const { message } = await refusalOf(SHORT, into);
    const { headers } = hostile.requests.at(-1)!;
    expect(headers['x-amz-security-token']).toBe(SESSION_TOKEN);
    expect(message).toContain('InvalidRequest: you sent');
    expect(message).not.toContain(SESSION_TOKEN);
    expect(message).not.toContain('c4n4ry');
    expect(message).not.toMatch(/Signature=[0-9a-f]/);
  });

  it.each([
    ['nested', `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`],
    ['with entities that grow', `<!DOCTYPE x [${entities(12)}]><Error><Code>&e11;</Code></Error>`],
    ['no XML', 'Internal Server Error'],
    ['binary', '\0\u0001\ufffd'.repeat(1000)],
  ])('in XML that is %s, is refused in good time', async (_, body) => {
    hostile.hostility = () => ({ kind: 'says', status: 400, body: () => body });
    const started = performance.now();
    const { message } = await refusalOf(SHORT, sink());
    expect(message.length).toBeLessThan(800);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('an S3 that takes its time', () => {
  it('with a byte now and then is given up after the time of a request', async () => {
    hostile.hostility = () => ({ kind: 'drip', everyMs: 200, count: 100 });
    const started = performance.now();
    const { code, message } = await refusalOf(LONG, sink(1000));
    expect(code).toBe('CLIENT_CONNECTION_ERROR');
    expect(message).toContain('S3 did not answer in time');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('and never answers a list is given up, too', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const first = spool.live(id, sink(10_000));
    await first.advance(run.endTime);
    await first.abort();
    await spool.end(id, run);
    hostile.hostility = ({ method }) =>
      method === 'GET' ? { kind: 'drip', everyMs: 100, count: 200 } : null;
    await expect(spool.deliver(id, sink(1000))).rejects.toMatchObject({ code: 'CLIENT_CONNECTION_ERROR' });
    hostile.hostility = () => null;
    await spool.deliver(id, sink(10_000));
    await expectWhole(store, id, LONG);
  });
});

describe('an S3 whose lists do not end', () => {
  const listing = (next: string, count = 1): string =>
    `<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>${Array.from(
      { length: count },
      () => '<Part><PartNumber>2</PartNumber><ETag>"x"</ETag><Size>1</Size></Part>',
    ).join('')}</ListPartsResult>`;
  it.each([
    ['at the same marker', () => listing('2')],
    ['at none', () => listing('')],
    ['at one that is no number', () => listing('forever')],
    [
      'at ever later ones',
      (
        (page) => () =>
          listing(String((page += 1)))
      )(1),
    ],
  ])('%s is asked no more than it takes to see that', async (_, body) => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const first = spool.live(id, sink(10_000));
    await first.advance(run.endTime);
    await first.abort();
    await spool.end(id, run);
    const before = hostile.requests.length;
    hostile.hostility = ({ method }) => (method === 'GET' ? { kind: 'says', status: 200, body } : null);
    await expect(spool.deliver(id, sink(60_000))).rejects.toMatchObject({
      code: 'SERVICE_ISSUE',
      isPermanent: true,
    });
    expect(hostile.requests.length - before).toBeLessThanOrEqual(202);
    hostile.hostility = () => null;
    await spool.deliver(id, sink(10_000));
    await expectWhole(store, id, LONG);
  });

  it('gives no upload id that is too long to be kept', async () => {
    hostile.hostility = ({ method }) =>
      method === 'POST'
        ? {
            kind: 'says',
            status: 200,
            body: () =>
              `<InitiateMultipartUploadResult><UploadId>${'u'.repeat(100_000)}</UploadId></InitiateMultipartUploadResult>`,
          }
        : null;
    expect(await refusalOf(LONG, sink())).toMatchObject({ code: 'SERVICE_ISSUE' });
  });
});

describe('a store that says no checksum of what it holds, after its answer was lost', () => {
  /** Whether S3 is sent the pictures again. */
  async function sentAgain(frames: number, eTag?: string): Promise<number> {
    const s3 = store.strict as S3Server;
    const spool = await rig();
    const id = newId();
    await spool.record(id, frames);
    hostile.change = ({ method }, headers) => {
      if (method !== 'HEAD') return;
      delete headers['x-amz-checksum-sha256'];
      if (eTag !== undefined) headers.etag = eTag;
    };
    s3.inject({ kind: 'lostAnswer', operation: frames === LONG ? 'CompleteMultipartUpload' : 'PutObject' });
    await expect(spool.deliver(id, sink(10_000))).rejects.toThrow();
    const before = s3.requests.length;
    await spool.deliver(id, sink(10_000)).catch(() => spool.deliver(id, sink(10_000)));
    await expectWhole(store, id, frames);
    const again = s3.requests.slice(before).filter(({ operation, status }) => {
      return (operation === 'PutObject' || operation === 'UploadPart') && status === 200;
    });
    return again.filter(({ key }) => key.endsWith('.mp4')).length;
  }

  it.each([SHORT, LONG])('is believed by its ETag (%i pictures)', async (frames) => {
    expect(await sentAgain(frames)).toBe(0);
  });

  it.each([
    [SHORT, '"0123456789abcdef0123456789abcdef"'],
    [LONG, '"0123456789abcdef0123456789abcdef-3"'],
    [LONG, ''],
  ])('is not believed with another one (%i pictures, %s)', async (frames, eTag) => {
    expect(await sentAgain(frames, eTag)).toBeGreaterThan(0);
  });
});

describe('the built program, with 96 MB for its objects', () => {
  it('outlives all of that, says little of it, and delivers when S3 behaves', async () => {
    const display = await startDisplay();
    const { flags, environment } = s3Options({ ...store, endpoint: hostile.url });
    const around: [string, string] = ['<Error><Code>AccessDenied</Code><Message>', '</Message></Error>'];
    hostile.hostility = () => ({ kind: 'flood', status: 403, sizeBytes: 128 * MIB, around });
    const recorder = await startRecorder({
      display: display.display,
      flags,
      environment: { ...environment, NODE_OPTIONS: '--max-old-space-size=96' },
    });
    try {
      const page = await recorder.connect();
      await page.ask('contact.start', { contactId: 'c-1', channel: 'VOICE' });
      await page.ask('contact.stop', { contactId: 'c-1' });
      await page.push((one) => one.type === 'app.state' && one.uploads.reason?.code === 'SERVICE_ISSUE');
      hostile.hostility = () => ({
        kind: 'says',
        status: 403,
        body: () => s3Error('AccessDenied', 'no '.repeat(200_000)),
      });
      await page.push((one) => one.type === 'app.state' && one.uploads.reason?.code === 'CLIENT_AUTH_ERROR');
      hostile.hostility = () => null;
      await page.event('c-1', 'PUBLISHED');
      const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));
      expect(longest(recorder.stderr())).toBeLessThan(4000);
      expect(Math.max(...page.pushes.map((push) => JSON.stringify(push).length))).toBeLessThan(4000);
      const events = await readFile(join(recorder.dataDir, 'status-events.ndjson'), 'utf8');
      expect(longest(events)).toBeLessThan(4000);
      await page.close();
    } finally {
      await recorder.stop();
      await display.stop();
    }
  });
});

/** Each twice the one before, ten times over. */
function entities(depth: number): string {
  return Array.from({ length: depth }, (_, index) => {
    const value = index === 0 ? 'ha' : `&e${index - 1};`.repeat(10);
    return `<!ENTITY e${index} "${value}">`;
  }).join('');
}
