// What Local Network Access does to a page and to an app in a frame, in real Chromium: pages with a public address, the recorder on
// a loopback address. What the agent sees, and what IT gets.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { ccpRoutes } from '../rig/ccpPackage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { needsLinux, needsRoot, orLeftOut } from '../rig/leftOut.ts';
import { forward } from '../rig/forward.ts';
import { asSeenBy, withOwnEtc } from '../rig/mount.ts';
import { startPageServer, type PageServer } from '../rig/pageServer.ts';
import { endWithUs } from '../rig/process.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { openStatusTab, statusRoutes } from '../rig/statusPage.ts';
import { startWorkspaceServers, type WorkspaceServers } from '../rig/workspaceHost/workspace.ts';

const POLL = { timeout: 30_000, interval: 50 };

let display: Display;
let recorder: Recorder;
beforeAll(async () => {
  display = await startDisplay();
  recorder = await startRecorder({
    display: display.display,
    flags: ['--allowed-domains', 'acme.my.connect.aws,app.example.com'],
  });
});
afterAll(async () => {
  await recorder.stop();
  await display.stop();
});

/** On the internet, as far as Chromium knows. The recorder allows both. */
const PAGE = 'https://acme.my.connect.aws';
const APP_SITE = 'https://app.example.com';

describe('a page with a public address', () => {
  let server: PageServer;
  let posted: string[];
  beforeAll(async () => {
    posted = [];
    server = await startPageServer({
      routes: {
        ...statusRoutes,
        '/failures': async (request, response) => {
          let body = '';
          for await (const part of request) body += String(part);
          posted.push(body);
          response.writeHead(204).end();
        },
      },
    });
  });
  afterAll(() => server.stop());

  it.each([
    ['denied', 'this page may not connect to Sightline', 'Apps on device'],
    ['unanswered', 'The browser asks', 'access other apps and services on this device'],
  ])('that is %s says so, tells IT, and records once it is allowed', async (answer, detail, step) => {
    // Without a window there is nobody to ask: Chromium denies at once.
    const window = answer === 'denied' ? {} : { display: display.display };
    const browser = await startBrowser(window);
    try {
      await forward(browser.context, PAGE, server);
      const tab = await openStatusTab(browser, { origin: PAGE }, { port: recorder.port });
      await expect
        .poll(() => tab.shown(), POLL)
        .toMatchObject({
          kind: 'blocked',
          label: 'Blocked by the browser',
          isOpen: true,
          code: 'Code: CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED',
        });
      const shown = await tab.shown();
      expect(shown.detail).toContain(detail);
      expect(shown.steps.join(' ')).toContain(step);
      await tab.run(`
        Sightline.reportFailures({
          ...{ client, contacts },
          identity: { agentArn: 'arn:a', instanceArn: 'arn:i' },
          to: { url: '/failures', afterSeconds: 0 },
        });
        contacts.record({ contactId: '${answer}', channel: 'VOICE' })`);
      await expect
        .poll(() => posted.map((body) => (JSON.parse(body) as { detail: object }).detail), POLL)
        .toContainEqual(
          expect.objectContaining({
            eventDeduplicationId: `page:${answer}:CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED`,
          }),
        );
      await browser.context.grantPermissions(['local-network-access'], { origin: PAGE });
      await tab.run('client.connectNow()');
      await expect.poll(async () => (await tab.shown()).kind, POLL).toBe('recording');
      await tab.run(`contacts.stop('${answer}')`);
      await expect.poll(async () => (await tab.shown()).kind, POLL).toBe('idle');
    } finally {
      await browser.stop();
    }
  });
});

const whyNoPolicy = needsLinux ?? needsRoot;
describe.skipIf(whyNoPolicy !== null)(orLeftOut('an app in a frame of the workspace', whyNoPolicy), () => {
  const APP = `<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title>
    <sightline-status></sightline-status><script src="/amazon.js"></script><script src="/sightline-ccp.js"></script>
    <script>
      const { provider } = AmazonConnect.AmazonConnectApp.init({ onCreate: async () => {} });
      window.sightline = Sightline.workspace({
        contactClient: new AmazonConnect.ContactClient({ provider }),
        agentClient: new AmazonConnect.AgentClient({ provider }),
        port: Number(new URLSearchParams(location.search).get('port')),
        record: () => true,
      });
    </script></html>`;
  let servers: WorkspaceServers;
  let etc: string;
  let holder: ChildProcess;

  beforeAll(async () => {
    servers = await startWorkspaceServers({ ...ccpRoutes, '/': APP });
    etc = await mkdtemp(join(tmpdir(), 'sightline-etc-'));
    const [command, ...words] = [...withOwnEtc(etc), 'sh', '-c', 'echo; exec sleep infinity'];
    holder = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithUs(holder);
    await once(holder.stdout!, 'data');
  });
  afterAll(async () => {
    holder.kill('SIGKILL');
    await servers.stop();
    await rm(etc, { recursive: true, force: true });
  });

  /** Chromium with the browser policy of `sightline browser-policy`, for these origins. */
  async function startManagedBrowser(...origins: readonly string[]): Promise<Browser> {
    const folder = asSeenBy(holder.pid!, '/etc/chromium/policies/managed');
    await mkdir(folder, { recursive: true });
    const policy = { LoopbackNetworkAllowedForUrls: origins };
    await writeFile(join(folder, 'test.json'), JSON.stringify(policy));
    const browser = await startBrowser({
      wrapper: ['nsenter', `--mount=/proc/${holder.pid!}/ns/mnt`, '--'],
    });
    await forward(browser.context, PAGE, servers.host);
    await forward(browser.context, APP_SITE, servers.app);
    return browser;
  }

  const outcome = async (browser: Browser, allow: string): Promise<string> => {
    const workspace = await servers.open(browser, {
      ...{ allow, appQuery: `?port=${recorder.port}` },
      origins: { host: PAGE, app: APP_SITE },
    });
    await workspace.ready();
    const kind = (): Promise<string> => workspace.app().evaluate('sightline.client.connection.kind');
    await expect.poll(kind, POLL).not.toBe('connecting');
    const steps = await workspace.app().locator('sightline-status #steps').textContent();
    if ((await kind()) === 'connected') {
      await workspace.incoming({ contactId: 'c-1' });
      await workspace.connect('c-1');
      await expect
        .poll(() => workspace.app().evaluate('sightline.contacts.contacts[0]?.state'), POLL)
        .toBe('recording');
      await workspace.acw('c-1');
      await expect.poll(() => workspace.app().evaluate('sightline.contacts.contacts.length'), POLL).toBe(0);
    }
    const found = `${await kind()}${steps?.includes('loopback-network') === true ? ' by the frame' : ''}`;
    await workspace.close();
    return found;
  };

  it('records where policy names the workspace and the frame allows it; each alone is not enough', async () => {
    const both = await startManagedBrowser(PAGE);
    try {
      expect(await outcome(both, 'loopback-network')).toBe('connected');
      expect(await outcome(both, 'local-network-access')).toBe('connected');
      expect(await outcome(both, '')).toBe('blocked by the frame');
      expect(await outcome(both, 'microphone')).toBe('blocked by the frame');
    } finally {
      await both.stop();
    }
    // The permission is that of the page in the address bar. That of the app alone does not count.
    const appOnly = await startManagedBrowser(APP_SITE);
    try {
      expect(await outcome(appOnly, 'loopback-network')).toBe('blocked');
    } finally {
      await appOnly.stop();
    }
  });
});
