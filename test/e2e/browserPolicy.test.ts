// `sightline browser-policy` as the built program, and Chromium itself as the judge of what it wrote: chrome://policy.
// Both run with an /etc of their own over the machine's, and as root, who alone may write there.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../rig/browser.ts';
import { needsLinux, needsRoot, orLeftOut } from '../rig/leftOut.ts';
import { asSeenBy, withOwnEtc } from '../rig/mount.ts';
import { endWithUs } from '../rig/process.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
const MANAGED = '/etc/chromium/policies/managed';
const LIST = 'LoopbackNetworkAllowedForUrls';
const places = [
  '/etc/opt/chrome',
  '/etc/chromium/policies',
  '/etc/opt/edge',
  '/etc/firefox',
  '/etc/sightline',
];
const taken = places.find((path) => existsSync(path));
const why = needsLinux ?? needsRoot ?? (taken === undefined ? null : `${taken} exists`);
const domain = 'acme.my.connect.aws';

/** Words that run a program with the /etc of the process `holder`. */
let inOwnEtc: readonly string[] = [];
let holder = 0;
const seen = (path: string): string => asSeenBy(holder, path);

function run(mode: string, ...flags: string[]) {
  const [command, ...words] = [...inOwnEtc, process.execPath, program, 'browser-policy', mode];
  const { status, stdout, stderr } = spawnSync(
    command,
    [...words, '--allowed-domains', `${domain}, second.example`, ...flags],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

/** What chrome://policy says of our list: the text of its row. */
async function seenByChromium(): Promise<string> {
  // No name but this machine's can be found out, and nothing is asked in the background.
  const browser = await startBrowser({
    wrapper: inOwnEtc,
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  try {
    const page = await browser.newPage('chrome://policy');
    // Playwright finds it through the shadow roots by itself; its words are in one of its own.
    const row = page.locator('policy-row').filter({ has: page.getByText(LIST, { exact: true }) });
    await row.first().waitFor({ state: 'attached' });
    const text = await row.first().evaluate((element: unknown) => {
      const { children } = (
        element as { shadowRoot: { children: { innerText?: string; textContent: string }[] } }
      ).shadowRoot;
      return [...children].map((one) => one.innerText ?? one.textContent).join(' ');
    });
    return text.replaceAll(/\s+/g, ' ');
  } finally {
    await browser.stop();
  }
}

describe.skipIf(why !== null)(orLeftOut('browser-policy', why), () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sightline-etc-'));
    const [command, ...words] = [...withOwnEtc(folder), 'sh', '-c', 'echo; exec sleep infinity'];
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    endWithUs(child);
    await once(child.stdout, 'data');
    holder = child.pid ?? 0;
    inOwnEtc = ['nsenter', `--mount=/proc/${holder}/ns/mnt`, '--'];
  });
  afterAll(async () => {
    process.kill(holder);
    inOwnEtc = [];
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    run('--remove');
    // Nothing of it reached the machine's own.
    expect(places.filter((path) => existsSync(path))).toEqual([]);
    for (const path of places) await rm(seen(path), { recursive: true, force: true });
  });

  it('is taken up by Chromium, and is gone after --remove', async () => {
    const before = run('--check');
    expect(before.status).toBe(1);
    expect(before.stdout).toContain(`Chromium  ${domain}  asks the agent  (no policy)`);
    expect(await seenByChromium()).toContain('Not set');

    const applied = run('--apply');
    expect(applied).toMatchObject({ status: 0, stderr: '' });
    expect(applied.stdout).toContain(`Chromium: added https://${domain} to ${MANAGED}/sightline.json`);
    const shown = await seenByChromium();
    expect(shown).toContain(`https://${domain}`);
    expect(shown).toContain('https://second.example');
    expect(shown).toMatch(/Platform.*Machine.*Mandatory.*OK/);
    expect(run('--check')).toMatchObject({ status: 0 });

    expect(run('--remove').stdout).toContain(`Chromium: removed https://${domain}`);
    expect(await seenByChromium()).toContain('Not set');
    expect(run('--remove').stdout).toBe('nothing to remove\n');
  });

  it('is judged as Chromium judges it where several files set the list, whatever their names end in', async () => {
    await mkdir(seen(MANAGED), { recursive: true });
    await writeFile(
      seen(join(MANAGED, 'other.json')),
      JSON.stringify({ [LIST]: ['https://intranet.example'] }),
    );
    run('--apply');
    const merged = await seenByChromium();
    expect(merged).toContain('https://intranet.example');
    expect(merged).toContain(`https://${domain}`);
    expect(merged).not.toContain('Conflict');
    // The last one by name is the one that counts.
    await writeFile(seen(join(MANAGED, 'zzz.txt')), JSON.stringify({ [LIST]: ['https://last.example'] }));
    const overridden = await seenByChromium();
    expect(overridden).toContain('https://last.example');
    expect(overridden).toContain('Conflict');
    const { status, stdout } = run('--check', '--json');
    expect(status).toBe(1);
    const { covered, browsers } = JSON.parse(stdout) as {
      covered: boolean;
      browsers: { browser: string; domains: { domain: string; say: string }[] }[];
    };
    expect(covered).toBe(false);
    expect(browsers.map(({ browser, domains }) => [browser, domains[0]?.say])).toEqual([
      ['Chrome', 'allowed'],
      ['Chromium', 'asked'],
      ['Edge', 'allowed'],
      ['Firefox', 'allowed'],
    ]);
  });
});

describe('browser-policy', () => {
  it('prints what a platform wants, and writes nothing', () => {
    expect(run('--print', '--for', 'linux').stdout).toContain(
      '# Edge: /etc/opt/edge/policies/managed/sightline.json',
    );
    const windows = run('--print', '--for', 'windows').stdout;
    expect(windows).toContain(
      `reg add "HKLM\\SOFTWARE\\Policies\\Microsoft\\Edge\\${LIST}" /v 54311 /t REG_SZ /d "https://${domain}" /f\r\n`,
    );
    expect(windows).toContain('Mozilla\\Firefox\\LocalNetworkAccess\\SkipDomains" /v 54312');
    expect(windows).not.toContain('LocalNetworkAccessAllowedForUrls');
    expect(run('--print', '--older').stdout).toContain('LocalNetworkAccessAllowedForUrls');
  });

  it('needs one mode, and domains', () => {
    expect(run('--print', '--apply')).toMatchObject({ status: 64, stdout: '' });
    const none = spawnSync(process.execPath, [program, 'browser-policy', '--apply'], { encoding: 'utf8' });
    expect(none.status).toBe(64);
    expect(none.stderr).toContain('"allowedDomains" is empty');
  });
});
