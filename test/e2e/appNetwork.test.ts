// The app in a real Electron in a company's network: through Chromium's stack it delivers a recording, its events and the page's
// token by each kind of proxy, with the system's roots; and what it says, and keeps, where the way is closed.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { hello, HOSTS, NO_PROXIES, startCompany, TARGETS, type Company } from '../rig/company.ts';
import { startPacServer, targetsOf, withUser, type ProxyFault } from '../rig/companyProxy.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { findElectron, startElectronApp, type ElectronApp } from '../rig/electronApp.ts';
import { trustInHome } from '../rig/networkHosts.ts';
import { startPainter } from '../rig/painter.ts';
import { FFMPEG_HINT, findTool, run } from '../rig/process.ts';
import { connectPage, type Page } from '../rig/recorder.ts';
import { BUCKET } from '../rig/s3Store.ts';

const electron = await findElectron();
const PROGRAM = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const USER = 'alice:pr0xy-c4n4ry/ä';

const title =
  electron === null
    ? 'the app in a real Electron: left out, there is no Electron on this machine'
    : `the app in ${electron.name}`;

describe.skipIf(electron === null)(title, () => {
  let display: Display;
  let company: Company;
  let home: string;
  let app: ElectronApp;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    display = await startDisplay();
  });
  afterAll(() => display.stop());
  beforeEach(async () => {
    company = await startCompany();
    home = await mkdtemp(join(tmpdir(), 'sightline-home-'));
    await trustInHome(home, company.publicRoots);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await company.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function start(environment: Record<string, string>): Promise<Page> {
    app = await startElectronApp({
      electron: electron!,
      display: display.display,
      environment: { ...NO_PROXIES, ...company.environment, HOME: home, ...environment },
    });
    stops.push(() => app.dispose());
    return connectPage(app.port!, { hello: false });
  }

  async function record(page: Page, contactId: string): Promise<void> {
    await page.ask('contact.start', { contactId, channel: 'VOICE' });
    await sleep(600); // the length of the contact
    await page.ask('contact.stop', { contactId });
  }

  async function delivers(environment: Record<string, string>): Promise<void> {
    const page = await start(environment);
    const greeting = await page.request('hello', hello);
    expect(greeting, app.said()).toMatchObject({ ok: true });
    await record(page, 'c');
    await page.event('c', 'PUBLISHED');
    await company.arrived();
    expect(await app.quit()).toBe(0);
  }

  it('delivers through the proxy of the desktop', async () => {
    const proxy = await company.proxy();
    await delivers({ https_proxy: proxy.address });
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('delivers through the proxy of policy, with user and password, which appear nowhere', async () => {
    const proxy = await company.proxy();
    proxy.required = USER;
    await delivers({ SIGHTLINE_PROXY_URL: withUser(proxy.address, USER) });
    expect(targetsOf(proxy)).toEqual(TARGETS);
    expect(proxy.asked.filter(({ outcome }) => outcome === 'tunnel').length).toBeGreaterThan(3);
    const log = await readFile(join(app.dataDir, 'logs/sightline.ndjson'), 'utf8').catch(() => '');
    expect(app.said() + log).not.toMatch(/c4n4ry/);
  });

  it('delivers through a proxy that speaks TLS itself', async () => {
    const proxy = await company.proxy({ identity: await company.publicRoots.issue('127.0.0.1') });
    await delivers({ SIGHTLINE_PROXY_URL: proxy.address });
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('delivers as a script (PAC) on a server says', async () => {
    const proxy = await company.proxy();
    const pac = await startPacServer(() => scriptFor(proxy.port));
    stops.push(() => pac.stop());
    await delivers({ SIGHTLINE_PROXY_URL: `pac+${pac.url}` });
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('delivers as a script (PAC) in a file says', async () => {
    const proxy = await company.proxy();
    const file = join(company.home, 'proxy.pac');
    await writeFile(file, scriptFor(proxy.port));
    await delivers({ SIGHTLINE_PROXY_URL: `pac+${pathToFileURL(file).href}` });
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('delivers through a proxy that inspects TLS, whose root is in the system’s store', async () => {
    await trustInHome(home, company.inspector);
    const proxy = await company.proxy({ inspects: true });
    await delivers({ SIGHTLINE_PROXY_URL: proxy.address });
    expect(targetsOf(proxy)).toEqual(TARGETS);
  });

  it('is what doctor on the command line reports, although its own network would be fine', async () => {
    const proxy = await company.proxy({ inspects: true });
    const network = { SIGHTLINE_PROXY_URL: proxy.address, SIGHTLINE_CA_FILE: company.inspector.rootFile };
    await start(network);
    const env = {
      ...(process.env as Record<string, string>),
      ...{ ...NO_PROXIES, ...company.environment, ...network, SIGHTLINE_DATA_DIR: app.dataDir },
    };
    const { code, stdout } = await run(process.execPath, [PROGRAM, 'doctor', '--json'], { env });
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout.toString()) as { checks: CheckResult[] };
    const found = (name: string): CheckResult | undefined => checks.find((one) => one.name === name);
    expect(found('authentication')).toMatchObject({ verdict: 'failed' });
    expect(found('authentication')?.evidence).toMatch(
      /issued by "Company Proxy Test Root".*CERTIFICATE_REJECTED/,
    );
    expect(found('proxy')).toMatchObject({ verdict: 'warning' });
    expect(found('proxy')?.evidence).toMatch(/^Chromium connects to .*"caFile" has no effect in the app/);
  });

  describe('loses nothing, and says why,', () => {
    /** Records while the way is closed; when it is open again, everything arrives. */
    async function keeps(text: RegExp, open: () => void, environment: Record<string, string>): Promise<void> {
      const refused = await (await start(environment)).request('hello', hello);
      expect(refused).toMatchObject({ ok: false, error: { code: 'CLIENT_AUTH_ERROR', retryable: true } });
      expect(refused.error?.message).toMatch(text);
      await app.quit();
      const kept = { ...environment, SIGHTLINE_AUTH: 'origin', SIGHTLINE_DATA_DIR: join(home, 'kept') };
      const page = await start(kept);
      await page.ask('hello', hello);
      await record(page, 'c');
      await page.push((push) => push.type === 'app.state' && text.test(push.uploads.reason?.message ?? ''));
      expect(company.s3.objects(BUCKET)).toEqual([]);
      expect(app.said()).not.toContain('c4n4ry');
      open();
      // The next attempt may be minutes away.
      await app.quit();
      await (await start(kept)).ask('hello', hello);
      await company.arrived();
      expect(app.said()).not.toContain('c4n4ry');
    }

    it('when the proxy wants another password', async () => {
      const proxy = await company.proxy();
      proxy.required = 'alice:another';
      await keeps(
        /the proxy 127\.0\.0\.1:\d+ requires a sign-in.*\(PROXY_AUTH_REQUIRED\)/,
        () => (proxy.required = USER),
        { SIGHTLINE_PROXY_URL: withUser(proxy.address, USER) },
      );
    });

    it('when the proxy inspects TLS and the system does not know its root', async () => {
      const proxy = await company.proxy({ inspects: true });
      await keeps(
        /issued by "Company Proxy Test Root" is not trusted here .*\(CERTIFICATE_REJECTED\)/,
        () => (proxy.inspects = false),
        { SIGHTLINE_PROXY_URL: proxy.address },
      );
    });

    it.each<ProxyFault>(['always 407', 'refuse', 'redirect', 'endless head', 'endless body', 'not HTTP'])(
      'when a hostile proxy answers: %s',
      async (fault) => {
        const proxy = await company.proxy();
        proxy.fault = fault;
        await keeps(
          /\(PROXY_\w+\)|cannot be reached/,
          () => ((proxy.fault = null), (proxy.required = USER)),
          {
            SIGHTLINE_PROXY_URL: withUser(proxy.address, USER),
          },
        );
        expect(TARGETS).toEqual(expect.arrayContaining(targetsOf(proxy)));
      },
    );

    it('when the proxy dies in mid-upload and comes back', async () => {
      const painter = await startPainter({ display: display.display, scene: 'snow', fps: 12 });
      stops.push(() => painter.stop());
      const proxy = await company.proxy();
      const page = await start({
        ...{ SIGHTLINE_PROXY_URL: proxy.address, SIGHTLINE_AUTH: 'origin' },
        ...{ SIGHTLINE_FPS: '10', SIGHTLINE_UPLOAD_LIMIT_KBIT: '32000' },
        // Another ffmpeg has no ceiling: many megabytes within seconds.
        SIGHTLINE_FFMPEG_PATH: findTool(['ffmpeg'], FFMPEG_HINT),
      });
      await page.ask('hello', hello);
      await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
      // In the middle of a part, while the contact is on.
      await proxy.dieAfter(7_000_000);
      await page.ask('contact.stop', { contactId: 'c' });
      await page.push(
        (push) =>
          push.type === 'app.state' && push.uploads.reason?.message.includes('PROXY_UNREACHABLE') === true,
      );
      expect(company.s3.objects(BUCKET)).toEqual([]);
      await proxy.up();
      await page.event('c', 'PUBLISHED');
      await company.arrived();
      expect(proxy.asked.filter(({ target }) => target === `${HOSTS.s3}:443`).length).toBeGreaterThan(1);
    });
  });
});

const scriptFor = (port: number): string =>
  `function FindProxyForURL(url, host) {
    return dnsDomainIs(host, '.test.example') ? 'PROXY 127.0.0.1:${port}' : 'DIRECT';
  }`;
