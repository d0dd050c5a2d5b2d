// The browsers' machine policies on Linux, written into real folders beside what others have put there.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coverageOf } from '../../../main/browserPolicy/coverage.ts';
import { readBrowserPolicies } from '../../../main/browserPolicy/read.ts';
import { writePolicyFiles } from '../../../main/browserPolicy/files.ts';
import { wantedLists } from '../../../main/browserPolicy/lists.ts';
import { temporaryFolder } from '../support/folders.ts';
import { needsRoot, orLeftOut } from '../../rig/leftOut.ts';

const CHROME = 'etc/opt/chrome/policies/managed';
const FIREFOX = 'etc/firefox/policies/policies.json';
const LIST = 'LoopbackNetworkAllowedForUrls';
const domain = 'acme.my.connect.aws';

async function put(root: string, path: string, content: unknown): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const read = async (root: string, path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(root, path), 'utf8'));
const files = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((one) => !one.isDirectory())
    .map((one) => join(one.parentPath, one.name).slice(root.length + 1))
    .sort();
const apply = (root: string, domains: readonly string[], older = false) =>
  writePolicyFiles(wantedLists('linux', domains, older), root);
const remove = (root: string) => writePolicyFiles(wantedLists('linux', [], false), root);
const covered = async (root: string) =>
  coverageOf([domain], await readBrowserPolicies({ platform: 'linux', root })).map(
    ({ browser, domains }) => `${browser} ${domains[0]!.access}`,
  );

describe('browser policy files', () => {
  it('are made for all browsers, readable for all users, and gone again', async () => {
    const root = await temporaryFolder();
    const umask = process.umask(0o077);
    try {
      expect((await apply(root, [domain])).map(({ browser }) => browser)).toEqual([
        'Chrome',
        'Chromium',
        'Edge',
        'Firefox',
      ]);
    } finally {
      process.umask(umask);
    }
    expect(await read(root, `${CHROME}/sightline.json`)).toEqual({ [LIST]: [`https://${domain}`] });
    expect(await read(root, FIREFOX)).toEqual({
      policies: { LocalNetworkAccess: { SkipDomains: [domain] } },
    });
    expect((await stat(join(root, CHROME, 'sightline.json'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(root, CHROME))).mode & 0o777).toBe(0o755);
    expect((await stat(join(root, 'etc/opt'))).mode & 0o777).toBe(0o755);
    expect((await covered(root)).sort()).toEqual([
      'Chrome allowed',
      'Chromium allowed',
      'Edge allowed',
      'Firefox allowed',
    ]);
    expect(await apply(root, [domain])).toEqual([]);
    await remove(root);
    expect(await readdir(root)).toEqual([]);
    expect(await remove(root)).toEqual([]);
  });

  it('follow the list of domains, and leave what others put there', async () => {
    const root = await temporaryFolder();
    const theirs = {
      policies: { DisableTelemetry: true, LocalNetworkAccess: { SkipDomains: ['intranet'] } },
    };
    const file = await put(root, FIREFOX, theirs);
    await chmod(file, 0o664);
    await apply(root, [domain, 'old.example', 'intranet'], true);
    await apply(root, [domain, 'intranet']);
    expect(await read(root, FIREFOX)).toEqual({
      policies: { DisableTelemetry: true, LocalNetworkAccess: { SkipDomains: ['intranet', domain] } },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o664);
    // --older was not asked for any more.
    expect(await read(root, `${CHROME}/sightline.json`)).toEqual({
      [LIST]: [`https://${domain}`, 'https://intranet'],
    });
    await remove(root);
    expect(await read(root, FIREFOX)).toEqual(theirs);
    expect(await files(root)).toEqual([FIREFOX]);
  });

  it('that others made with the same list are added to: the browser goes by one of them', async () => {
    const root = await temporaryFolder();
    await apply(root, [domain]);
    // Somebody else's comes later; by its name it is weaker than ours.
    await put(root, `${CHROME}/intranet.json`, { [LIST]: ['https://intranet'], HomepageLocation: 'x' });
    await put(root, `${CHROME}/aaa.json`, { [LIST]: ['https://forgotten'] });
    await apply(root, [domain]);
    expect(await read(root, `${CHROME}/intranet.json`)).toEqual({
      [LIST]: ['https://intranet', `https://${domain}`],
      HomepageLocation: 'x',
    });
    expect(await files(join(root, CHROME))).toEqual(['aaa.json', 'intranet.json']);
    expect(await covered(root)).toContain('Chrome allowed');
    await remove(root);
    expect(await files(root)).toEqual([`${CHROME}/aaa.json`, `${CHROME}/intranet.json`]);
    expect(await read(root, `${CHROME}/intranet.json`)).toEqual({
      [LIST]: ['https://intranet'],
      HomepageLocation: 'x',
    });
  });

  it('are told as not in force when a later file sets the same list', async () => {
    const root = await temporaryFolder();
    await apply(root, [domain]);
    await put(root, `${CHROME}/zzz.json`, { [LIST]: ['https://intranet'] });
    expect(await covered(root)).toContain('Chrome asked');
  });

  it('of a Firefox installation are used where it has one, because a system-wide one would hide them', async () => {
    const root = await temporaryFolder();
    const installed = 'usr/lib/firefox-esr/distribution/policies.json';
    await put(root, installed, { policies: { DisableTelemetry: true } });
    await apply(root, [domain]);
    expect(await read(root, installed)).toEqual({
      policies: { DisableTelemetry: true, LocalNetworkAccess: { SkipDomains: [domain] } },
    });
    expect(await files(root)).not.toContain(FIREFOX);
    expect(await covered(root)).toContain('Firefox allowed');
    // A system-wide one is put there later: what is ours moves to where it counts.
    await put(root, FIREFOX, { policies: {} });
    expect(await covered(root)).toContain('Firefox asked');
    await apply(root, [domain]);
    expect(await covered(root)).toContain('Firefox allowed');
    expect(await read(root, installed)).toEqual({ policies: { DisableTelemetry: true } });
  });

  it.each([
    ['broken', '{"policies":{'],
    ['no object', '[]'],
    ['of another form', '{"policies":{"LocalNetworkAccess":{"SkipDomains":"*"}}}'],
  ])('that are %s are left alone', async (_, text) => {
    const root = await temporaryFolder();
    const file = await put(root, FIREFOX, text);
    await expect(apply(root, [domain])).rejects.toMatchObject({ code: 'BROWSER_POLICY_NOT_WRITTEN' });
    expect(await readFile(file, 'utf8')).toBe(text);
    // What was done before it is known, and taken away.
    await writeFile(file, '{}');
    await remove(root);
    expect(await files(root)).toEqual([FIREFOX]);
  });

  it('without a record of what is ours are not touched', async () => {
    const root = await temporaryFolder();
    await apply(root, [domain]);
    await put(root, 'etc/sightline/browser-policy.json', 'broken');
    await expect(remove(root)).rejects.toMatchObject({ code: 'BROWSER_POLICY_NOT_WRITTEN' });
    expect(await read(root, `${CHROME}/sightline.json`)).toEqual({ [LIST]: [`https://${domain}`] });
  });

  it('that are links stay links, and what a power cut left of ours goes', async () => {
    const root = await temporaryFolder();
    const real = await put(root, 'srv/firefox.json', '{"policies":{}}');
    await mkdir(join(root, dirname(FIREFOX)), { recursive: true });
    await symlink(real, join(root, FIREFOX));
    await put(root, `${CHROME}/sightline.json.0123abcd.tmp`, '{');
    await apply(root, [domain]);
    expect(await read(root, 'srv/firefox.json')).toHaveProperty('policies.LocalNetworkAccess');
    expect(await files(join(root, CHROME))).toEqual(['sightline.json']);
    expect((await readdir(join(root, dirname(FIREFOX)), { withFileTypes: true }))[0]?.isSymbolicLink()).toBe(
      true,
    );
  });

  it.skipIf(needsRoot !== null)(orLeftOut('need root', needsRoot), async () => {
    const root = await temporaryFolder();
    const program = join(import.meta.dirname, '../../../main/browserPolicy/files.ts');
    const script = `
      process.setuid(65534);
      const { writePolicyFiles } = await import(${JSON.stringify(program)});
      await writePolicyFiles([{ browser: 'Chrome', path: ['L'], entries: ['x'] }], ${JSON.stringify(root)})
        .catch((error) => console.log(error.code, error.message));`;
    const said = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/^NEEDS_ADMINISTRATOR .* may be written by root only\. Run it with sudo/);
    expect(await files(root)).toEqual([]);
  });
});
