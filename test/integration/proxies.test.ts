// The built program in a company's network: what it delivers (a recording, events, the token) through each kind of proxy, what it
// says when the proxy or its certificates do not let it, and that nothing is lost meanwhile. docs/network.md has the table.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { hello, HOSTS, NO_PROXIES, startCompany, TARGETS, type Company } from '../rig/company.ts';
import { startTlsFront, targetsOf, withUser, type ProxyFault } from '../rig/companyProxy.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startPainter } from '../rig/painter.ts';
import { FFMPEG_HINT, findTool, run } from '../rig/process.ts';
import { readZip } from '../rig/zip.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { BUCKET } from '../rig/s3Store.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const LOOPBACK = fileURLToPath(new URL('../rig/loopbackNetwork.mjs', import.meta.url));
const PASSWORD = 'pr0xy-c4n4ry/ä';
const USER = `alice:${PASSWORD}`;
let display: Display;
let company: Company;
let recorder: Recorder;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  company = await startCompany();
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await company.stop();
  expect(company.auth.complaints).toEqual([]);
});

async function start(environment: Record<string, string>): Promise<void> {
  const home = join(company.home, 'recorder');
  recorder = await startRecorder({
    display: display.display,
    home,
    environment: {
      ...NO_PROXIES,
      ...company.environment,
      SIGHTLINE_CA_FILE: company.publicRoots.rootFile,
      ...environment,
    },
  });
  stops.push(
    () => rm(home, { recursive: true, force: true }),
    () => recorder.stop(),
  );
}

async function record(page: Page, contactId: string, ms = 600): Promise<void> {
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(ms); // the length of the contact
  await page.ask('contact.stop', { contactId });
}

/** One contact from hello to the object and the last event. */
async function delivers(page?: Page): Promise<void> {
  const connected = page ?? (await recorder.connect({ hello: false }));
  if (page === undefined) expect(await connected.request('hello', hello)).toMatchObject({ ok: true });
  await record(connected, 'c');
  await connected.event('c', 'PUBLISHED');
  await company.arrived();
}

describe('token, recording and events are delivered', () => {
  it('directly, where NO_PROXY exempts the hosts', async () => {
    const proxy = await company.proxy();
    await start({
      HTTPS_PROXY: proxy.address,
      NO_PROXY: '.test.example',
      NODE_OPTIONS: `--import=${LOOPBACK}`,
      LOOPBACK_HOSTS: JSON.stringify(company.ports),
    });
    await delivers();
    expect(proxy.asked).toEqual([]);
  });

  it('through the proxy of the environment', async () => {
    const proxy = await company.proxy();
    await start({ HTTPS_PROXY: proxy.address });
    await delivers();
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('through the proxy of policy, with user and password, which appear nowhere', async () => {
    const proxy = await company.proxy();
    proxy.required = USER;
    await start({ SIGHTLINE_PROXY_URL: withUser(proxy.address, USER), HTTPS_PROXY: 'http://127.0.0.1:9' });
    await delivers();
    expect(targetsOf(proxy)).toEqual(TARGETS);
    expect(new Set(proxy.asked.map(({ credentials }) => credentials))).toEqual(new Set([USER]));
    const log = await readFile(join(recorder.dataDir, 'logs/sightline.ndjson'), 'utf8').catch(() => '');
    expect(recorder.stderr() + log).not.toMatch(/c4n4ry/);
    const env = {
      ...(process.env as Record<string, string>),
      ...{ ...company.environment, SIGHTLINE_PROXY_URL: withUser(proxy.address, USER) },
      SIGHTLINE_DATA_DIR: recorder.dataDir,
    };
    const zip = join(company.home, 'diagnostics.zip');
    for (const args of [
      ['policy'],
      ['policy', '--json'],
      ['doctor', '--json'],
      ['diagnostics', '--out', zip],
    ]) {
      const { stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], { env });
      expect(stdout.toString() + stderr, args.join(' ')).not.toMatch(/c4n4ry/);
    }
    for (const [name, bytes] of await readZip(zip)) expect(bytes.toString(), name).not.toMatch(/c4n4ry/);
  });

  it('through a proxy that speaks TLS itself', async () => {
    const identity = await company.publicRoots.issue('127.0.0.1');
    const proxy = await company.proxy({ identity });
    await start({ SIGHTLINE_PROXY_URL: proxy.address });
    await delivers();
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('through a proxy that inspects TLS, whose root is in "caFile"', async () => {
    const proxy = await company.proxy({ inspects: true });
    await start({ SIGHTLINE_PROXY_URL: proxy.address, SIGHTLINE_CA_FILE: company.inspector.rootFile });
    await delivers();
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });
});

describe('heartbeats and metrics', () => {
  const WATCH = 'watch.test.example';

  /** IT's server, by a certificate of this authority, behind the company's proxy. @returns the paths that it was sent to */
  async function watchedBy(authority: Company['publicRoots']): Promise<string[]> {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? '');
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const front = await startTlsFront(await authority.issue(WATCH), (server.address() as AddressInfo).port);
    Object.assign(company.ports, { [WATCH]: front.port });
    stops.push(
      () => front.stop(),
      () => Promise.resolve(server.close()),
    );
    const proxy = await company.proxy();
    await start({
      SIGHTLINE_PROXY_URL: proxy.address,
      SIGHTLINE_HEARTBEAT: 'url',
      SIGHTLINE_HEARTBEAT_URL: `https://${WATCH}/beat`,
      SIGHTLINE_OTLP_ENDPOINT: `https://${WATCH}`,
    });
    await vi.waitFor(() => expect(targetsOf(proxy)).toContain(`${WATCH}:443`), 20_000);
    return paths;
  }

  it('go through the proxy, to a server that a root in "caFile" vouches for', async () => {
    const paths = await watchedBy(company.publicRoots);
    await vi.waitFor(() => expect(paths).toContain('/beat'), 20_000);
    await recorder.stop();
    expect(paths.at(-1)).toBe('/v1/metrics');
  });

  it('are not sent to a server that nobody vouches for, and the log says so', async () => {
    const paths = await watchedBy(company.inspector);
    await vi.waitFor(() =>
      expect(recorder.stderr()).toMatch(/heartbeats do not reach.*CERTIFICATE_REJECTED/),
    );
    await recorder.stop();
    expect(paths).toEqual([]);
  });
});

describe('doctor on the command line', () => {
  const doctor = async (environment: Record<string, string>): Promise<Record<string, CheckResult>> => {
    const { stdout } = await run(process.execPath, [PROGRAM, 'doctor', '--json'], {
      env: {
        ...(process.env as Record<string, string>),
        ...NO_PROXIES,
        ...company.environment,
        SIGHTLINE_DATA_DIR: join(company.home, 'recorder/data'),
        SIGHTLINE_CA_FILE: company.publicRoots.rootFile,
        ...environment,
      },
    });
    const { checks } = JSON.parse(stdout.toString()) as { checks: CheckResult[] };
    return Object.fromEntries(checks.map((one) => [one.name, one]));
  };

  it('shows what the running Sightline finds, whatever its own network is; else its own, and says so', async () => {
    const proxy = await company.proxy();
    await start({ SIGHTLINE_PROXY_URL: proxy.address });
    const running = await doctor({ SIGHTLINE_PROXY_URL: 'http://127.0.0.1:9' });
    expect(running['authentication']).toMatchObject({
      ...{ verdict: 'ok', evidence: `the endpoint ${HOSTS.auth} answered 401 to a request without a token` },
    });
    expect(running['EventBridge']).toMatchObject({ verdict: 'ok' });
    expect(running['proxy']?.evidence).toContain(`${HOSTS.s3} through 127.0.0.1:${proxy.port}`);
    await recorder.stop();
    const wrong = await doctor({ SIGHTLINE_PROXY_URL: 'http://127.0.0.1:9' });
    expect(wrong['authentication']).toMatchObject({ verdict: 'failed' });
    expect(wrong['authentication']?.evidence).toContain('(PROXY_UNREACHABLE)');
    const right = await doctor({ SIGHTLINE_PROXY_URL: proxy.address });
    expect(right['authentication']?.evidence).toMatch(
      /answered 401 .* \(tried by this command: no Sightline is running\)$/,
    );
  });
});

describe('nothing is lost, and the reason is clear,', () => {
  const uploadsReason = (page: Page, text: string): Promise<unknown> =>
    page.push((push) => push.type === 'app.state' && push.uploads.reason?.message.includes(text) === true);

  /** Records while the way is closed; when it is open again, everything arrives. */
  async function keeps(text: RegExp, open: () => void, environment: Record<string, string>): Promise<void> {
    await start(environment);
    const page = await recorder.connect({ hello: false });
    const refused = await page.request('hello', hello);
    expect(refused).toMatchObject({ ok: false, error: { code: 'CLIENT_AUTH_ERROR', retryable: true } });
    expect(refused.error?.message).toMatch(text);
    await recorder.stop();
    await start({ ...environment, SIGHTLINE_AUTH: 'origin' });
    const recording = await recorder.connect({ hello });
    await record(recording, 'c');
    await uploadsReason(recording, /\((\w+)\)/.exec(text.source.replaceAll('\\', ''))?.[1] ?? '');
    expect(company.s3.objects(BUCKET)).toEqual([]);
    open();
    await recorder.stop();
    await start({ ...environment, SIGHTLINE_AUTH: 'origin' });
    await recorder.connect({ hello });
    await company.arrived();
  }

  it('when the proxy wants another password', async () => {
    const proxy = await company.proxy();
    proxy.required = 'alice:another';
    await keeps(
      /the proxy 127\.0\.0\.1:\d+ requires a sign-in.*\(PROXY_AUTH_REQUIRED\)/,
      () => (proxy.required = USER),
      { SIGHTLINE_PROXY_URL: withUser(proxy.address, USER) },
    );
    expect(recorder.stderr()).not.toContain('c4n4ry');
  });

  it('when the proxy inspects TLS and nobody knows its root', async () => {
    const proxy = await company.proxy({ inspects: true });
    await keeps(
      /issued by "Company Proxy Test Root" is not trusted here .*\(CERTIFICATE_REJECTED\)/,
      () => (proxy.inspects = false),
      { SIGHTLINE_PROXY_URL: proxy.address },
    );
  });

  it('when the proxy refuses', async () => {
    const proxy = await company.proxy();
    proxy.fault = 'refuse';
    await keeps(/does not open a connection to .*\(PROXY_REFUSED\)/, () => (proxy.fault = null), {
      SIGHTLINE_PROXY_URL: proxy.address,
    });
  });

  it.each<ProxyFault>(['always 407', 'redirect', 'endless head', 'endless body', 'silent', 'not HTTP'])(
    'when a hostile proxy answers: %s',
    async (fault) => {
      const proxy = await company.proxy();
      proxy.fault = fault;
      const environment = { SIGHTLINE_PROXY_URL: withUser(proxy.address, USER), SIGHTLINE_AUTH: 'origin' };
      await start(environment);
      const page = await recorder.connect({ hello });
      const since = performance.now();
      await record(page, 'c');
      await uploadsReason(page, fault === 'silent' ? 'did not answer within' : 'PROXY_');
      expect(performance.now() - since).toBeLessThan(15_000);
      // One try each, and none elsewhere.
      expect(proxy.asked.every(({ target }) => TARGETS.includes(target))).toBe(true);
      const before = proxy.asked.length;
      expect(before).toBeLessThan(12);
      proxy.fault = null;
      proxy.required = USER;
      // The next attempt may be minutes away.
      await recorder.stop();
      await start(environment);
      await recorder.connect({ hello });
      await company.arrived();
    },
  );

  it('when "caFile" cannot be used', async () => {
    const file = join(company.home, 'broken.pem');
    await writeFile(file, 'no certificate');
    const proxy = await company.proxy();
    await start({ SIGHTLINE_PROXY_URL: proxy.address, SIGHTLINE_CA_FILE: file });
    const page = await recorder.connect({ hello: false });
    const { error } = await page.request('hello', hello);
    expect(error?.message).toContain(`${file} has no certificate in PEM form (CA_FILE_UNUSABLE)`);
    expect(proxy.asked).toEqual([]);
  });

  it('when the proxy dies in mid-upload and comes back', async () => {
    const proxy = await company.proxy();
    const painter = await startPainter({ display: display.display, scene: 'snow', fps: 12 });
    stops.push(() => painter.stop());
    await start({
      ...{ SIGHTLINE_PROXY_URL: proxy.address, SIGHTLINE_AUTH: 'origin' },
      ...{ SIGHTLINE_FPS: '10', SIGHTLINE_UPLOAD_LIMIT_KBIT: '32000' },
      // Another ffmpeg has no ceiling: many megabytes within seconds.
      SIGHTLINE_FFMPEG_PATH: findTool(['ffmpeg'], FFMPEG_HINT),
    });
    const page = await recorder.connect({ hello });
    await record(page, 'small');
    await page.event('small', 'PUBLISHED');
    await page.ask('contact.start', { contactId: 'large', channel: 'VOICE' });
    // In the middle of a part, while the contact is on.
    await proxy.dieAfter(7_000_000);
    await page.ask('contact.stop', { contactId: 'large' });
    await uploadsReason(page, 'PROXY_UNREACHABLE');
    expect(company.s3.objects(BUCKET)).toHaveLength(2);
    await proxy.up();
    await page.event('large', 'PUBLISHED');
    expect(company.s3.objects(BUCKET)).toHaveLength(4);
    expect(company.s3.problems).toEqual([]);
    await company.bus.until(({ received }) => received.length >= 6);
    expect(proxy.asked.filter(({ target }) => target === `${HOSTS.s3}:443`).length).toBeGreaterThan(1);
  });
});
