// The checks on real folders, ports and files; where a state is hard to produce, their judgement of it.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../../main/platform/network/nodeNetwork.ts';
import { ok } from '../../../main/diagnostics/check.ts';
import { matchesPattern } from '../../../main/browserPolicy/coverage.ts';
import { runChecks } from '../../../main/diagnostics/checks.ts';
import { judgeMachine, processorMhz, type Machine } from '../../../main/diagnostics/checks/machine.ts';
import { domainsCheck, judgePolicies, refusedCheck } from '../../../main/diagnostics/checks/pages.ts';
import { judgeHolder, judgeInstance, portCheck } from '../../../main/diagnostics/checks/program.ts';
import { captureCheck, judgeLayout, judgeTrial } from '../../../main/diagnostics/checks/screen.ts';
import {
  dataCheck,
  judgeUsage,
  keyStoreCheck,
  sinkFolderCheck,
} from '../../../main/diagnostics/checks/storage.ts';
import type { DisplayLayout } from '../../../main/capture/displays.ts';
import type { FfmpegFinder } from '../../../main/capture/ffmpegBinary.ts';
import type { MonitorTrial } from '../../../main/capture/trial.ts';
import { openContext, type CheckContext } from '../../../main/diagnostics/context.ts';
import { createLogger, silentLogger } from '../../../main/platform/log.ts';
import type { Policy } from '../../../main/policy/keys.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { REQUEST_REFUSED } from '../../../main/shared/names.ts';
import { temporaryFolder } from '../support/folders.ts';
import { containing } from '../support/matchers.ts';

const GIB = 1024 ** 3;

/** Of the default policy with changes, as the checks of the program get it. */
async function contextOf(changes: Partial<Policy>): Promise<CheckContext> {
  const home = await temporaryFolder();
  const { values } = loadPolicy({ machine: [], flags: {}, environment: { HOME: home } });
  const policy = { ...values, dataDir: join(home, 'data'), sinkFolder: join(home, 'sink'), ...changes };
  return openContext({ policy, network: new NodeNetwork(), resourcesFolder: home, log: silentLogger });
}

describe('runChecks', () => {
  it('numbers them, reports each as it ends, and continues after one that throws or never ends', async () => {
    const reported: string[] = [];
    const results = await runChecks(
      [
        { name: 'good', run: () => ok('fine') },
        { name: 'thrown', run: () => Promise.reject(new Error('broken')) },
        { name: 'endless', run: () => new Promise(() => undefined) },
        { name: 'last', run: () => ok('fine, too') },
      ],
      ({ name }) => reported.push(name),
      30,
    );
    expect(results.map(({ step, name, verdict }) => [step, name, verdict])).toEqual([
      [1, 'good', 'ok'],
      [2, 'thrown', 'failed'],
      [3, 'endless', 'failed'],
      [4, 'last', 'ok'],
    ]);
    expect(results[1]?.evidence).toBe('broken');
    expect(reported).toEqual(['good', 'thrown', 'endless', 'last']);
  });
});

describe('port', () => {
  const usedBy = (
    process: string | null,
    sightline: string | null = null,
    isOurs = false,
    beside: string | null = null,
    isDoor = false,
  ) => judgeHolder(5431, { process, sightline, isDoor, beside }, isOurs);

  it('is free, ours, another Sightline’s, AWS’s client’s, or another program’s', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await portCheck(await contextOf({ port }))).toMatchObject({ verdict: 'failed' });
    server.close();
    await once(server, 'close');
    expect(await portCheck(await contextOf({ port }))).toEqual(ok(`port ${port} is free`));
    expect(usedBy('process 7 (node)', '0.1.0', true)).toMatchObject({ verdict: 'ok' });
    expect(usedBy('process 7 (node)', '0.1.0', true, 'process 8 (nc)')).toMatchObject({
      verdict: 'failed',
      evidence: containing('(process 7 (node)), but port 5431 of [::1] by process 8 (nc)'),
    });
    expect(usedBy('process 7 (node)', '0.1.0').evidence).toContain('another Sightline, version 0.1.0');
    expect(usedBy('process 7 (AmazonConnectClient.exe)').evidence).toContain(
      'the Amazon Connect Client Application',
    );
    const stranger = usedBy(null);
    expect(stranger).toMatchObject({ verdict: 'failed' });
    expect(stranger.evidence).toContain('a program that this user cannot see');
    expect(stranger.remedy).toContain('sets another "port"');
  });

  it('is another user’s Sightline’s, which hands over connections, or should', () => {
    expect(usedBy(null, '0.1.0', true, null, true)).toMatchObject({
      verdict: 'ok',
      evidence: containing("another user's Sightline, which hands over this user's connections"),
    });
    expect(usedBy(null, null, false, null, true)).toMatchObject({
      verdict: 'ok',
      evidence: containing("once this user's Sightline runs"),
    });
    expect(usedBy(null, null, true)).toMatchObject({
      verdict: 'failed',
      evidence: containing('hands over no connections'),
    });
  });
});

describe('single instance', () => {
  it.each([
    [null, 'ok', 'the lock is free'],
    [{ pid: 7, port: 5431 }, 'ok', 'process 7, port 5431'],
    [{ pid: 7, port: null }, 'warning', 'has not published its port'],
  ])('%j is %s', (running, verdict, text) => {
    const finding = judgeInstance('/d', running);
    expect(finding.verdict).toBe(verdict);
    expect(finding.evidence).toContain(text);
  });
});

describe('allowed domains', () => {
  it.each([
    [[], false, 'failed'],
    [[], true, 'ok'],
    [['a.example'], false, 'ok'],
    [['a.example'], true, 'warning'],
  ])('%j, loopback %s: %s', (allowedDomains, allowLoopbackOrigins, verdict) => {
    expect(domainsCheck({ policy: { allowedDomains, allowLoopbackOrigins } })).toMatchObject({
      verdict,
    });
  });
});

describe('browser policy', () => {
  const DOMAIN = 'acme.my.connect.aws';
  const chrome = (values: Record<string, unknown>) =>
    judgePolicies([DOMAIN], [{ browser: 'Chrome', source: '/etc/x.json', values }]);

  it.each([
    ['*', true],
    ['[*.]my.connect.aws', true],
    ['my.connect.aws', false],
    ['acme.my.connect.aws', true],
    ['https://acme.my.connect.aws', true],
    ['https://acme.my.connect.aws:443/', true],
    ['https://acme.my.connect.aws:8443', false],
    ['http://acme.my.connect.aws', false],
    ['[*.]connect.aws.example', false],
    ['not a pattern', false],
  ])('pattern %s: %s', (pattern, matches) => {
    expect(matchesPattern(pattern, DOMAIN)).toBe(matches);
  });

  it('goes by the first list that has the page, in the browsers’ order', () => {
    const on = [`https://${DOMAIN}`];
    expect(chrome({ LoopbackNetworkAllowedForUrls: on })).toMatchObject({ verdict: 'ok' });
    expect(chrome({ LocalNetworkAccessAllowedForUrls: on })).toMatchObject({ verdict: 'ok' });
    expect(
      chrome({ LocalNetworkAccessBlockedForUrls: ['*'], LoopbackNetworkAllowedForUrls: on }),
    ).toMatchObject({ verdict: 'ok' });
    const blocked = chrome({ LoopbackNetworkBlockedForUrls: ['*'], LoopbackNetworkAllowedForUrls: on });
    expect(blocked).toMatchObject({ verdict: 'failed' });
    expect(blocked.evidence).toBe(`Chrome: blocked ${DOMAIN} (/etc/x.json)`);
    expect(chrome({ HomepageLocation: 'x' })).toMatchObject({ verdict: 'warning' });
  });

  it('knows Firefox’s own policy', () => {
    const firefox = (LocalNetworkAccess: unknown) =>
      judgePolicies([DOMAIN], [{ browser: 'Firefox', source: 'p', values: { LocalNetworkAccess } }]);
    expect(firefox({ Enabled: false })).toMatchObject({ verdict: 'ok' });
    expect(firefox({ Enabled: true, SkipDomains: ['*.my.connect.aws'] })).toMatchObject({
      verdict: 'ok',
    });
    expect(firefox({ Enabled: true })).toMatchObject({ verdict: 'warning' });
  });
});

describe('refused pages', () => {
  it('counts what the log says, and distinguishes origins that are allowed by now', async () => {
    const context = await contextOf({});
    const logFolder = join(context.policy.dataDir, 'logs');
    const look = (...allowedDomains: string[]) =>
      refusedCheck({ policy: { ...context.policy, allowedDomains } });
    expect(await look()).toMatchObject({ verdict: 'ok', evidence: 'none in the last 7 days' });
    const log = createLogger({ folder: logFolder, level: 'info', stderr: false });
    for (const origin of ['https://a.example', 'https://a.example', null])
      log.warn('any text', { event: REQUEST_REFUSED, reason: 'x', origin });
    log.warn('any text', { event: REQUEST_REFUSED, reason: 'x', origin: 'https://a.example', count: 40 });
    const old = {
      time: '2020-01-01T00:00:00.000Z',
      message: 'any text',
      event: REQUEST_REFUSED,
      origin: 'https://old.example',
    };
    await writeFile(join(logFolder, 'sightline.old.log'), `${JSON.stringify(old)}\n{"torn`);
    const allowed = await look('a.example');
    expect(allowed).toMatchObject({ verdict: 'ok', evidence: containing('now allowed') });
    log.warn('any text', { event: REQUEST_REFUSED, reason: 'x', origin: 'https://b\u001b[31m.example' });
    const finding = await look();
    expect(finding.verdict).toBe('warning');
    expect(finding.evidence).toContain('https://a.example (42 times, last ');
    expect(finding.evidence).toContain('https://b?[31m.example (once');
    expect(finding.evidence).not.toContain('old.example');
    expect((await look('a.example')).evidence).toMatch(/^https:\/\/b\?\[31m\.example \(once, last \S+\)$/);
  });
});

describe('display', () => {
  const area = { x: 0, y: 0, width: 1920, height: 1080 };
  const monitor = (name: string) => ({ name, ...area, primary: false, picture: area });
  const fitted = (scaled: boolean) =>
    ({ canvas: { width: 3840, height: 1080 }, scaled }) as unknown as DisplayLayout['fit'];

  it('reports what is recorded, left out and scaled down', () => {
    const layout = { monitors: [monitor('A'), monitor('B')], leftOut: [], fit: fitted(false) };
    expect(judgeLayout(layout, 3)).toEqual(ok('A 1920x1080, B 1920x1080'));
    const less = judgeLayout({ ...layout, leftOut: [monitor('C')] }, 2);
    expect(less).toMatchObject({
      verdict: 'warning',
      evidence: 'A 1920x1080, B 1920x1080; not recorded: C 1920x1080',
    });
    expect(less.remedy).toContain('raise "maxMonitors"');
    expect(judgeLayout({ ...layout, fit: fitted(true) }, 3)).toMatchObject({
      verdict: 'warning',
      evidence: containing('scaled down to 3840x1080'),
    });
    expect(judgeLayout(null, 3)).toMatchObject({ verdict: 'failed' });
  });
});

describe('test capture', () => {
  const alive: MonitorTrial = { name: 'A', frames: 10, expectedFrames: 10, darkShare: 0.1, changes: 9 };
  const look = (
    monitors: MonitorTrial[],
    cpuOfOneCore: number | null = 0.1,
    encodedFrames = 10,
    isExposed = false,
  ) => judgeTrial({ monitors, cpuOfOneCore, encodedFrames, expectedFrames: 10, isExposed });
  it('judges what was measured', () => {
    expect(look([alive])).toEqual(
      ok('A alive (10 of 10 frames, 9 with changes); 10 frames encoded; 10% of one core'),
    );
    const still = look([alive, { ...alive, name: 'B', changes: 0 }]);
    expect(still).toMatchObject({ verdict: 'ok' });
    expect(still.evidence).toContain('B still (not one pixel changed in 10 of 10 frames)');
    expect(still.remedy).toContain('frozen');
    expect(look([{ ...alive, darkShare: 1, changes: 0 }])).toMatchObject({ verdict: 'warning' });
    expect(look([alive], 0.9)).toMatchObject({ verdict: 'warning' });
    expect(look([alive], null, 4)).toMatchObject({ verdict: 'warning' });
    expect(look([alive], null, 0)).toMatchObject({ verdict: 'failed' });
    expect(look([alive], 0.1, 10, true)).toMatchObject({
      verdict: 'warning',
      evidence: containing('other users of this computer can read the screen'),
      remedy: containing('"ffmpegPath"'),
    });
    expect(look([{ ...alive, frames: 0 }])).toMatchObject({ verdict: 'failed' });
  });
  it('is not run during a contact', async () => {
    const live = { isRecording: () => true, onChange: () => () => undefined, eventBridgeProblem: () => null };
    const finder = { find: () => Promise.reject(new Error('captured')) } as unknown as FfmpegFinder;
    expect(await captureCheck({ ...(await contextOf({})), live, finder })).toMatchObject({
      verdict: 'skipped',
      evidence: 'not run while recording',
    });
  });
});

describe('data folder', () => {
  const usage: Parameters<typeof judgeUsage>[0] = {
    ...{ dataDir: '/d', freeBytes: 50 * GIB, minFreeBytes: GIB, usedBytes: 0, quotaBytes: 10 * GIB },
    ...{ pending: 0, unreadable: [], damaged: 0 },
  };
  const look = (changes: Partial<typeof usage>) => judgeUsage({ ...usage, ...changes });

  it('is written to, and left as it was', async () => {
    const context = await contextOf({ spoolMinFreeMiB: 0 });
    const { dataDir } = context.policy;
    expect((await dataCheck(context)).evidence).toMatch(
      /^\S+data is writable, \d+\.\d GiB free; the spool \(recordings on this disk\) uses 0\.0 GiB of \d/,
    );
    expect(await readdir(dataDir)).toEqual([]);
    await writeFile(join(dataDir, 'a-file'), '');
    const blocked = await contextOf({ dataDir: join(dataDir, 'a-file', 'x') });
    expect(await dataCheck(blocked)).toMatchObject({ verdict: 'failed' });
  });

  it('reports the space on disk and in the quota', () => {
    expect(look({ usedBytes: GIB, pending: 2 }).evidence).toContain(
      '50.0 GiB free; the spool (recordings on this disk) uses 1.0 GiB of 10.0 GiB, 2 recordings pending',
    );
    expect(look({ freeBytes: 1.5 * GIB })).toMatchObject({ verdict: 'warning' });
    expect(look({ freeBytes: 0.5 * GIB })).toMatchObject({ verdict: 'failed' });
    expect(look({ usedBytes: 9.5 * GIB })).toMatchObject({ verdict: 'warning' });
  });

  it('reports folders that cannot be read, and damaged recordings', () => {
    const unreadable = [{ folder: '/data/spool/s1', message: 'The key is gone.' }];
    expect(look({ unreadable })).toMatchObject({
      verdict: 'failed',
      evidence: containing('/data/spool/s1 cannot be read: The key is gone.'),
      remedy: containing('Do not delete that folder'),
    });
    expect(look({ damaged: 2 })).toMatchObject({
      verdict: 'warning',
      evidence: containing('2 recordings damaged on this disk'),
      remedy: containing('disk checked'),
    });
  });
});

describe('key store', () => {
  it('is tried where there is a key, and creates none', async () => {
    const dataDir = await temporaryFolder();
    const path = join(dataDir, 'spool.key');
    const look = () => keyStoreCheck({ keyStore: null, policy: { dataDir } });
    expect((await look()).evidence).toContain('created when');
    expect(await readdir(dataDir)).toEqual([]);
    await writeFile(path, randomBytes(32), { mode: 0o600 });
    expect(await look()).toMatchObject({ verdict: 'warning', evidence: 'key-file encrypts and decrypts' });
    await chmod(path, 0o644);
    expect(await look()).toMatchObject({ verdict: 'failed' });
  });
});

describe('sink folder', () => {
  it('is written to and left as it was', async () => {
    const context = await contextOf({});
    const { sinkFolder } = context.policy;
    expect(await sinkFolderCheck(context)).toMatchObject({ verdict: 'ok' });
    expect(await readdir(sinkFolder)).toEqual([]);
    await writeFile(join(sinkFolder, 'file'), '');
    const blocked = await contextOf({ sinkFolder: join(sinkFolder, 'file') });
    expect(await sinkFolderCheck(blocked)).toMatchObject({ verdict: 'failed' });
  });
});

describe('machine', () => {
  const good: Machine = {
    cores: 4,
    mhz: 2000,
    arch: 'x64',
    memoryBytes: 8 * GIB,
    nodeVersion: '20.20.2',
    electronVersion: null,
    platform: 'linux',
    osRelease: '6.1.0-13-amd64',
    sessionType: null,
  };
  it.each([
    [{}, 'ok'],
    [{ memoryBytes: 3.8 * GIB }, 'ok'],
    [{ cores: 3 }, 'warning'],
    [{ mhz: 1995 }, 'ok'],
    [{ mhz: null }, 'ok'],
    [{ mhz: 1800 }, 'warning'],
    [{ arch: 'arm64' }, 'warning'],
    [{ platform: 'darwin', osRelease: '23.1.0' }, 'failed'],
    [{ memoryBytes: 2 * GIB }, 'warning'],
    [{ nodeVersion: '20.9.0' }, 'failed'],
    [{ osRelease: '4.9.0' }, 'failed'],
    [{ platform: 'win32', osRelease: '10.0.22631' }, 'ok'],
    [{ platform: 'win32', osRelease: '10.0.14393' }, 'failed'],
    [{ platform: 'freebsd' }, 'failed'],
    [{ sessionType: 'wayland' }, 'warning'],
  ] as const)('%j: %s', (difference, verdict) => {
    expect(judgeMachine({ ...good, ...difference })).toMatchObject({ verdict });
  });

  it('names everything that is below AWS’s minimum, and says when the speed is not known', () => {
    const weak = judgeMachine({ ...good, cores: 2, mhz: 1100, memoryBytes: 2 * GIB });
    expect(weak.evidence).toMatch(/^2 cores \(x64, 1\.1 GHz\), 2\.0 GiB of memory, /);
    expect(weak.remedy).toMatch(
      /^Screen recording needs 4 cores, a processor of 2\.0 GHz, 4 GiB of memory by AWS's /,
    );
    expect(judgeMachine({ ...good, mhz: null }).evidence).toContain('4 cores (x64, speed not reported)');
  });

  it.each([
    ['the name of the processor, not its present speed', [['Intel(R) Xeon(R) CPU @ 2.10GHz', 800]], 2100],
    [
      'the fastest of several kinds',
      [
        ['ARM', 1800],
        ['ARM', 2400],
      ],
      2400,
    ],
    ['what is reported where the name has none', [['AMD EPYC 7B13', 2450]], 2450],
    [
      'unknown where none is reported',
      [
        ['AMD EPYC', 0],
        ['AMD EPYC', 0],
      ],
      null,
    ],
    [
      'unknown where no processor has it',
      [
        ['QEMU', 1],
        ['QEMU', 4_000_000],
      ],
      null,
    ],
    ['unknown where it is no number', [['', NaN]], null],
    ['unknown without processors', [], null],
  ] as const)('has as its speed %s', (_, processors, mhz) => {
    expect(processorMhz(processors.map(([model, speed]) => ({ model, speed })))).toBe(mhz);
  });
});
