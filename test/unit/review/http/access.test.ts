// Who may do what, and for how long: grants, the access file, links and sessions, with times that the test decides.
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../main/platform/log.ts';
import { AccessFile, addKey } from '../../../../review/server/http/accessFile.ts';
import { highestRole, scopeOf, type Grants } from '../../../../review/server/http/grants.ts';
import { limitKey } from '../../../../review/server/http/limits.ts';
import { LINK_LIFETIME_MS, OneTimeLinks } from '../../../../review/server/http/oneTimeLinks.ts';
import { Sessions } from '../../../../review/server/http/sessions.ts';

it('a role counts for its own part of the library', () => {
  const grants: Grants = [
    { role: 'viewer', prefixes: ['a/', 'b/'] },
    { role: 'downloader', prefixes: ['c/'] },
  ];
  expect(highestRole(grants)).toBe('downloader');
  expect(scopeOf(grants, 'viewer')).toEqual(['a/', 'b/', 'c/']);
  expect(scopeOf(grants, 'downloader')).toEqual(['c/']);
  expect(scopeOf(grants, 'admin')).toEqual([]);
  expect(highestRole([])).toBeNull();
});

it('a link works once and for five minutes', () => {
  let now = 0;
  const links = new OneTimeLinks(() => now);
  const [first, late] = [links.make(), links.make()];
  expect(first).toMatch(/^[\w-]{43}$/);
  expect([links.use(first), links.use(first), links.use('')]).toEqual([true, false, false]);
  now = LINK_LIFETIME_MS;
  expect(links.use(late)).toBe(false);
});

describe('sessions', () => {
  const limits = { idleMs: 100, absoluteMs: 1000, perUser: 2, total: 3 };

  it('end by idleness, by age, and for room; whoever used one last keeps it', () => {
    let now = 0;
    const sessions = new Sessions(limits, () => now);
    const first = sessions.create('a', null)!;
    now = 99;
    expect(sessions.find(first.token)).not.toBeNull();
    const second = sessions.create('a', null)!;
    now = 150;
    expect(sessions.find(first.token)?.user).toBe('a');
    const third = sessions.create('a', null)!;
    expect(sessions.find(second.token)).toBeNull();
    expect(second.session.ended.aborted).toBe(true);
    for (; now < 1000; now += 90) sessions.find(first.token);
    now = 1000;
    expect(sessions.find(first.token)).toBeNull();
    expect(sessions.find(third.token)).toBeNull();
  });

  it('of all users are limited, and a proxy’s user has one', () => {
    const sessions = new Sessions(limits, () => 0);
    for (const user of ['a', 'b', 'c']) expect(sessions.ofProxyUser(user)?.isNew).toBe(true);
    expect(sessions.ofProxyUser('a')?.isNew).toBe(false);
    expect(sessions.ofProxyUser('d')).toBeNull();
    expect(sessions.create('d', null)).toBeNull();
  });

  it('a cookie is no name of a proxy’s user', () => {
    const sessions = new Sessions(limits, () => 0);
    sessions.ofProxyUser('root');
    expect(sessions.find('root')).toBeNull();
  });
});

describe('the access file', () => {
  let folder: string;
  const path = (): string => join(folder, 'access.json');
  const save = async (content: unknown): Promise<void> => {
    await writeFile(`${path()}.new`, typeof content === 'string' ? content : JSON.stringify(content), {
      mode: 0o600,
    });
    await rename(`${path()}.new`, path());
  };
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'sightline-access-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is read again when it has changed, and an invalid one changes nothing', async () => {
    await save({ access: [{ user: 'a', role: 'viewer' }] });
    const access = await AccessFile.open(path(), silentLogger);
    expect(access.grantsOf('a', [])).toEqual([{ role: 'viewer', prefixes: [''] }]);
    await save({ access: [{ group: 'g', role: 'downloader', prefixes: ['x/'] }] });
    await access.refresh();
    expect([access.grantsOf('a', []), access.grantsOf('g', []), access.grantsOf('a', ['g'])]).toEqual([
      ...[[], []],
      [{ role: 'downloader', prefixes: ['x/'] }],
    ]);
    for (const invalid of [
      '',
      '[]',
      '{"access":1}',
      { access: [], more: 1 },
      { access: [{ user: 'a', group: 'b', role: 'viewer' }] },
    ]) {
      await save(invalid);
      await access.refresh();
      expect(access.grantsOf('a', ['g'])).toHaveLength(1);
    }
    await rm(path());
    await access.refresh();
    expect(access.grantsOf('a', ['g'])).toHaveLength(1);
  });

  it.skipIf(process.platform === 'win32')('that others may change is refused', async () => {
    await save({ access: [] });
    await chmod(path(), 0o620);
    await expect(AccessFile.open(path(), silentLogger)).rejects.toThrow('can be changed by other users');
  });

  it('has hashes of keys, which end', async () => {
    await save({ access: [{ user: 'kay', role: 'viewer' }] });
    expect(await addKey(path(), 'kay', 'one')).toEqual({ hasAccess: true });
    expect(await addKey(path(), 'stranger', 'two')).toEqual({ hasAccess: false });
    const access = await AccessFile.open(path(), silentLogger);
    const found = access.userOfKey('one')!;
    expect(found.user).toBe('kay');
    expect([access.userOfKey('other'), access.hasKey('stranger', found.sha256)]).toEqual([null, false]);
    await save({
      access: [],
      keys: [{ user: 'kay', sha256: found.sha256, expires: '2026-01-01T00:00:00Z' }],
    });
    await access.refresh();
    expect([
      access.userOfKey('one', Date.parse('2025-12-31')),
      access.userOfKey('one', Date.parse('2026-01-02')),
    ]).toEqual([expect.objectContaining({ user: 'kay' }), null]);
  });
});

it('limits count a customer’s network of IPv6 as one', () => {
  expect(limitKey('2001:db8:1:2:aaaa::1')).toBe(limitKey('2001:db8:1:2:bbbb::2'));
  expect(limitKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
});
