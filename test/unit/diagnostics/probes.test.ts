// What the health checks read from the system: browsers' policies, the port's holder, time service.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { asPolicies, readBrowserPolicies } from '../../../main/browserPolicy/read.ts';
import { parseChrony, parseTimedatectl, parseW32tm } from '../../../main/diagnostics/checks/machine.ts';
import { findPortHolder } from '../../../main/diagnostics/checks/program.ts';
import { lockDataFolder, lockHolder } from '../../../main/platform/instanceLock.ts';
import type { RegistryValue } from '../../../main/platform/windowsHelper.ts';
import { temporaryFolder } from '../support/folders.ts';

describe('browser policies', () => {
  it('are read from every file of a browser on Linux; damaged ones are passed over', async () => {
    const root = await temporaryFolder();
    const put = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    };
    await put('/etc/opt/chrome/policies/managed/a.json', '{"LoopbackNetworkAllowedForUrls":["*"]}');
    await put('/etc/opt/chrome/policies/managed/b.json', 'broken');
    await put('/etc/opt/edge/policies/managed/e.json', '{"HomepageLocation":"x"}');
    await put('/etc/firefox/policies/policies.json', '{"policies":{"LocalNetworkAccess":{"Enabled":false}}}');
    const found = await readBrowserPolicies({ platform: 'linux', root });
    expect(found.map(({ browser, values }) => [browser, values])).toEqual([
      ['Chrome', { LoopbackNetworkAllowedForUrls: ['*'] }],
      ['Edge', { HomepageLocation: 'x' }],
      ['Firefox', { LocalNetworkAccess: { Enabled: false } }],
    ]);
    expect(await readBrowserPolicies({ platform: 'linux', root: join(root, 'x') })).toEqual([]);
  });

  it('are asked of the registry on Windows, machine and user', async () => {
    const list = 'LoopbackNetworkAllowedForUrls';
    const chrome: RegistryValue[] = [
      { key: '', name: 'HomepageLocation', type: 1, data: 'https://x.example' },
      { key: list, name: '1', type: 1, data: '[*.]my.connect.aws' },
      { key: list, name: '2', type: 1, data: 'https://b.example' },
    ];
    const asked: string[] = [];
    const found = await readBrowserPolicies({
      platform: 'win32',
      registry: (key) => {
        asked.push(key);
        return Promise.resolve(key === 'HKLM\\SOFTWARE\\Policies\\Google\\Chrome' ? chrome : null);
      },
    });
    expect(found).toEqual([
      {
        browser: 'Chrome',
        source: 'HKLM\\SOFTWARE\\Policies\\Google\\Chrome',
        values: {
          HomepageLocation: 'https://x.example',
          LoopbackNetworkAllowedForUrls: ['[*.]my.connect.aws', 'https://b.example'],
        },
      },
    ]);
    expect(asked).toContain('HKCU\\SOFTWARE\\Policies\\Microsoft\\Edge');
  });

  it('nest in the registry as Firefox wants them', () => {
    const found: RegistryValue[] = [
      { key: 'LocalNetworkAccess', name: 'Enabled', type: 4, data: 1 },
      { key: 'LocalNetworkAccess\\SkipDomains', name: '1', type: 1, data: 'a.example' },
    ];
    expect(asPolicies(found)).toEqual({
      LocalNetworkAccess: { Enabled: 1, SkipDomains: ['a.example'] },
    });
  });
});

describe('the holder of a port', () => {
  async function listen(listener: RequestListener): Promise<{ server: Server; port: number }> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  it('is a Sightline when it says so, otherwise the process', async () => {
    const sightline = await listen((request, response) => {
      response.end(
        request.headers.origin === 'https://a.example' ? '{"app":"sightline","version":"9.9.9"}' : '',
      );
    });
    expect(await findPortHolder(sightline.port, 'https://a.example')).toMatchObject({ sightline: '9.9.9' });
    const other = await listen((_, response) => response.end('<html>hello</html>'));
    const holder = await findPortHolder(other.port, 'https://a.example');
    expect(holder?.sightline).toBeNull();
    if (process.platform === 'linux') expect(holder?.process).toContain(`process ${process.pid} `);
    const silent = await listen(() => undefined);
    expect(await findPortHolder(silent.port, 'https://a.example')).toMatchObject({ sightline: null });
  });

  it('is null once it is gone', async () => {
    const { server, port } = await listen(() => undefined);
    server.close();
    await once(server, 'close');
    expect(await findPortHolder(port, 'https://a.example')).toBeNull();
  });
});

it('the holder of a data folder is known while it lives', async () => {
  const folder = await temporaryFolder();
  expect(lockHolder(folder)).toBeNull();
  const unlock = lockDataFolder(folder);
  expect(lockHolder(folder)).toBe(process.pid);
  unlock();
  expect(lockHolder(folder)).toBeNull();
});

describe('the time service', () => {
  it('is read as chrony, timedatectl and Windows print it', () => {
    const chrony =
      'Stratum         : 3\nSystem time     : 0.250000000 seconds slow of NTP time\nLeap status     : Normal\n';
    expect(parseChrony(chrony)).toEqual({ name: 'chrony', isSynchronised: true, offsetMs: -250 });
    expect(parseChrony('Leap status     : Not synchronised\n')?.isSynchronised).toBe(false);
    expect(parseTimedatectl('NTP=yes\nNTPSynchronized=no\n')?.isSynchronised).toBe(false);
    expect(parseW32tm('Sprungindikator: 3(nicht synchronisiert)\r\nStratum: 0\r\n')?.isSynchronised).toBe(
      false,
    );
    expect(parseW32tm('Leap Indicator: 0(no warning)\r\n')?.isSynchronised).toBe(true);
    expect([parseChrony(''), parseTimedatectl(''), parseW32tm('')]).toEqual([null, null, null]);
  });
});
