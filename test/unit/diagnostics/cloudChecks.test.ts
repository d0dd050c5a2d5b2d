// The checks that look outside this machine, on what may be said there.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeNetwork } from '../../../main/platform/network/nodeNetwork.ts';
import { ok } from '../../../main/diagnostics/check.ts';
import { eventBridgeCheck, judgeBroker, judgeCredentials } from '../../../main/diagnostics/checks/aws.ts';
import { judgeClock, judgeProxy } from '../../../main/diagnostics/checks/machine.ts';
import type { Policy } from '../../../main/policy/keys.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { temporaryFolder } from '../support/folders.ts';
import { containing } from '../support/matchers.ts';

describe('credentials', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const look = (areLongLived: boolean, expiresAt: string | null) =>
    judgeCredentials(
      {
        source: 'environment',
        areLongLived,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
      },
      now,
    );
  it('of a chain: short-lived, long-lived, expired', () => {
    expect(look(false, '2026-01-01T01:00:00Z')).toEqual(
      ok('from environment, until 2026-01-01T01:00:00.000Z'),
    );
    expect(look(true, null)).toMatchObject({ verdict: 'warning' });
    expect(look(false, '2025-12-31T00:00:00Z')).toMatchObject({
      verdict: 'failed',
      evidence: 'from environment, expired at 2025-12-31T00:00:00.000Z',
    });
  });
  it.each([
    [401, 'ok'],
    [403, 'warning'],
    [502, 'warning'],
    [200, 'failed'],
  ])('of a broker that answers %d: %s', (status, verdict) => {
    expect(judgeBroker('b.example', status)).toMatchObject({ verdict });
  });
});

describe('clock', () => {
  it.each([
    [800, null, 'ok', 'right within 1.5 s according to S3'],
    [-20_000, null, 'warning', '20.0 s slow according to S3'],
    [
      1_000_000,
      { isSynchronised: true, offsetMs: null },
      'failed',
      '1000.0 s fast according to S3; chrony: synchronised',
    ],
    [null, { isSynchronised: true, offsetMs: 0 }, 'ok', 'chrony: synchronised'],
    [null, { isSynchronised: true, offsetMs: -20_000 }, 'warning', 'chrony: synchronised'],
    [null, { isSynchronised: false, offsetMs: null }, 'warning', 'chrony: not synchronised'],
    [null, null, 'skipped', 'no server was asked'],
  ])('%s ms, %j: %s', (offsetMs, service, verdict, text) => {
    const finding = judgeClock(
      offsetMs === null ? null : { server: 'S3', offsetMs },
      service === null ? null : { name: 'chrony', ...service },
    );
    expect(finding.verdict).toBe(verdict);
    expect(finding.evidence).toContain(text);
  });
});

describe('proxy', () => {
  it('is named without its password, for each host outside', () => {
    const policy = { proxyUrl: 'http://me:hunter2@proxy.example:3128', caFile: null };
    const proxy = { kind: 'proxy', url: new URL(policy.proxyUrl) } as const;
    expect(judgeProxy('Node', policy, [])).toMatchObject({ verdict: 'ok' });
    const routes = [
      { host: 's3.example', route: proxy },
      { host: 'events.example', route: { kind: 'direct' } as const },
    ];
    expect(judgeProxy('Node', policy, routes)).toEqual(
      ok(
        'Node connects to s3.example through proxy.example:3128, events.example directly (policy "proxyUrl")',
      ),
    );
    const socks = { kind: 'unusable', why: 'a socks5 proxy, which Sightline does not use' } as const;
    expect(judgeProxy('Node', policy, [{ host: 's3.example', route: socks }]).verdict).toBe('failed');
  });

  it('of the app: a file of roots has no effect there', () => {
    const routes = [{ host: 's3.example', route: { kind: 'direct' } as const }];
    const finding = judgeProxy('Chromium', { proxyUrl: null, caFile: '/etc/roots.pem' }, routes);
    expect(finding).toMatchObject({ verdict: 'warning' });
    expect(finding.remedy).toContain("the system's store");
  });
});

describe('EventBridge', () => {
  it('needs credentials and an answer, and reports the last attempt', async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, 'outbox'));
    for (const name of ['1.json', '2.json', 'other']) await writeFile(join(dataDir, 'outbox', name), '');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'any').stubEnv('AWS_SECRET_ACCESS_KEY', 'any');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { values } = loadPolicy({ machine: [], flags: {}, environment: { HOME: dataDir } });
    const endpoint = { eventBusName: 'bus', eventBridgeEndpoint: 'https://events.example/' };
    const policy = { ...values, ...endpoint, awsRegion: 'eu-central-1', dataDir };
    const look = (problem: string | null, reach: () => Promise<number>, more: Partial<Policy> = {}) =>
      eventBridgeCheck({
        ...{ policy: { ...policy, ...more }, environment: {}, servers: { ask: reach } },
        network: new NodeNetwork(),
        live: {
          isRecording: () => false,
          onChange: () => () => undefined,
          eventBridgeProblem: () => problem,
        },
      });
    const answers = () => Promise.resolve(404);
    expect(await look(null, answers)).toEqual(
      ok('2 events pending for bus; https://events.example/ answers'),
    );
    expect(await look(null, answers, { awsProfile: 'missing' })).toMatchObject({
      verdict: 'failed',
      evidence: containing('no credentials for AWS'),
    });
    expect(await look(null, () => Promise.reject(new Error('no way')))).toMatchObject({
      verdict: 'failed',
      evidence: '2 events pending for bus; https://events.example/ does not answer: no way',
    });
    const problem = await look('AccessDenied', answers);
    expect(problem).toMatchObject({ verdict: 'warning', evidence: containing('AccessDenied') });
  });
});
