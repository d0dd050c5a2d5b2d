// Each check on real folders, servers and files where it has some, and on what its subject may say where not.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Check, Finding } from '../../../main/diagnostics/check.ts';
import { ok } from '../../../main/diagnostics/check.ts';
import { runChecks } from '../../../main/diagnostics/checks.ts';
import { browserPolicyCheck, matchesPattern } from '../../../main/diagnostics/checks/browserPolicy.ts';
import { captureCheck, type MonitorMeasure } from '../../../main/diagnostics/checks/capture.ts';
import { dataCheck } from '../../../main/diagnostics/checks/data.ts';
import { displayCheck } from '../../../main/diagnostics/checks/display.ts';
import { domainsCheck } from '../../../main/diagnostics/checks/domains.ts';
import { instanceCheck } from '../../../main/diagnostics/checks/instance.ts';
import { keyStoreCheck } from '../../../main/diagnostics/checks/keyStore.ts';
import { machineCheck, type MachineSubject } from '../../../main/diagnostics/checks/machine.ts';
import { portCheck } from '../../../main/diagnostics/checks/port.ts';
import { refusedCheck } from '../../../main/diagnostics/checks/refused.ts';
import { REQUEST_REFUSED } from '../../../main/shared/logEvents.ts';
import { sinkCheck } from '../../../main/diagnostics/checks/sink.ts';
import { keyFileStore } from '../../../main/platform/keyStore.ts';
import { createLogger } from '../../../main/platform/log.ts';
import { temporaryFolder } from '../support/folders.ts';
import { containing } from '../support/matchers.ts';

const GIB = 1024 ** 3;
const find = async (check: Check): Promise<Finding> => check.run();

describe('runChecks', () => {
  it('numbers them, tells of each as it ends, and goes on after one that throws or never ends', async () => {
    const told: string[] = [];
    const results = await runChecks(
      [
        { name: 'good', run: () => ok('fine') },
        { name: 'thrown', run: () => Promise.reject(new Error('broken')) },
        { name: 'endless', run: () => new Promise(() => undefined) },
        { name: 'last', run: () => ok('fine, too') },
      ],
      { told: ({ name }) => told.push(name), deadlineMs: 30 },
    );
    expect(results.map(({ step, name, verdict }) => [step, name, verdict])).toEqual([
      [1, 'good', 'ok'],
      [2, 'thrown', 'failed'],
      [3, 'endless', 'failed'],
      [4, 'last', 'ok'],
    ]);
    expect(results[1]?.evidence).toBe('broken');
    expect(told).toEqual(['good', 'thrown', 'endless', 'last']);
  });
});

describe('port', () => {
  const held = (
    process: string | null,
    sightline: string | null = null,
    isOurs = false,
    beside: string | null = null,
  ) => find(portCheck({ port: 5431, holder: () => Promise.resolve({ process, sightline, isOurs, beside }) }));

  it('is free, ours, another Sightline’s, AWS’s client’s, or a stranger’s', async () => {
    expect(await find(portCheck({ port: 5431, holder: () => Promise.resolve(null) }))).toEqual(
      ok('port 5431 is free'),
    );
    expect(await held('process 7 (node)', '0.1.0', true)).toMatchObject({ verdict: 'ok' });
    expect(await held('process 7 (node)', '0.1.0', true, 'process 8 (nc)')).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringContaining(
        '(process 7 (node)), but port 5431 of [::1] by process 8 (nc)',
      ) as string,
    });
    expect((await held('process 7 (node)', '0.1.0')).evidence).toContain('another Sightline, version 0.1.0');
    expect((await held('process 7 (AmazonConnectClient.exe)')).evidence).toContain(
      'the Amazon Connect Client Application',
    );
    const stranger = await held(null);
    expect(stranger).toMatchObject({ verdict: 'failed' });
    expect(stranger.evidence).toContain('a program that this user may not see');
    expect(stranger.remedy).toContain('sets another "port"');
  });
});

describe('single instance', () => {
  it.each([
    [null, 'ok', 'the lock is free'],
    [{ pid: 7, port: 5431 }, 'ok', 'process 7, port 5431'],
    [{ pid: 7, port: null }, 'warning', 'has told no port'],
  ])('%j is %s', async (running, verdict, words) => {
    const finding = await find(instanceCheck({ dataDir: '/d', running: () => Promise.resolve(running) }));
    expect(finding.verdict).toBe(verdict);
    expect(finding.evidence).toContain(words);
  });
});

describe('allowed domains', () => {
  it.each([
    [[], false, 'failed'],
    [[], true, 'ok'],
    [['a.example'], false, 'ok'],
    [['a.example'], true, 'warning'],
  ])('%j, loopback %s: %s', async (allowedDomains, allowLoopbackOrigins, verdict) => {
    expect(await find(domainsCheck({ allowedDomains, allowLoopbackOrigins }))).toMatchObject({ verdict });
  });
});

describe('browser policy', () => {
  const DOMAIN = 'acme.my.connect.aws';
  const chrome = (values: Record<string, unknown>) =>
    find(
      browserPolicyCheck({
        allowedDomains: [DOMAIN],
        read: () => Promise.resolve([{ browser: 'Chrome', source: '/etc/x.json', values }]),
      }),
    );

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

  it('goes by the first list that has the page, in the browsers’ order', async () => {
    const on = [`https://${DOMAIN}`];
    expect(await chrome({ LoopbackNetworkAllowedForUrls: on })).toMatchObject({ verdict: 'ok' });
    expect(await chrome({ LocalNetworkAccessAllowedForUrls: on })).toMatchObject({ verdict: 'ok' });
    expect(
      await chrome({ LocalNetworkAccessBlockedForUrls: ['*'], LoopbackNetworkAllowedForUrls: on }),
    ).toMatchObject({ verdict: 'ok' });
    const blocked = await chrome({ LoopbackNetworkBlockedForUrls: ['*'], LoopbackNetworkAllowedForUrls: on });
    expect(blocked).toMatchObject({ verdict: 'failed' });
    expect(blocked.evidence).toBe(`Chrome: blocked ${DOMAIN} (/etc/x.json)`);
    expect(await chrome({ HomepageLocation: 'x' })).toMatchObject({ verdict: 'warning' });
  });

  it('knows Firefox’s own policy', async () => {
    const firefox = (LocalNetworkAccess: unknown) =>
      find(
        browserPolicyCheck({
          allowedDomains: [DOMAIN],
          read: () => Promise.resolve([{ browser: 'Firefox', source: 'p', values: { LocalNetworkAccess } }]),
        }),
      );
    expect(await firefox({ Enabled: false })).toMatchObject({ verdict: 'ok' });
    expect(await firefox({ Enabled: true, SkipDomains: ['*.my.connect.aws'] })).toMatchObject({
      verdict: 'ok',
    });
    expect(await firefox({ Enabled: true })).toMatchObject({ verdict: 'warning' });
  });
});

describe('refused pages', () => {
  it('counts what the log says, and tells what is allowed by now from what is not', async () => {
    const logFolder = await temporaryFolder();
    const log = createLogger({ folder: logFolder, level: 'info', stderr: false });
    const look = (allowed: readonly string[]) =>
      find(refusedCheck({ logFolder, isAllowed: (one) => allowed.includes(one), now: Date.now }));
    expect(await look([])).toMatchObject({ verdict: 'ok', evidence: 'none in the last 7 days' });
    const old = {
      time: '2020-01-01T00:00:00.000Z',
      message: 'in any words',
      event: REQUEST_REFUSED,
      origin: 'https://old.example',
    };
    await writeFile(join(logFolder, 'sightline.old.log'), `${JSON.stringify(old)}\n{"torn`);
    for (const origin of ['https://a.example', 'https://a.example', 'https://b\u001b[31m.example', null])
      log.warn('in any words', { event: REQUEST_REFUSED, reason: 'x', origin });
    log.warn('in any words', { event: REQUEST_REFUSED, reason: 'x', origin: 'https://a.example', count: 40 });
    const finding = await look([]);
    expect(finding.verdict).toBe('warning');
    expect(finding.evidence).toContain('https://a.example (42 times, last ');
    expect(finding.evidence).toContain('https://b?[31m.example (once');
    expect(finding.evidence).not.toContain('old.example');
    const mended = await look(['https://a.example', 'https://b?[31m.example']);
    expect(mended).toMatchObject({ verdict: 'ok' });
    expect(mended.evidence).toContain('now allowed');
  });
});

describe('display', () => {
  const monitor = (name: string) => ({ name, x: 0, y: 0, width: 1920, height: 1080, primary: false });
  const look = (read: Parameters<typeof displayCheck>[0]['read'], maxMonitors = 3) =>
    find(displayCheck({ maxMonitors, read }));
  it('tells what is recorded, what is left out and what is made smaller', async () => {
    const picture = { width: 3840, height: 1080, scaled: false };
    const desk = { monitors: [monitor('A'), monitor('B')], leftOut: [], picture };
    expect(await look(() => Promise.resolve(desk))).toEqual(ok('A 1920x1080, B 1920x1080'));
    const less = await look(() => Promise.resolve({ ...desk, leftOut: [monitor('C')] }), 2);
    expect(less).toMatchObject({
      verdict: 'warning',
      evidence: 'A 1920x1080, B 1920x1080; not recorded: C 1920x1080',
    });
    expect(less.remedy).toContain('raise "maxMonitors"');
    const scaled = await look(() => Promise.resolve({ ...desk, picture: { ...picture, scaled: true } }));
    expect(scaled).toMatchObject({ verdict: 'warning' });
    expect(await look(() => Promise.resolve(null))).toMatchObject({ verdict: 'failed' });
    expect(await look(() => Promise.reject(new Error('gone')))).toMatchObject({
      verdict: 'failed',
      evidence: 'gone',
    });
  });
});

describe('test capture', () => {
  const alive: MonitorMeasure = { name: 'A', frames: 10, expectedFrames: 10, darkShare: 0.1, changes: 9 };
  const look = (
    monitors: MonitorMeasure[],
    cpuOfOneCore: number | null = 0.1,
    encodedFrames = 10,
    isExposed = false,
  ) =>
    find(
      captureCheck({
        isRecording: () => Promise.resolve(false),
        measure: () =>
          Promise.resolve({ monitors, cpuOfOneCore, encodedFrames, expectedFrames: 10, isExposed }),
      }),
    );
  it('judges what was measured', async () => {
    expect(await look([alive])).toEqual(
      ok('A alive (10 of 10 frames, 9 with changes); 10 of 10 frames encoded; 10% of one core'),
    );
    const still = await look([alive, { ...alive, name: 'B', changes: 0 }]);
    expect(still).toMatchObject({ verdict: 'ok' });
    expect(still.evidence).toContain('B still (not one pixel changed in 10 of 10 frames)');
    expect(still.remedy).toContain('frozen');
    expect(await look([{ ...alive, darkShare: 1, changes: 0 }])).toMatchObject({ verdict: 'warning' });
    expect(await look([alive], 0.9)).toMatchObject({ verdict: 'warning' });
    expect(await look([alive], null, 4)).toMatchObject({ verdict: 'warning' });
    expect(await look([alive], null, 0)).toMatchObject({ verdict: 'failed' });
    expect(await look([alive], 0.1, 10, true)).toMatchObject({
      verdict: 'warning',
      evidence: containing('other users of this computer can read the screen'),
      remedy: containing('"ffmpegPath"'),
    });
    expect(await look([{ ...alive, frames: 0 }])).toMatchObject({ verdict: 'failed' });
  });
  it('is not run while recording, and given up when a contact begins', async () => {
    const measure = () => Promise.reject(new Error('measured'));
    expect(await find(captureCheck({ isRecording: () => Promise.resolve(true), measure }))).toMatchObject({
      verdict: 'skipped',
      evidence: 'not run while recording',
    });
    const begun = captureCheck({
      isRecording: () => Promise.resolve(false),
      measure: () => Promise.resolve(null),
    });
    expect(await find(begun)).toMatchObject({ verdict: 'skipped' });
  });
});

describe('data folder', () => {
  const look = (
    dataDir: string,
    free = 50 * GIB,
    heldBytes = 0,
    waiting = 0,
    found: { unreadable?: { folder: string; message: string }[]; damaged?: number } = {},
  ) =>
    find(
      dataCheck({
        dataDir,
        quotaBytes: 10 * GIB,
        minFreeBytes: GIB,
        spool: () => Promise.resolve({ heldBytes, waiting, unreadable: [], damaged: 0, ...found }),
        freeBytes: () => Promise.resolve(free),
      }),
    );
  it('tells of the room on disk and in the quota, and leaves nothing behind', async () => {
    const folder = join(await temporaryFolder(), 'new');
    expect((await look(folder, 50 * GIB, GIB, 2)).evidence).toContain(
      '50.0 GiB free; the spool (recordings on this disk) holds 1.0 GiB of 10.0 GiB, 2 recordings wait to be delivered',
    );
    expect(await readdir(folder)).toEqual([]);
    expect(await look(folder, 1.5 * GIB)).toMatchObject({ verdict: 'warning' });
    expect(await look(folder, 0.5 * GIB)).toMatchObject({ verdict: 'failed' });
    expect(await look(folder, 50 * GIB, 9.5 * GIB)).toMatchObject({ verdict: 'warning' });
    await writeFile(join(folder, 'a-file'), '');
    expect(await look(join(folder, 'a-file', 'x'))).toMatchObject({ verdict: 'failed' });
  });
  it('tells of folders that cannot be read, and of recordings that were delivered damaged', async () => {
    const folder = await temporaryFolder();
    const unreadable = [{ folder: '/data/spool/s1', message: 'The key is gone.' }];
    expect(await look(folder, 50 * GIB, 0, 0, { unreadable })).toMatchObject({
      verdict: 'failed',
      evidence: containing('/data/spool/s1 cannot be read: The key is gone.'),
      remedy: containing('Do not delete that folder'),
    });
    expect(await look(folder, 50 * GIB, 0, 0, { damaged: 2 })).toMatchObject({
      verdict: 'warning',
      evidence: containing('2 recordings were damaged'),
      remedy: containing('disk checked'),
    });
  });
});

describe('key store', () => {
  it('is tried where there is a key, and makes none', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'spool.key');
    const store = keyFileStore(path);
    const look = (isMade: boolean) => find(keyStoreCheck({ store, isMade: () => Promise.resolve(isMade) }));
    expect((await look(false)).evidence).toContain('made when');
    expect(await readdir(folder)).toEqual([]);
    await writeFile(path, randomBytes(32), { mode: 0o600 });
    expect(await look(true)).toMatchObject({ verdict: 'warning', evidence: 'key-file locks and unlocks' });
    await chmod(path, 0o644);
    const open = keyStoreCheck({ store: keyFileStore(path), isMade: () => Promise.resolve(true) });
    expect(await find(open)).toMatchObject({ verdict: 'failed' });
  });
});

describe('sink folder', () => {
  const requireKnown = (): Promise<void> => Promise.resolve();
  it('is written to and left as it was', async () => {
    const folder = await temporaryFolder();
    expect(await find(sinkCheck({ kind: 'folder', folder, requireKnown }))).toMatchObject({ verdict: 'ok' });
    expect(await readdir(folder)).toEqual([]);
    await mkdir(join(folder, 'd'));
    await writeFile(join(folder, 'd', 'file'), '');
    expect(
      await find(sinkCheck({ kind: 'folder', folder: join(folder, 'd', 'file'), requireKnown })),
    ).toMatchObject({
      verdict: 'failed',
    });
  });
});

describe('machine', () => {
  const good: MachineSubject = {
    cores: 4,
    memoryBytes: 8 * GIB,
    nodeVersion: '20.20.2',
    electronVersion: null,
    platform: 'linux',
    osRelease: '6.1.0-13-amd64',
    sessionType: null,
  };
  it.each([
    [{}, 'ok'],
    [{ memoryBytes: 3.8 * GIB, cores: 2 }, 'ok'],
    [{ cores: 1 }, 'warning'],
    [{ memoryBytes: 2 * GIB }, 'warning'],
    [{ nodeVersion: '20.9.0' }, 'failed'],
    [{ osRelease: '4.9.0' }, 'failed'],
    [{ platform: 'win32', osRelease: '10.0.22631' }, 'ok'],
    [{ platform: 'win32', osRelease: '10.0.14393' }, 'failed'],
    [{ platform: 'freebsd' }, 'failed'],
    [{ sessionType: 'wayland' }, 'warning'],
  ] as const)('%j: %s', async (difference, verdict) => {
    expect(await find(machineCheck({ ...good, ...difference }))).toMatchObject({ verdict });
  });
});
