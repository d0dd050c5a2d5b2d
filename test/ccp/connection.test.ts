// Why a page is not connected: each state of `connection`, against the real recorder, and the way back from it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../ccp/src/contract.ts';
import { bundles } from '../../scripts/bundles.mjs';
import { startAuthServer, type AuthServer } from '../rig/authServer.ts';
import { startBrowser } from '../rig/browser.ts';
import { openClientTab, serveAt } from '../rig/ccpPackage.ts';
import { orLeftOut } from '../rig/leftOut.ts';
import { agent } from '../rig/recorder.ts';
import { whyNoOtherUsers } from '../rig/users.ts';
import { call, useBench } from './bench.ts';

const bench = useBench();
const ACME = 'https://acme.my.connect.aws';

describe('a page in Chromium', () => {
  it('sees that nothing runs, connects when it does, and tells the recorder who it is', async () => {
    const tab = await bench.open();
    await tab.until({ kind: 'not-running' });
    const recorder = await bench.recorder();
    await tab.until({ kind: 'connected', recordings: [], suspendMaxSeconds: 0 });
    expect((await tab.connections()).map(({ kind }) => kind)).toEqual([
      'connecting',
      'not-running',
      'connected',
    ]);
    await expect.poll(() => tab.appState()).toMatchObject({ state: 'idle', contacts: [] });
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await expect.poll(() => recorder.events()).toHaveLength(1);
    const [event] = await recorder.events();
    expect(event?.detail.clientInfo.browser).toMatch(/^(HeadlessChrome|Chromium|Google Chrome) \d+$/);
    expect(event?.detail.agentArn).toBe(agent.agentArn);
    const pushed = () =>
      tab.page.evaluate(() => (globalThis as unknown as { statusEvents: unknown[] }).statusEvents);
    await expect.poll(pushed).toMatchObject([{ detail: { recordingStatus: 'INITIATED' } }]);
  });

  it('notices within a second that the recorder was killed', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.until({ kind: 'connected' });
    await bench.kill();
    await expect.poll(async () => (await tab.connection()).kind, { timeout: 1000 }).not.toBe('connected');
    await tab.until({ kind: 'not-running' });
    expect(await tab.appState()).toBeUndefined();
  });

  it('that is closed by the page stays so', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.until({ kind: 'connected' });
    const refused = await tab.page.evaluate(async () => {
      const { client } = globalThis as unknown as { client: Client };
      client.close();
      client.connectNow();
      return client.stop('call-1').catch((error: unknown) => ({ ...(error as object) }));
    });
    expect(refused).toMatchObject({ code: 'CLIENT_APP_NOT_RUNNING', source: 'CLIENT' });
    expect(await tab.connection()).toEqual({ kind: 'closed' });
  });
});

describe('refused', () => {
  it('because of another agent: the recorder learns which recordings are missing, until that agent is gone', async () => {
    const recorder = await bench.recorder();
    const alice = await bench.open();
    // Whichever page is the first is the one that stays.
    await alice.until({ kind: 'connected' });
    const bob = await bench.open({ agent: 'bob' });
    await bob.until({ kind: 'refused', code: 'MULTIPLE_CCP_INTERACTION' });
    await bob.do('record', call);
    await bob.untilContact('call-1', 'failed');
    expect((await bob.contact('call-1'))?.error).toMatchObject({ code: 'MULTIPLE_CCP_INTERACTION' });
    await expect
      .poll(() => recorder.events())
      .toMatchObject([
        { detail: { recordingStatus: 'FAILED', failureInfo: { code: 'MULTIPLE_CCP_INTERACTION' } } },
      ]);
    await alice.page.close();
    await bob.untilContact('call-1', 'recording');
    expect((await bob.contact('call-1'))?.error).toBeNull();
  });

  it('because its origin is not allowed', async () => {
    const { port } = await bench.recorder({ flags: ['--allowed-domains', 'acme.my.connect.aws'] });
    const browser = await startBrowser();
    try {
      await browser.context.grantPermissions(['local-network-access']);
      for (const origin of [ACME, 'https://foreign.example']) await serveAt(browser.context, origin);
      const allowed = await openClientTab(browser, { origin: ACME }, { port });
      await allowed.until({ kind: 'connected' });
      const foreign = await openClientTab(browser, { origin: 'https://foreign.example' }, { port });
      await foreign.until({ kind: 'refused', code: 'ORIGIN_NOT_ALLOWED' });
      expect(JSON.stringify(await foreign.connection())).toContain('https://foreign.example');
    } finally {
      await browser.stop();
    }
  });

  it("by the page's own Content-Security-Policy; a strict one that names the port is enough", async () => {
    const { port } = await bench.recorder();
    const policy = "default-src 'none'; script-src 'self' 'sha256-X'; require-trusted-types-for 'script'";
    const page = '<!doctype html><script src="/sightline-ccp.js"></script><script src="/page.js"></script>';
    const { routes } = bench.server;
    const script =
      'window.client = Sightline.createClient({ identity: { agentArn: "a", instanceArn: "i" }, port: Number(location.hash.slice(1)) });';
    routes['/page.js'] = { body: script, contentType: 'text/javascript' };
    const connect = `connect-src http://127.0.0.1:${port} ws://127.0.0.1:${port}`;
    for (const [path, csp] of [
      ['/strict.html', policy],
      ['/named.html', `${policy}; ${connect}`],
    ] as const)
      routes[path] = { body: page, contentType: 'text/html', headers: { 'content-security-policy': csp } };
    const connectionAt = async (path: string) => {
      const tab = await bench.browser.newPage(`${bench.server.origin}${path}#${port}`);
      return () => tab.evaluate(() => (globalThis as unknown as { client: Client }).client.connection);
    };
    await expect.poll(await connectionAt('/strict.html')).toMatchObject({
      kind: 'refused',
      code: 'CONTENT_SECURITY_POLICY',
    });
    await expect.poll(await connectionAt('/named.html')).toMatchObject({ kind: 'connected' });
  });

  const why = whyNoOtherUsers();
  it.skipIf(why !== null)(orLeftOut('because the browser is of another user', why), async () => {
    const { port } = await bench.recorder();
    const browser = await startBrowser({ user: 4242 });
    try {
      const tab = await openClientTab(browser, bench.server, { port });
      await tab.until({ kind: 'refused', code: 'PEER_REFUSED' });
    } finally {
      await browser.stop();
    }
  });
});

describe('a token', () => {
  let endpoint: AuthServer;
  let token: string;
  let given: number;
  beforeAll(async () => {
    endpoint = await startAuthServer();
    bench.server.routes['/token'] = (_, response) => {
      given += 1;
      response.end(token);
    };
  });
  afterEach(() => {
    endpoint.tokens.clear();
    endpoint.fault = null;
  });
  afterAll(() => endpoint.close());

  const start = async () => {
    given = 0;
    return bench.recorder({ flags: ['--auth', 'endpoint', '--auth-url', endpoint.url] });
  };

  it('that is refused is replaced by the next one', async () => {
    token = 'stale';
    await start();
    const tab = await bench.open({ token: true });
    await tab.until({ kind: 'refused', code: 'CLIENT_AUTH_ERROR' });
    endpoint.tokens.set('fresh', { agentArn: agent.agentArn });
    token = 'fresh';
    await tab.until({ kind: 'connected' });
  });

  it('that has expired is renewed at the next connection, without a refusal in between', async () => {
    token = 'first';
    endpoint.tokens.set('first', { agentArn: agent.agentArn });
    await start();
    const tab = await bench.open({ token: true });
    await tab.until({ kind: 'connected' });
    await bench.kill();
    endpoint.tokens.clear();
    endpoint.tokens.set('second', { agentArn: agent.agentArn });
    token = 'second';
    await tab.until({ kind: 'not-running' });
    await bench.recorder({ flags: ['--auth', 'endpoint', '--auth-url', endpoint.url] });
    await tab.until({ kind: 'connected' });
    expect(given).toBe(2);
    expect((await tab.connections()).map(({ kind }) => kind)).not.toContain('refused');
  });

  it('that cannot be checked now is sent again after the time that the recorder names', async () => {
    token = 'good';
    endpoint.tokens.set('good', { agentArn: agent.agentArn });
    endpoint.fault = { kind: 'status', status: 503 };
    await start();
    const tab = await bench.open({ token: true });
    await tab.do('suspend', 'call-1', 'page');
    await tab.do('record', call);
    await tab.until({ kind: 'refused', code: 'CLIENT_AUTH_ERROR' });
    endpoint.fault = null;
    await tab.untilContact('call-1', 'suspended');
    expect(given).toBe(1);
  });
});

describe('another version of the protocol', () => {
  let folder: string;
  beforeAll(async () => {
    // Next to dist/main: it looks for its resources from there.
    folder = await mkdtemp(fileURLToPath(new URL('../../dist/protocol-2-', import.meta.url)));
    const newer: Plugin = {
      name: 'protocol-2',
      setup: (hooks) =>
        hooks.onLoad({ filter: /main\/shared\/protocol\.ts$/ }, async ({ path }) => {
          const text = await readFile(path, 'utf8');
          const contents = text.replace('PROTOCOL_VERSION = 1;', 'PROTOCOL_VERSION = 2;');
          if (contents === text) throw new Error('no version found');
          return { contents, loader: 'ts' };
        }),
    };
    const made = { entryPoints: ['main/headless.ts'], outdir: folder, plugins: [newer] };
    await build({ ...bundles.main, ...made });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is told apart when the recorder is updated in mid-call, and left when it is back', async () => {
    await bench.recorder();
    const tab = await bench.open();
    await tab.do('record', call);
    await tab.untilContact('call-1', 'recording');
    await bench.kill();
    await bench.recorder({ program: `${folder}/headless.mjs` });
    await tab.until({ kind: 'wrong-version', recorderProtocol: 2 });
    expect((await tab.contact('call-1'))?.state).toBe('waiting');
    await bench.kill();
    await bench.recorder();
    await tab.untilContact('call-1', 'recording');
  });
});
