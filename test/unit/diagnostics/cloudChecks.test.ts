// The checks that look outside this machine, on what may be said there.
import { describe, expect, it } from 'vitest';
import type { Check, Finding } from '../../../main/diagnostics/check.ts';
import { ok } from '../../../main/diagnostics/check.ts';
import { clockCheck } from '../../../main/diagnostics/checks/clock.ts';
import { credentialsCheck } from '../../../main/diagnostics/checks/credentials.ts';
import { eventBridgeCheck, type EventBus } from '../../../main/diagnostics/checks/eventBridge.ts';
import { proxyCheck } from '../../../main/diagnostics/checks/proxy.ts';

const find = async (check: Check): Promise<Finding> => check.run();

describe('credentials', () => {
  const now = () => Date.parse('2026-01-01T00:00:00Z');
  const look = (areLasting: boolean, expiresAt: string | null) =>
    find(
      credentialsCheck({
        kind: 'chain',
        now,
        find: () =>
          Promise.resolve({
            source: 'environment',
            areLasting,
            expiresAt: expiresAt === null ? null : new Date(expiresAt),
          }),
      }),
    );
  it('of a chain: short-lived, lasting, expired, none', async () => {
    expect(await look(false, '2026-01-01T01:00:00Z')).toEqual(
      ok('from environment, until 2026-01-01T01:00:00.000Z'),
    );
    expect(await look(true, null)).toMatchObject({ verdict: 'warning' });
    expect(await look(false, '2025-12-31T00:00:00Z')).toMatchObject({
      verdict: 'failed',
      evidence: 'from environment, expired at 2025-12-31T00:00:00.000Z',
    });
    const none = credentialsCheck({ kind: 'chain', now, find: () => Promise.reject(new Error('none')) });
    expect(await find(none)).toMatchObject({ verdict: 'failed', evidence: 'no credentials for AWS: none' });
  });
  it.each([
    [401, 'ok'],
    [403, 'warning'],
    [502, 'warning'],
    [200, 'failed'],
  ])('of a broker that answers %d: %s', async (status, verdict) => {
    const check = credentialsCheck({
      kind: 'broker',
      host: 'b.example',
      ask: () => Promise.resolve(status),
    });
    expect(await find(check)).toMatchObject({ verdict });
  });
});

describe('clock', () => {
  const look = (
    offsetMs: number | null,
    service: { isSynchronised: boolean; offsetMs: number | null } | null,
  ) =>
    find(
      clockCheck({
        told: () => Promise.resolve(offsetMs === null ? null : { by: 'S3', offsetMs, toleranceMs: 1500 }),
        service: () => Promise.resolve(service === null ? null : { name: 'chrony', ...service }),
      }),
    );
  it.each([
    [800, null, 'ok', 'right to 1.5 s by S3'],
    [-20_000, null, 'warning', '20.0 s slow by S3'],
    [
      1_000_000,
      { isSynchronised: true, offsetMs: null },
      'failed',
      '1000.0 s fast by S3; chrony: synchronised',
    ],
    [null, { isSynchronised: true, offsetMs: 0 }, 'ok', 'chrony: synchronised'],
    [null, { isSynchronised: false, offsetMs: null }, 'warning', 'chrony: not synchronised'],
    [null, null, 'skipped', 'no server was asked'],
  ])('%s ms, %j: %s', async (offsetMs, service, verdict, words) => {
    const finding = await look(offsetMs, service);
    expect(finding.verdict).toBe(verdict);
    expect(finding.evidence).toContain(words);
  });
});

describe('proxy', () => {
  it('is told without its password, and matters only to who goes out', async () => {
    const look = (environment: Record<string, string>, system: string | null, hosts: string[]) =>
      find(proxyCheck({ environment, system: () => Promise.resolve(system), hosts }));
    expect(await look({}, null, ['s3.example'])).toEqual(ok('none is set'));
    const set = await look({ https_proxy: 'http://me:hunter2@proxy.example:3128' }, null, ['s3.example']);
    expect(set.verdict).toBe('warning');
    expect(set.evidence).toContain('https_proxy=http://…@proxy.example:3128');
    expect(set.evidence).not.toContain('hunter2');
    const slash = await look({ HTTP_PROXY: 'http://me:hun/ter@2@proxy.example:3128' }, null, []);
    expect(slash.evidence).not.toMatch(/me:|hun|ter@|2@/);
    expect(slash.verdict).toBe('ok');
  });
});

describe('EventBridge', () => {
  const bus: EventBus = {
    name: 'bus',
    endpoint: 'https://events.example/',
    reach: () => Promise.resolve(404),
    findCredentials: () => Promise.resolve(),
    pending: () => Promise.resolve(2),
    lastProblem: () => Promise.resolve(null),
  };
  it('needs credentials and an answer, and tells of the last try', async () => {
    expect(await find(eventBridgeCheck(null))).toMatchObject({ verdict: 'skipped' });
    expect(await find(eventBridgeCheck(bus))).toEqual(
      ok('2 events wait for bus; https://events.example/ answers'),
    );
    const fails = () => Promise.reject(new Error('no way'));
    expect(await find(eventBridgeCheck({ ...bus, findCredentials: fails }))).toMatchObject({
      verdict: 'failed',
    });
    expect(await find(eventBridgeCheck({ ...bus, reach: fails }))).toMatchObject({ verdict: 'failed' });
    const problem = await find(
      eventBridgeCheck({ ...bus, lastProblem: () => Promise.resolve('AccessDenied') }),
    );
    expect(problem).toMatchObject({ verdict: 'warning' });
    expect(problem.evidence).toContain('AccessDenied');
  });
});
