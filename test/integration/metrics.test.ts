// Metrics over OTLP, by the built program, decoded by OpenTelemetry's own definitions; and what a Sightline without an endpoint
// loads of the SDK: nothing.
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { otlpFolder } from '../../scripts/s3Stores.mjs';
import { silentLogger } from '../../main/platform/log.ts';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { Delivery } from '../../main/fleet/delivery.ts';
import { Metrics } from '../../main/fleet/metrics.ts';
import type { Manifest } from '../../main/shared/manifest.ts';
import { statusEvent } from '../unit/support/statusEvents.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { agent, startRecorder } from '../rig/recorder.ts';

interface Point {
  asDouble?: number;
  asInt?: string;
  count?: string;
  attributes?: { key: string; value: { stringValue: string } }[];
}
interface Metric {
  name: string;
  unit: string;
  sum?: { dataPoints: Point[]; isMonotonic: boolean };
  gauge?: { dataPoints: Point[] };
  histogram?: { dataPoints: Point[] };
}
interface Request {
  resourceMetrics: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeMetrics: { metrics: Metric[] }[];
  }[];
}

const definitions = otlpFolder();
const without = definitions === null ? ' (SKIPPED: the set-up could not fetch opentelemetry-proto)' : '';
const decoder = fileURLToPath(new URL('../rig/otlpJson.py', import.meta.url));

function decode(body: Buffer): Request {
  const environment = { ...process.env, PYTHONPATH: definitions ?? '' };
  const { status, stdout, stderr } = spawnSync('python3', [decoder], { input: body, env: environment });
  if (status !== 0) throw new Error(String(stderr));
  return JSON.parse(String(stdout)) as Request;
}
const metricsOf = (request: Request): Map<string, Metric> =>
  new Map(request.resourceMetrics[0]?.scopeMetrics[0]?.metrics.map((one) => [one.name, one]));
const valuesOf = (metric: Metric | undefined): Record<string, number> =>
  Object.fromEntries(
    (metric?.sum ?? metric?.gauge)?.dataPoints.map(({ attributes = [], asDouble, asInt }) => [
      attributes.map(({ value }) => value.stringValue).join(),
      asDouble ?? Number(asInt),
    ]) ?? [],
  );

let collector: Server;
let endpoint: string;
let requests: { path: string | undefined; type: string | undefined; body: Buffer }[];
let status = 200;

beforeEach(async () => {
  requests = [];
  status = 200;
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({
        path: request.url,
        type: request.headers['content-type'],
        body: Buffer.concat(chunks),
      });
      response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/collector/`;
});
afterEach(() => {
  collector.closeAllConnections();
  collector.close();
});

const info = {
  ...{
    startTime: '2026-01-02T03:04:05.006Z',
    state: 'idle' as const,
    policyHash: 'p',
    freeBytes: 12_345_678_901,
  },
  uploads: { waiting: 2, waitingBytes: 3_000_000_000, failed: 1 },
};

function startMetrics(): Metrics {
  return new Metrics({
    policy: { otlpEndpoint: endpoint },
    delivery: new Delivery('metrics', new NodeNetwork(), silentLogger),
    deskId: '0123456789abcdef',
    log: silentLogger,
    appVersion: '9.8.7',
    gather: () => Promise.resolve({ info }),
    intervalMs: 300,
  });
}

it.skipIf(definitions === null)(`are what OpenTelemetry's definitions decode${without}`, async () => {
  const metrics = startMetrics();
  try {
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(0), 10_000);
    const { detail } = statusEvent('r1');
    const { recordingStatus: _, ...common } = detail;
    const times = { startTime: '2026-01-02T03:04:05.006Z', endTime: '2026-01-02T03:05:05.006Z' };
    const failure = (code: string) => ({ code, message: 'secret-message', source: 'CLIENT' as const });
    metrics.count({ ...common, recordingStatus: 'COMPLETED', recordingInfo: times });
    for (const code of ['SPOOL_FULL', 'SPOOL_FULL', 'CAPTURE_FAILED'])
      metrics.count({
        ...common,
        recordingStatus: 'FAILED',
        recordingInfo: times,
        failureInfo: failure(code),
      });
    metrics.count({
      ...{ ...common, recordingStatus: 'COMPLETED', recordingInfo: times },
      sightline: { channel: 'TASK', trial: true },
    });
    const gaps = [
      { reason: 'suspended', durationMs: 1500 },
      { reason: 'locked', durationMs: 500 },
    ];
    metrics.uploaded({ durationMs: 60_000, gaps } as unknown as Manifest, 2500);
    const seen = requests.length;
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(seen + 1), 10_000);
    const last = requests.at(-1);
    expect(last).toMatchObject({ path: '/collector/v1/metrics', type: 'application/x-protobuf' });
    const request = decode(last?.body ?? Buffer.alloc(0));
    const attributes = request.resourceMetrics[0]?.resource.attributes ?? [];
    expect(Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))).toEqual({
      ...{
        'service.name': 'sightline',
        'service.version': '9.8.7',
        'service.instance.id': '0123456789abcdef',
      },
    });
    const byName = metricsOf(request);
    const values = Object.fromEntries([...byName].map(([name, metric]) => [name, valuesOf(metric)]));
    expect(values).toMatchObject({
      'sightline.contacts.recorded': { '': 1 },
      'sightline.contacts.failed': { SPOOL_FULL: 2, CAPTURE_FAILED: 1 },
      'sightline.recorded.time': { '': 58 },
      'sightline.gaps.time': { suspended: 1.5, locked: 0.5 },
      'sightline.uploads.waiting': { '': 2 },
      'sightline.uploads.waiting.size': { '': 3_000_000_000 },
      'sightline.uploads.oldest.age': { '': 0 },
      'sightline.disk.free': { '': 12_345_678_901 },
      'sightline.state': { idle: 1 },
    });
    expect(byName.get('sightline.contacts.failed')?.sum?.isMonotonic).toBe(true);
    expect(byName.get('sightline.upload.duration')?.histogram?.dataPoints[0]?.count).toBe('1');
    // Neither a contact nor an agent, nor the text of a failure.
    expect(String(last?.body)).not.toMatch(/r1|secret-message|11111111-aaaa|22222222-bbbb/);
  } finally {
    await metrics.stop();
  }
});

it.each([500, 302])(
  'a collector that answers %i gets the sums later, and no other address anything',
  async (wrong) => {
    status = wrong;
    const metrics = startMetrics();
    try {
      await vi.waitFor(() => expect(requests.length).toBeGreaterThan(2), 10_000);
      expect(new Set(requests.map(({ path }) => path))).toEqual(new Set(['/collector/v1/metrics']));
    } finally {
      await metrics.stop();
    }
  },
);

let display: Display;
beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());

/** Runs a recorder that lists, when it ends, which modules of OpenTelemetry it has loaded. */
async function modulesOf(flags: readonly string[]): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-otlp-'));
  try {
    const list = join(home, 'modules');
    const probe = join(home, 'probe.cjs');
    await writeFile(
      probe,
      `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(list)},
        Object.keys(require('module')._cache).filter((name) => name.includes('@opentelemetry')).join('\\n')));`,
    );
    const environment = { NODE_OPTIONS: `--require=${probe}` };
    const recorder = await startRecorder({ display: display.display, home, flags, environment });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'secret-contact', channel: 'VOICE' });
    await sleep(500); // the length of the contact
    await page.ask('contact.stop', { contactId: 'secret-contact' });
    await page.event('secret-contact', 'PUBLISHED');
    await recorder.stop();
    return (await readFile(list, 'utf8')).split('\n').filter(Boolean).length;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

it('without an endpoint nothing of the SDK is loaded', async () => {
  expect(await modulesOf([])).toBe(0);
  expect(requests).toEqual([]);
});

it.skipIf(definitions === null)(
  `with one the program sends its last sums before it ends${without}`,
  async () => {
    expect(await modulesOf(['--otlp-endpoint', endpoint])).toBeGreaterThan(20);
    const values = metricsOf(decode(requests.at(-1)?.body ?? Buffer.alloc(0)));
    expect(valuesOf(values.get('sightline.contacts.published'))).toEqual({ '': 1 });
    expect(valuesOf(values.get('sightline.recorded.time'))['']).toBeGreaterThan(0.2);
    const sent = Buffer.concat(requests.map(({ body }) => body)).toString();
    expect(sent).not.toContain('secret-contact');
    expect(sent).not.toContain(agent.agentUsername);
  },
);
