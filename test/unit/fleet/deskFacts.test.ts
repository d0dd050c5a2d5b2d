// What heartbeats are made of: the hash of a policy, the backlog, the latest checks, the id of a desk.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyHash } from '../../../main/policy/hash.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { backlogOf } from '../../../main/publisher/backlog.ts';
import { deskId } from '../../../main/fleet/fleet.ts';
import { readLastChecks, writeLastChecks } from '../../../main/fleet/lastChecks.ts';
import { temporaryFolder } from '../support/folders.ts';
import { bench } from '../support/publisher.ts';

describe('the hash of a policy', () => {
  const hashOf = (flags: Record<string, string>): string =>
    policyHash(loadPolicy({ machine: [], flags, environment: {} }).values);

  it('differs with a key that IT sets', () => {
    expect(hashOf({ fps: '7' })).not.toBe(hashOf({}));
  });

  it('is the same for users with other folders, settings of their own, or another password of the proxy', () => {
    expect(hashOf({ dataDir: '/home/bob/data', logLevel: 'debug', uploadLimitKbit: '9' })).toBe(hashOf({}));
    expect(hashOf({ proxyUrl: 'http://bob:one@proxy:3128' })).toBe(
      hashOf({ proxyUrl: 'http://al:two@proxy:3128' }),
    );
    expect(hashOf({ proxyUrl: 'http://proxy:3128' })).not.toBe(hashOf({ proxyUrl: 'http://other:3128' }));
  });
});

it('the id of a desk is what docs/status-events.md computes, whatever the case of the names', () => {
  // printf '%s' 'desk-042/alice' | sha256sum
  expect(deskId('DESK-042', 'Alice')).toBe('141279c36c7572f5');
});

it('the backlog counts a run of two contacts once, and knows the older one', async () => {
  const { session } = await bench(1, 'rec-1', 'rec-2');
  const waiting = (...ids: string[]) =>
    ids.map((recordingId) => ({ session, recordingId, queuedAt: 0, why: null }));
  const [one, both] = [backlogOf(waiting('rec-1')), backlogOf(waiting('rec-1', 'rec-2'))];
  const sizes = [...session.ledger.runs.values()].map(({ closed }) => closed?.sizeBytes ?? 0);
  expect(one.waitingBytes).toBeGreaterThan(0);
  expect(both).toEqual({
    waiting: 2,
    waitingBytes: sizes.reduce((sum, size) => sum + size, 0),
    oldest: Math.min(
      ...[...session.ledger.recordings.values()].map(({ stopped }) => stopped?.endTime ?? Infinity),
    ),
  });
  expect(backlogOf([])).toEqual({ waiting: 0, waitingBytes: 0, oldest: null });
});

describe('the latest checks', () => {
  const results = [
    { name: 'port', verdict: 'ok' },
    { name: 'sink bucket', verdict: 'failed', evidence: 's3://secret-bucket', remedy: '' },
  ] as const;

  it('are counts and names, without what was found', async () => {
    const folder = await temporaryFolder();
    await writeLastChecks(folder, results);
    expect(await readLastChecks(folder)).toMatchObject({
      ok: 1,
      failed: 1,
      warnings: 0,
      failing: ['sink bucket'],
    });
    expect(await readFile(join(folder, 'last-checks.json'), 'utf8')).not.toContain('secret');
  });

  it('are not written where there is no data folder', async () => {
    const folder = join(await temporaryFolder(), 'none');
    await writeLastChecks(folder, results);
    expect(await readLastChecks(folder)).toBeUndefined();
  });

  it.each([
    ['a huge file', 'x'.repeat(100_000)],
    ['text in the place of a name', checks({ failing: ['<a very long text>'.repeat(9)] })],
    ['thousands of names', checks({ failing: Array.from({ length: 300 }, () => 'port') })],
    ['no JSON', '{'],
  ])('are none where a program has written %s', async (_, text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'last-checks.json'), text);
    expect(await readLastChecks(folder)).toBeUndefined();
  });
});

function checks(change: object): string {
  const counts = { ok: 1, warnings: 0, failed: 0, skipped: 0 };
  return JSON.stringify({
    time: '2026-01-02T03:04:05.006Z',
    appVersion: '1',
    ...counts,
    failing: [],
    ...change,
  });
}
