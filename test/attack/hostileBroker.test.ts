// A broker of credentials, an authentication endpoint and an EventBridge that are hostile, broken, or somebody else: what they
// answer is read up to a limit and within a time, quoted briefly, and nobody without a good certificate is sent anything.
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { askEndpoint } from '../../main/server/authEndpoint.ts';
import { askBroker } from '../../main/publisher/s3/broker.ts';
import { EventBridge } from '../../main/status/eventBridge.ts';
import { Outbox } from '../../main/status/outbox.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import type { HostileServer } from '../rig/hostileServer.ts';
import { startHostileServer } from '../rig/hostileServer.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { BUCKET, REGION } from '../rig/s3Store.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { keepingLogger } from '../unit/support/logs.ts';
import { statusEvent } from '../unit/support/statusEvents.ts';

const network = new NodeNetwork();
const MIB = 1024 * 1024;
const TOKEN = 'a-page-token-c4n4ry-0123456789';
const QUERY = 'key=s3cr3t-c4n4ry-of-the-broker';
let hostile: HostileServer;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => (hostile = await startHostileServer()));
afterEach(async () => {
  hostile.hostility = () => null;
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => hostile.close());

const request = {
  ...{ recordingId: 'rec-1', contactId: 'c-1', agentArn: 'arn:agent', instanceArn: 'arn:instance' },
  ...{ bucket: BUCKET, keyPrefix: 'connect/acme/c-1' },
};
const broker = (): Promise<unknown> =>
  askBroker(network, `${hostile.url}/credentials?${QUERY}`, TOKEN, request);
const question = { agentArn: 'arn:agent', instanceArn: 'arn:instance', origin: 'https://a', appVersion: '0' };

describe('a broker', () => {
  it('that floods is cut off, and its address is told without its query', async () => {
    hostile.hostility = () => ({ kind: 'flood', status: 200, sizeBytes: 32 * MIB });
    const before = hostile.sentBytes;
    const error = await broker().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CLIENT_CONNECTION_ERROR' });
    expect(String(error)).toContain('its answer is too long');
    expect(String(error)).toContain(new URL(hostile.url).host);
    expect(String(error)).not.toContain('c4n4ry');
    expect(hostile.sentBytes - before).toBeLessThan(16 * MIB);
  });

  it('that answers a byte now and then is given up after ten seconds', async () => {
    hostile.hostility = () => ({ kind: 'drip', everyMs: 250, count: 80 });
    await expect(broker()).rejects.toThrow('it did not answer within 10 s');
  });

  it.each([
    [
      'refuses, with a token in its words',
      { kind: 'says', status: 403, body: (): string => TOKEN.repeat(100) },
    ],
    ['answers what is no JSON', { kind: 'says', status: 200, body: (): string => TOKEN }],
    [
      'answers other fields',
      { kind: 'says', status: 200, body: (): string => JSON.stringify({ [TOKEN]: TOKEN }) },
    ],
    ['sends us elsewhere', { kind: 'redirect', to: 'http://127.0.0.1:9/' }],
  ] as const)('that %s brings nothing of that into what is told', async (_, act) => {
    hostile.hostility = () => act;
    const count = hostile.requests.length;
    const error = await broker().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SightlineError' });
    expect(String(error)).not.toContain('c4n4ry');
    expect(hostile.requests).toHaveLength(count + 1);
  });
});

describe('an authentication endpoint', () => {
  it.each([
    ['floods', { kind: 'flood', status: 200, sizeBytes: 32 * MIB }],
    ['drips', { kind: 'drip', everyMs: 50, count: 200 }],
    ['sends us elsewhere', { kind: 'redirect', to: 'http://127.0.0.1:9/' }],
    ['says yes with another status', { kind: 'says', status: 201, body: () => '{"allowed":true}' }],
  ] as const)('that %s lets nobody in', async (_, act) => {
    hostile.hostility = () => act;
    const outcome = await askEndpoint(network, `${hostile.url}/auth`, TOKEN, question, 2000);
    expect(outcome.kind).toBe('unavailable');
    expect(JSON.stringify(outcome)).not.toContain('c4n4ry');
  });
});

describe('an EventBridge', () => {
  const problemOf = async (requestTimeoutMs = 20_000) => {
    const { log, lines } = keepingLogger();
    const outbox = new Outbox({ folder: join(await temporaryFolder(), 'outbox'), log });
    await outbox.add(statusEvent('rec-1'));
    const sender = new EventBridge({
      network,
      policy: {
        ...{ eventBusName: 'a-bus', awsRegion: REGION, eventBridgeEndpoint: hostile.url, awsProfile: null },
      },
      ...{ outbox, log, requestTimeoutMs },
      credentials: () =>
        Promise.resolve({
          ...{ accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'nothing', sessionToken: TOKEN },
        }),
      clock: { now: () => 0 },
      random: () => 1,
      setTimer: (act, ms) => {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
    });
    stops.push(() => sender.stop());
    sender.start();
    await sender.idle();
    expect(outbox.pending).toBe(1);
    return { problem: sender.lastProblem!, lines };
  };
  const says = (body: (headers: Record<string, unknown>) => object) => () =>
    ({
      kind: 'says',
      status: 400,
      type: 'application/x-amz-json-1.1',
      body: ({ headers }: { headers: Record<string, unknown> }) => JSON.stringify(body(headers)),
    }) as const;

  it('that floods is cut off, and the event waits', async () => {
    hostile.hostility = () => ({ kind: 'flood', status: 400, sizeBytes: 32 * MIB });
    const before = hostile.sentBytes;
    const { problem } = await problemOf();
    expect(problem.code).toBe('AnswerTooLong');
    expect(hostile.sentBytes - before).toBeLessThan(16 * MIB);
  });

  it('that drips is given up after the time of a request', async () => {
    hostile.hostility = () => ({ kind: 'drip', everyMs: 100, count: 200 });
    const started = performance.now();
    expect((await problemOf(1000)).problem.code).toBe('ETIMEDOUT');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('is quoted briefly, in one line, without what it was sent', async () => {
    hostile.hostility = says((headers) => ({
      __type: 'AccessDeniedException',
      message: `no\n${String(headers['x-amz-security-token'])} ${'x '.repeat(100_000)}`,
    }));
    const { problem, lines } = await problemOf();
    expect(hostile.requests.at(-1)?.headers['x-amz-security-token']).toBe(TOKEN);
    expect(problem).toMatchObject({ code: 'AccessDeniedException', permanent: true });
    expect(problem.message.length).toBeLessThan(500);
    expect(`${problem.message}${JSON.stringify(lines)}`).not.toContain('c4n4ry');
    expect(problem.message).not.toContain('\n');
  });
});

describe('the built program', () => {
  let display: Display;
  beforeAll(async () => (display = await startDisplay()));
  afterAll(() => display.stop());

  async function recordInto(brokerUrl: string, environment: Record<string, string> = {}): Promise<Recorder> {
    const recorder = await startRecorder({
      display: display.display,
      environment,
      flags: [
        ...['--sink', 's3', '--s3-bucket', BUCKET, '--s3-endpoint', hostile.url, '--s3-path-style'],
        ...['--aws-region', REGION, '--broker-url', brokerUrl],
      ],
    });
    stops.push(() => recorder.stop());
    const page = await recorder.connect({ hello: { token: TOKEN } });
    stops.push(() => page.close());
    await page.ask('contact.start', { contactId: 'c-1', channel: 'VOICE' });
    await page.ask('contact.stop', { contactId: 'c-1' });
    await page.push((one) => one.type === 'app.state' && one.uploads.reason !== null);
    expect(JSON.stringify(page.pushes)).not.toContain('c4n4ry');
    return recorder;
  }

  it('writes neither token nor the query of a broker’s address anywhere but to the broker', async () => {
    hostile.hostility = () => ({ kind: 'says', status: 403, body: () => 'no' });
    const recorder = await recordInto(`${hostile.url}/credentials?${QUERY}`);
    const page = await recorder.connect();
    // After the third try.
    const { detail } = await page.event('c-1', 'FAILED');
    expect(detail).toMatchObject({ failureInfo: { code: 'CLIENT_AUTH_ERROR' } });
    await page.close();
    expect(hostile.requests.at(-1)).toMatchObject({ url: `/credentials?${QUERY}` });
    const names = await readdir(recorder.dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((one) => one.isFile() && !/policy/.test(one.name));
    expect(files.some(({ name }) => name === 'status-events.ndjson')).toBe(true);
    for (const { parentPath, name } of files)
      expect((await readFile(join(parentPath, name))).includes('c4n4ry'), name).toBe(false);
    expect(recorder.stderr()).not.toContain('c4n4ry');
  });

  it('sends no token to a broker without a good certificate, whatever the environment says', async () => {
    const folder = await temporaryFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1'.split(
          ' ',
        ),
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    const impostor = await startHostileServer(null, {
      key: await readFile(key, 'utf8'),
      cert: await readFile(cert, 'utf8'),
    });
    stops.push(() => impostor.close());
    const recorder = await recordInto(`${impostor.url}/credentials`, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(impostor.requests).toEqual([]);
    expect(recorder.stderr()).toContain('NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored');
    // The same broker is asked where its certificate is known: the address was right.
    await recordInto(`${impostor.url}/credentials`, { SIGHTLINE_CA_FILE: cert });
    expect(impostor.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });
});
