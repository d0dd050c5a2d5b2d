// The browsers' machine policies in a registry, next to policies of others: written by Wine's own reg.exe in a separate
// prefix, and read by the helper.
// Not on Windows itself, where it would change the machine's policies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coverageOf } from '../../main/browserPolicy/coverage.ts';
import { readBrowserPolicies } from '../../main/browserPolicy/read.ts';
import { wantedLists } from '../../main/browserPolicy/lists.ts';
import { REGISTRY_RECORD, writePolicyRegistry } from '../../main/browserPolicy/registry.ts';
import type { RunTool } from '../../main/platform/runTool.ts';
import { WindowsHelper, registryReader } from '../../main/platform/windowsHelper.ts';
import { ensureWindowsHelper } from '../../resources/windowsHelper/build.mjs';
import { orLeftOut } from '../rig/leftOut.ts';

const wine =
  ['/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine'].find((path) => existsSync(path)) ?? '';
const server = '/usr/lib/wine/wineserver64';
const CHROME = 'HKLM\\SOFTWARE\\Policies\\Google\\Chrome\\LoopbackNetworkAllowedForUrls';
const FIREFOX = 'HKLM\\SOFTWARE\\Policies\\Mozilla\\Firefox\\LocalNetworkAccess';
const domain = 'acme.my.connect.aws';
let prefix: string;
let calls = 0;

/** Into a file: what Wine leaves in the background would hold a pipe open. */
const run: RunTool = async (command, args) => {
  const { DISPLAY: _, ...environment } = process.env;
  const env = { ...environment, WINEPREFIX: prefix, WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' };
  const path = join(prefix, `stdout-${++calls}.txt`);
  const out = await open(path, 'w');
  const child = spawn(wine, [command, ...args], { env, stdio: ['ignore', out.fd, 'ignore'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  await out.close();
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return readFile(path, 'utf8');
};
const helper = new WindowsHelper(() => {
  const { DISPLAY: _, ...environment } = process.env;
  const env = { ...environment, WINEPREFIX: prefix, WINEDEBUG: '-all' };
  return spawn(wine, [ensureWindowsHelper({ log: () => undefined })], { env, stdio: 'pipe' });
});
const registry = registryReader(helper);
const reg = (...args: string[]) => run('reg', args);
const none = (key: string) =>
  reg('query', key).then(
    () => 'there',
    () => 'not there',
  );
const apply = (...domains: string[]) =>
  writePolicyRegistry(wantedLists('win32', domains, false), run, registry);
const covered = async () =>
  coverageOf([domain], await readBrowserPolicies({ platform: 'win32', registry })).map(
    ({ browser, domains }) => `${browser} ${domains[0]!.access}`,
  );

const why = wine === '' ? 'Wine is not installed (on Debian: apt install wine64)' : null;

describe.skipIf(why !== null)(orLeftOut('browser policies in the registry', why), () => {
  beforeAll(async () => {
    prefix = await mkdtemp(join(tmpdir(), 'sightline-wine-'));
    // One that stays: starting it anew for every reg.exe takes seconds.
    const env = { ...process.env, WINEPREFIX: prefix };
    await once(spawn(server, ['-p600'], { env, stdio: 'ignore' }), 'exit');
    await run('wineboot', ['-i']);
  });
  afterAll(async () => {
    helper.close();
    // Only this prefix's.
    const env = { ...process.env, WINEPREFIX: prefix };
    await once(spawn(server, ['-k'], { env, stdio: 'ignore' }), 'exit');
    await rm(prefix, { recursive: true, force: true, maxRetries: 5 });
  });

  it('are added behind what others put there, follow the domains, and are gone again', async () => {
    await reg('add', CHROME, '/v', '1', '/t', 'REG_SZ', '/d', 'https://intranet', '/f');
    await reg('add', CHROME, '/v', '7', '/t', 'REG_SZ', '/d', 'https://other.example', '/f');
    await reg('add', FIREFOX, '/v', 'Enabled', '/t', 'REG_DWORD', '/d', '1', '/f');
    const changes = await apply(domain, 'old.example');
    expect(changes.map(({ browser, added }) => [browser, added])).toEqual([
      ['Chrome', [`https://${domain}`, 'https://old.example']],
      ['Edge', [`https://${domain}`, 'https://old.example']],
      ['Firefox', [domain, 'old.example']],
    ]);
    expect(await covered()).toEqual(['Chrome allowed', 'Edge allowed', 'Firefox allowed']);
    const said = await reg('query', CHROME);
    expect(said).toMatch(/ 1 +REG_SZ +https:\/\/intranet\r?\n/);
    expect(said).toMatch(/ 7 +REG_SZ +https:\/\/other\.example\r?\n/);
    expect(said).toMatch(/ 8 +REG_SZ +https:\/\/acme/);

    expect(await apply(domain, 'old.example')).toEqual([]);
    await apply(domain, 'https-second.example');
    const second = await reg('query', CHROME);
    expect(second).not.toContain('old.example');
    expect(second).toContain('https-second.example');

    await apply();
    const left = await reg('query', CHROME);
    expect(left.match(/REG_SZ/g)).toHaveLength(2);
    expect(left).toContain('https://intranet');
    expect(await none(`${FIREFOX}\\SkipDomains`)).toBe('not there');
    expect(await none('HKLM\\SOFTWARE\\Policies\\Microsoft\\Edge\\LoopbackNetworkAllowedForUrls')).toBe(
      'not there',
    );
    expect(await none(REGISTRY_RECORD)).toBe('not there');
    expect(await reg('query', FIREFOX)).toContain('Enabled');
    expect(await apply()).toEqual([]);
  });

  it('are not taken for ours where somebody else had the entry already', async () => {
    await reg('add', CHROME, '/v', '9', '/t', 'REG_SZ', '/d', `https://${domain}`, '/f');
    await apply(domain);
    await apply();
    expect(await reg('query', CHROME)).toContain(`https://${domain}`);
  });

  it('of the user do not count where the machine has the same list', async () => {
    await reg('delete', CHROME, '/f');
    await reg('add', CHROME, '/v', '1', '/t', 'REG_SZ', '/d', 'https://intranet', '/f');
    await reg(
      'add',
      CHROME.replace('HKLM', 'HKCU'),
      '/v',
      '1',
      '/t',
      'REG_SZ',
      '/d',
      `https://${domain}`,
      '/f',
    );
    expect(await covered()).toContain('Chrome asked');
  });
});
