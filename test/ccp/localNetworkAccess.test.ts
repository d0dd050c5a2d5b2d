// Chromium's Local Network Access: a public page (https://acme.my.connect.aws, served from the test) that may not, may, or must
// ask to reach this machine, by permission, by policy, and in a frame.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../ccp/src/contract.ts';
import { startBrowser, type Browser, type BrowserOptions } from '../rig/browser.ts';
import { openClientTab, serveAt, type ClientTab } from '../rig/ccpPackage.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { needsLinux, needsRoot, orLeftOut } from '../rig/leftOut.ts';
import { runOrThrow } from '../rig/process.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { call } from './bench.ts';

const ACME = 'https://acme.my.connect.aws';
const OUTER = 'https://crm.example';

let display: Display;
let recorder: Recorder;
let browser: Browser | undefined;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  recorder = await startRecorder({
    display: display.display,
    flags: ['--allowed-domains', 'acme.my.connect.aws'],
  });
});
afterEach(async () => {
  await browser?.stop();
  browser = undefined;
  await recorder.stop();
});

async function start(options: BrowserOptions = {}): Promise<Browser> {
  browser = await startBrowser(options);
  await serveAt(browser.context, ACME);
  return browser;
}

const open = (from: Browser): Promise<ClientTab> =>
  openClientTab(from, { origin: ACME }, { port: recorder.port });

/** The user's setting for the site, as in chrome://settings. */
async function set({ page }: ClientTab, setting: 'granted' | 'denied' | 'prompt'): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const name of ['loopback-network', 'local-network-access'])
    await session.send('Browser.setPermission', { permission: { name }, setting, origin: ACME });
}

describe('the permission', () => {
  it('denied: the page says so, and connects as soon as the user allows it', async () => {
    const tab = await open(await start());
    await set(tab, 'denied');
    await tab.page.reload();
    await tab.until({ kind: 'blocked', permission: 'denied' });
    await tab.do('record', call);
    expect(await tab.contact('call-1')).toMatchObject({ state: 'waiting' });
    await set(tab, 'granted');
    await tab.untilContact('call-1', 'recording');
  });

  it('denied while nothing runs: this is what must be repaired first', async () => {
    const tab = await open(await start());
    await set(tab, 'denied');
    await recorder.stop();
    await tab.page.reload();
    await tab.until({ kind: 'blocked', permission: 'denied' });
    await set(tab, 'granted');
    await tab.until({ kind: 'not-running' });
  });

  it('is asked for by the health fetch: until the user has answered, the page says that it waits', async () => {
    const tab = await open(await start({ display: display.display }));
    await tab.until({ kind: 'blocked', permission: 'prompt' });
    await tab.page.bringToFront();
    // The bubble has the keyboard once it is entered, its "Allow" is the second of its buttons.
    const keys = ['F6', 'Tab', 'Return'];
    await runOrThrow('env', [`DISPLAY=${display.display}`, 'xdotool', 'key', '--delay', '200', ...keys]);
    await tab.until({ kind: 'connected' });
    expect((await tab.connections()).map(({ kind }) => kind)).toEqual(['connecting', 'blocked', 'connected']);
  });

  it('never asked for, because nothing runs: the page says just that', async () => {
    const started = await start({ display: display.display });
    await recorder.stop();
    const tab = await open(started);
    await tab.until({ kind: 'not-running' });
    expect((await tab.connections()).map(({ kind }) => kind)).toEqual(['connecting', 'not-running']);
  });
});

describe('a frame of another site', () => {
  it.each([
    ['without', '', { kind: 'blocked', permission: 'denied' }],
    ['with', 'allow="loopback-network"', { kind: 'blocked', permission: 'prompt' }],
  ] as const)('%s the permission delegated', async (_, allow, expected) => {
    const started = await start({ display: display.display });
    const source = `${ACME}/client.html?port=${recorder.port}`;
    await serveAt(started.context, OUTER, { '/': `<iframe ${allow} src="${source}"></iframe>` });
    const page = await started.newPage(`${OUTER}/`);
    const frame = page.frames().find((one) => one.url().startsWith(ACME))!;
    const connection = () =>
      frame.evaluate(() => (globalThis as unknown as { client: Client }).client.connection);
    await expect.poll(connection, { timeout: 20_000 }).toMatchObject(expected);
  });
});

const MANAGED = '/etc/chromium/policies/managed';
const why =
  needsLinux ?? needsRoot ?? (existsSync('/etc/chromium/policies') ? '/etc/chromium/policies exists' : null);

describe.skipIf(why !== null)(orLeftOut('a policy of the company', why), () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sightline-policy-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['LoopbackNetworkBlockedForUrls', { kind: 'blocked', permission: 'denied' }],
    ['LoopbackNetworkAllowedForUrls', { kind: 'connected' }],
  ] as const)('%s decides without a question', async (list, expected) => {
    await mkdir(join(folder, 'etc'), { recursive: true });
    await writeFile(join(folder, 'etc', 'sightline.json'), JSON.stringify({ [list]: [ACME] }));
    const layers = `lowerdir=/etc,upperdir=${folder}/o/upper,workdir=${folder}/o/work`;
    const script =
      `mkdir -p ${folder}/o && mount -t tmpfs -o mode=755 tmpfs ${folder}/o && mkdir ${folder}/o/upper ${folder}/o/work && ` +
      `mount -t overlay -o ${layers} overlay /etc && mkdir -p ${MANAGED} && cp ${folder}/etc/sightline.json ${MANAGED}`;
    await writeFile(join(folder, 'own-etc.sh'), `#!/bin/sh\n${script} && exec "$@"\n`, { mode: 0o755 });
    const tab = await open(await start({ wrapper: ['unshare', '--mount', join(folder, 'own-etc.sh')] }));
    await tab.until(expected);
    expect((await tab.connections()).length).toBe(2);
  });
});
