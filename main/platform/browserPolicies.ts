// The machine policies of the browsers, where each of them reads its own: folders of JSON on Linux, the registry on
// Windows, managed preferences on macOS, policies.json for Firefox. Only reads.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTool } from './runTool.ts';

export type BrowserName = 'Chrome' | 'Chromium' | 'Edge' | 'Firefox';

export interface FoundPolicies {
  readonly browser: BrowserName;
  readonly source: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PolicyPlaces {
  readonly platform: NodeJS.Platform;
  readonly run: RunTool;
  /** In front of every path; for tests. */
  readonly root?: string;
}

/** Every file in them counts, whatever its name. */
export const linuxFolders: readonly (readonly [BrowserName, string])[] = [
  ['Chrome', '/etc/opt/chrome/policies/managed'],
  ['Chromium', '/etc/chromium/policies/managed'],
  ['Edge', '/etc/opt/edge/policies/managed'],
];
/** The system-wide one first: where it is there, Firefox on Linux does not look at the others. */
export const firefoxFiles: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    '/etc/firefox/policies/policies.json',
    '/usr/lib/firefox/distribution/policies.json',
    '/usr/lib/firefox-esr/distribution/policies.json',
    '/opt/firefox/distribution/policies.json',
  ],
  win32: ['C:\\Program Files\\Mozilla Firefox\\distribution\\policies.json'],
  darwin: ['/Applications/Firefox.app/Contents/Resources/distribution/policies.json'],
};
export const registryKeys: readonly (readonly [BrowserName, string])[] = [
  ['Chrome', 'Google\\Chrome'],
  ['Chromium', 'Chromium'],
  ['Edge', 'Microsoft\\Edge'],
  ['Firefox', 'Mozilla\\Firefox'],
];
const macPreferences: readonly (readonly [BrowserName, string])[] = [
  ['Chrome', 'com.google.Chrome'],
  ['Edge', 'com.microsoft.Edge'],
  ['Firefox', 'org.mozilla.firefox'],
];

/** The browsers that each platform has. */
export function browsersOf(platform: NodeJS.Platform): readonly BrowserName[] {
  return platform === 'linux' ? ['Chrome', 'Chromium', 'Edge', 'Firefox'] : ['Chrome', 'Edge', 'Firefox'];
}

/**
 * Only browsers that have any policy, and only what counts: where two places of one browser set the same policy, the
 * browser goes by one of them and does not join their lists (chrome://policy calls the other a conflict).
 */
export async function readBrowserPolicies(places: PolicyPlaces): Promise<FoundPolicies[]> {
  const { platform, root = '' } = places;
  const files = await Promise.all(
    (firefoxFiles[platform] ?? []).map((path) => fromFirefoxFile(`${root}${path}`)),
  );
  // The weakest first.
  const firefox = platform === 'linux' ? (files.find(({ length }) => length > 0) ?? []) : files.flat();
  const others =
    platform === 'win32'
      ? ['HKCU', 'HKLM'].flatMap((hive) => registryKeys.map((one) => fromRegistry(hive, one, places.run)))
      : platform === 'darwin'
        ? macPreferences.map((one) => fromPreferences(one, places.run))
        : linuxFolders.map(([browser, folder]) => fromFolder(browser, `${root}${folder}`));
  return whatCounts([...firefox, ...(await Promise.all(others)).flat()]);
}

/** @param found the weakest first */
function whatCounts(found: readonly FoundPolicies[]): FoundPolicies[] {
  const stronger = new Set<string>();
  const order: readonly BrowserName[] = ['Chrome', 'Chromium', 'Edge', 'Firefox'];
  const counted = [...found].reverse().map(({ browser, source, values }) => {
    const kept = Object.entries(values).filter(([name]) => !stronger.has(`${browser} ${name}`));
    for (const [name] of kept) stronger.add(`${browser} ${name}`);
    return { browser, source, values: Object.fromEntries(kept) };
  });
  return counted.sort((one, other) => order.indexOf(one.browser) - order.indexOf(other.browser));
}

/** The last by name is the strongest (Chromium, components/policy/core/common/config_dir_policy_loader.cc). */
async function fromFolder(browser: BrowserName, folder: string): Promise<FoundPolicies[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const found = await Promise.all(
    names.map(async (name) => {
      const source = join(folder, name);
      const values = objectIn(await readFile(source, 'utf8').catch(() => ''));
      return values === null ? [] : [{ browser, source, values }];
    }),
  );
  return found.flat();
}

async function fromFirefoxFile(source: string): Promise<FoundPolicies[]> {
  const values = objectIn(await readFile(source, 'utf8').catch(() => ''))?.policies;
  return typeof values === 'object' && values !== null
    ? [{ browser: 'Firefox', source, values: values as Record<string, unknown> }]
    : [];
}

async function fromPreferences(
  [browser, name]: readonly [BrowserName, string],
  run: RunTool,
): Promise<FoundPolicies[]> {
  const source = `/Library/Managed Preferences/${name}.plist`;
  const values = objectIn(await run('plutil', ['-convert', 'json', '-o', '-', source]).catch(() => ''));
  return values === null ? [] : [{ browser, source, values }];
}

async function fromRegistry(
  hive: string,
  [browser, path]: readonly [BrowserName, string],
  run: RunTool,
): Promise<FoundPolicies[]> {
  const source = `${hive}\\SOFTWARE\\Policies\\${path}`;
  const values = parseRegistry(await run('reg', ['query', source, '/s']).catch(() => ''), source);
  return Object.keys(values).length === 0 ? [] : [{ browser, source, values }];
}

const hives: Readonly<Record<string, string>> = { HKLM: 'HKEY_LOCAL_MACHINE', HKCU: 'HKEY_CURRENT_USER' };

/**
 * What `reg query KEY /s` prints. A key below that holds values 1, 2, 3 is a list; any other an object.
 *
 * @param under the key that was asked for
 */
export function parseRegistry(output: string, under: string): Record<string, unknown> {
  const [hive = '', ...rest] = under.split('\\');
  const base = [hives[hive] ?? hive, ...rest].join('\\').toLowerCase();
  const byKey = new Map<string, Map<string, unknown>>();
  let key = '';
  for (const line of output.split(/\r?\n/)) {
    const value = /^ {4}(.+?) {4}(REG_\w+)(?: {4}(.*))?$/.exec(line);
    if (value === null) {
      if (line.toLowerCase().startsWith(base)) key = line.trim().slice(base.length + 1);
      continue;
    }
    const [, name = '', type = '', data = ''] = value;
    const values = byKey.get(key) ?? new Map<string, unknown>();
    values.set(name, type === 'REG_DWORD' ? Number.parseInt(data, 16) : data);
    byKey.set(key, values);
  }
  const found: Record<string, unknown> = {};
  // Shorter keys first: a key may hold values and keys.
  for (const [path, values] of [...byKey].sort(([a], [b]) => a.length - b.length)) {
    put(found, path === '' ? [] : path.split('\\'), values);
  }
  return found;
}

function put(
  into: Record<string, unknown>,
  path: readonly string[],
  values: ReadonlyMap<string, unknown>,
): void {
  const [name, ...rest] = path;
  if (name === undefined) {
    Object.assign(into, Object.fromEntries(values));
  } else if (rest.length === 0 && [...values.keys()].every((one) => /^\d+$/.test(one))) {
    into[name] = [...values.values()];
  } else {
    const below = into[name];
    const next = typeof below === 'object' && below !== null ? (below as Record<string, unknown>) : {};
    into[name] = next;
    put(next, rest, values);
  }
}

export function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
