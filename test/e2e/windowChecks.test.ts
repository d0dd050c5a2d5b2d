// "Run checks" and "Export diagnostics" clicked in the real status window, over real services and where they could not be
// started: what is found out is shown with what to do, and the zip holds it.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemPorts } from '../../main/diagnostics/network/checkNetwork.ts';
import type { NetworkPorts } from '../../main/diagnostics/network/types.ts';
import type { ShownCheck } from '../../main/shared/overview.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startProxy, startStunHost } from '../rig/networkHosts.ts';
import type { Backstage, OpenWindow } from '../rig/statusWindow.ts';
import { openStatusWindow, startBackstage, startBackstageThatFails } from '../rig/statusWindow.ts';
import { shown } from '../rig/windowScenes.ts';
import { readZip } from '../rig/zip.ts';

const VERDICTS = { ok: 'OK', warning: 'Warning', failed: 'Failed', skipped: 'Skipped' };
const INSTANCE = { instanceAlias: 'acme', instanceRegion: 'eu-central-1' };
/** For documentation (RFC 5737): nobody has it. */
const TURN_ADDRESS = '203.0.113.9';
const CHECKS_WITHIN_MS = 60_000;

let browser: Browser;
let display: Display;
let folder: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  display = await startDisplay();
});
afterAll(async () => {
  await display.stop();
  await browser.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-export-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

async function open(backstage: Backstage): Promise<OpenWindow> {
  ends.push(() => backstage.stop());
  const window = await openStatusWindow(browser, backstage.overview);
  ends.push(() => window.close());
  return window;
}

/** Clicks, waits, and compares what the page shows with the results: problems first, the others folded away. */
async function runChecks(backstage: Backstage, window: OpenWindow): Promise<readonly ShownCheck[]> {
  const { page } = window;
  await page.getByRole('button', { name: 'Run checks' }).click();
  const { checks } = await shown(backstage, ({ checks }) => checks.status === 'done', CHECKS_WITHIN_MS);
  if (checks.status !== 'done') throw new Error('not done');
  const items = page.locator('ol.checks > li');
  await expect.poll(() => items.count()).toBe(checks.results.length);
  const problems = checks.results.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning');
  const summary = page.locator('#checks [role=status]');
  await expect
    .poll(() => summary.innerText())
    .toMatch(problems.length > 0 ? /(\d+ failed|\d+ warnings?) at / : /^All /);
  await page.locator('#checks summary').click();
  const texts = await items.allInnerTexts();
  const verdictsShown = texts.map((text) => Object.values(VERDICTS).find((one) => text.includes(one)));
  expect(verdictsShown.lastIndexOf('Failed')).toBeLessThan(problems.length);
  for (const { step, name, verdict, evidence, remedy } of checks.results) {
    const text = texts.find((one) => one.startsWith(`${step}. `)) ?? '';
    expect(text).toContain(`${step}. ${name}`);
    expect(text).toContain(VERDICTS[verdict]);
    expect(text).toContain(evidence);
    if (remedy !== '') expect(text).toContain(`What to do: ${remedy}`);
  }
  // Names of hosts are long.
  await window.look({ colors: 'light', percent: 200 });
  expect(
    await page.evaluate(() => {
      const scope = globalThis as unknown as {
        document: { documentElement: { scrollWidth: number } };
        innerWidth: number;
      };
      return scope.document.documentElement.scrollWidth - scope.innerWidth;
    }),
  ).toBeLessThanOrEqual(0);
  return checks.results;
}

/** Clicks, waits for the notice, and reads the zip that it names. */
async function exportZip({ page }: OpenWindow, file: string): Promise<Map<string, string>> {
  await page.getByRole('button', { name: 'Export diagnostics' }).click();
  const notice = page.locator('.notice', { hasText: file });
  await notice.waitFor({ timeout: CHECKS_WITHIN_MS });
  expect(await notice.innerText()).toBe(`The diagnostics are in ${file}.`);
  return new Map([...(await readZip(file))].map(([name, contents]) => [name, contents.toString('utf8')]));
}

const checksIn = (zip: Map<string, string>): ShownCheck[] =>
  (JSON.parse(zip.get('checks.json')!) as { checks: ShownCheck[] }).checks;
const verdictsOf = (checks: readonly ShownCheck[]): string[] =>
  checks.map(({ name, verdict }) => `${name} ${verdict}`);
const named = (checks: readonly ShownCheck[], name: string): ShownCheck =>
  checks.find((check) => check.name === name)!;

/** Names are known to nobody but the TURN host's, and it is a stand-in. */
function loopbackPorts(turnPort: number, base: NetworkPorts): NetworkPorts {
  return {
    ...base,
    resolve: (host) =>
      host.startsWith('turnnlb')
        ? Promise.resolve([TURN_ADDRESS])
        : Promise.reject(Object.assign(new Error(host), { code: 'ENOTFOUND' })),
    dial: () => ({ address: '127.0.0.1', port: turnPort }),
  };
}

it('the port is taken: the checks run all the same, say by whom, and are in the zip', async () => {
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  ends.push(() => stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const turn = await startStunHost(0);
  ends.push(() => turn.stop());
  const file = join(folder, 'taken.zip');
  const backstage = await startBackstageThatFails({
    display: display.display,
    flags: { port: String(port), allowedDomains: 'acme.my.connect.aws', ...INSTANCE },
    ports: loopbackPorts(turn.port, systemPorts({})),
    exportTo: file,
  });
  const window = await open(backstage);
  expect(await window.page.getByRole('heading', { level: 1 }).innerText()).toBe('Problem');
  const why = window.page.locator('header details');
  const cause = `Port ${port} is already in use by process ${process.pid}`;
  expect(await why.innerText()).toBe('Details for support: CLIENT_CONNECTION_ERROR');
  await why.locator('summary').click();
  expect(await why.innerText()).toContain(cause);

  const results = await runChecks(backstage, window);
  expect(named(results, 'port')).toMatchObject({
    verdict: 'failed',
    evidence: expect.stringContaining(`port ${port} is in use by process ${process.pid}`) as string,
    remedy: expect.stringContaining('End that program') as string,
  });
  expect(verdictsOf(results)).toContain('single instance ok');
  expect(verdictsOf(results)).toContain('test capture warning');
  expect(named(results, 'network acme.my.connect.aws:443 dns')).toMatchObject({
    verdict: 'failed',
    remedy: expect.stringContaining('Allow acme.my.connect.aws, TCP 443') as string,
  });
  const turnHost = results.find(({ name }) => name.endsWith(':3478 dns'))!;
  expect(turnHost).toMatchObject({ verdict: 'ok', evidence: TURN_ADDRESS });

  const zip = await exportZip(window, file);
  expect(verdictsOf(checksIn(zip))).toEqual(verdictsOf(results));
  expect(named(checksIn(zip), 'port').evidence).toBe(named(results, 'port').evidence);
  expect(named(checksIn(zip), turnHost.name).evidence).toBe('public-address');
  expect([...zip.values()].join('\n')).not.toContain(TURN_ADDRESS);
  expect(window.complaints).toEqual([]);
}, 120_000);

it('no instance is named: one line says how to turn the network checks on', async () => {
  const file = join(folder, 'running.zip');
  const backstage = await startBackstage({ display: display.display, exportTo: file });
  const window = await open(backstage);
  const results = await runChecks(backstage, window);
  expect(named(results, 'port').evidence).toContain('in use by this Sightline');
  expect(results.filter(({ name }) => name.startsWith('network'))).toEqual([
    {
      step: results.length,
      name: 'network',
      verdict: 'skipped',
      evidence: expect.stringContaining('does not know your instance') as string,
      remedy: expect.stringContaining('"instanceAlias"') as string,
    },
  ]);
  const zip = await exportZip(window, file);
  expect(verdictsOf(checksIn(zip))).toEqual(verdictsOf(results));
  expect(zip.get('state.json')).toContain('"idle"');
}, 120_000);

it('the desktop names a proxy: the hosts are asked for there, and the proxy is told', async () => {
  const proxy = await startProxy(() => ({ status: 403 }));
  const turn = await startStunHost(Infinity);
  ends.push(
    () => proxy.stop(),
    () => turn.stop(),
  );
  const resolveProxy = (): Promise<string> => Promise.resolve(`PROXY 127.0.0.1:${proxy.port}; DIRECT`);
  const backstage = await startBackstage({
    display: display.display,
    flags: { allowedDomains: 'acme.my.connect.aws', ...INSTANCE },
    resolveProxy,
    ports: loopbackPorts(turn.port, systemPorts({}, resolveProxy)),
  });
  const results = await runChecks(backstage, await open(backstage));
  expect(named(results, 'proxy').evidence).toContain('Sightline connects to nothing outside this machine');
  expect(named(results, 'network acme.my.connect.aws:443 proxy')).toMatchObject({
    verdict: 'failed',
    evidence: `the proxy 127.0.0.1:${proxy.port} refuses the tunnel (403)`,
    remedy: expect.stringContaining("on the proxy's allowlist") as string,
  });
  expect(proxy.asked.map(({ target }) => target)).toContain('acme.my.connect.aws:443');
  expect(results.find(({ name }) => name.endsWith(' stun'))).toMatchObject({
    verdict: 'warning',
    evidence: expect.stringContaining('does not answer without credentials') as string,
  });
}, 120_000);
