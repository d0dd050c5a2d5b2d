// The checks that look outside this machine, on what may be said there.
import { describe, expect, it } from 'vitest';
import { ok } from '../../../main/diagnostics/check.ts';
import {
  checkBus,
  judgeBroker,
  judgeCredentials,
  type EventBus,
} from '../../../main/diagnostics/checks/aws.ts';
import { judgeClock, judgeProxy } from '../../../main/diagnostics/checks/machine.ts';

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
  it('is shown without its password, and matters only where Sightline connects outside', () => {
    expect(judgeProxy({}, null, ['s3.example'])).toEqual(ok('none is set'));
    const set = judgeProxy({ https_proxy: 'http://me:hunter2@proxy.example:3128' }, null, ['s3.example']);
    expect(set.verdict).toBe('warning');
    expect(set.evidence).toContain('https_proxy=http://…@proxy.example:3128');
    expect(set.evidence).not.toContain('hunter2');
    const slash = judgeProxy({ HTTP_PROXY: 'http://me:hun/ter@2@proxy.example:3128' }, null, []);
    expect(slash.evidence).not.toMatch(/me:|hun|ter@|2@/);
    expect(slash.verdict).toBe('ok');
  });
});

describe('EventBridge', () => {
  const bus: EventBus = {
    name: 'bus',
    endpoint: 'https://events.example/',
    pending: 2,
    lastProblem: null,
    reach: () => Promise.resolve(404),
    findCredentials: () => Promise.resolve(),
  };
  it('needs credentials and an answer, and reports the last attempt', async () => {
    expect(await checkBus(bus)).toEqual(ok('2 events pending for bus; https://events.example/ answers'));
    const fails = () => Promise.reject(new Error('no way'));
    expect(await checkBus({ ...bus, findCredentials: fails })).toMatchObject({
      verdict: 'failed',
    });
    expect(await checkBus({ ...bus, reach: fails })).toMatchObject({ verdict: 'failed' });
    const problem = await checkBus({ ...bus, lastProblem: 'AccessDenied' });
    expect(problem).toMatchObject({ verdict: 'warning' });
    expect(problem.evidence).toContain('AccessDenied');
  });
});
