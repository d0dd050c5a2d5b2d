// Reads the browsers' machine policies: JSON files on Linux, the registry on Windows, managed preferences on macOS,
// policies.json for Firefox. Read-only.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRegQuery } from '../platform/regQuery.ts';
import type { RunTool } from '../platform/runTool.ts';
import { parseJsonObject } from '../shared/json.ts';
import type { BrowserName } from './lists.ts';
import { browserNames } from './lists.ts';

export interface FoundPolicies {
  readonly browser: BrowserName;
  /** The file or registry key. */
  readonly source: string;
  /** By policy name. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PolicyPlaces {
  readonly platform: NodeJS.Platform;
  readonly run: RunTool;
  /** Prefix of every path; for tests. */
  readonly root?: string;
}

/** Browsers read every file in these folders. */
export const linuxFolders: readonly (readonly [BrowserName, string])[] = [
  ['Chrome', '/etc/opt/chrome/policies/managed'],
  ['Chromium', '/etc/chromium/policies/managed'],
  ['Edge', '/etc/opt/edge/policies/managed'],
];
/** System-wide first: when it exists, Firefox on Linux ignores the others. */
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

/**
 * Browsers with any policy, and the values in effect. Where two places set the same policy, a browser uses one of them and
 * does not merge lists (chrome://policy reports a conflict).
 */
export async function readBrowserPolicies(places: PolicyPlaces): Promise<FoundPolicies[]> {
  const { platform, root = '' } = places;
  const files = await Promise.all(
    (firefoxFiles[platform] ?? []).map((path) => fromFirefoxFile(`${root}${path}`)),
  );
  // Lowest precedence first.
  const firefox = platform === 'linux' ? (files.find(({ length }) => length > 0) ?? []) : files.flat();
  const others =
    platform === 'win32'
      ? ['HKCU', 'HKLM'].flatMap((hive) => registryKeys.map((one) => fromRegistry(hive, one, places.run)))
      : platform === 'darwin'
        ? macPreferences.map((one) => fromPreferences(one, places.run))
        : linuxFolders.map(([browser, folder]) => fromFolder(browser, `${root}${folder}`));
  return inEffect([...firefox, ...(await Promise.all(others)).flat()]);
}

/** @param found lowest precedence first */
function inEffect(found: readonly FoundPolicies[]): FoundPolicies[] {
  const seen = new Set<string>();
  const reduced = [...found].reverse().map(({ browser, source, values }) => {
    const kept = Object.entries(values).filter(([name]) => !seen.has(`${browser} ${name}`));
    for (const [name] of kept) seen.add(`${browser} ${name}`);
    return { browser, source, values: Object.fromEntries(kept) };
  });
  return reduced.sort((a, b) => browserNames.indexOf(a.browser) - browserNames.indexOf(b.browser));
}

/** The last name wins (Chromium, components/policy/core/common/config_dir_policy_loader.cc). */
async function fromFolder(browser: BrowserName, folder: string): Promise<FoundPolicies[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const found = await Promise.all(
    names.map(async (name) => {
      const source = join(folder, name);
      const values = parseJsonObject(await readFile(source, 'utf8').catch(() => ''));
      return values === null ? [] : [{ browser, source, values }];
    }),
  );
  return found.flat();
}

async function fromFirefoxFile(source: string): Promise<FoundPolicies[]> {
  const values = parseJsonObject(await readFile(source, 'utf8').catch(() => ''))?.policies;
  return typeof values === 'object' && values !== null
    ? [{ browser: 'Firefox', source, values: values as Record<string, unknown> }]
    : [];
}

async function fromPreferences(
  [browser, name]: readonly [BrowserName, string],
  run: RunTool,
): Promise<FoundPolicies[]> {
  const source = `/Library/Managed Preferences/${name}.plist`;
  const values = parseJsonObject(
    await run('plutil', ['-convert', 'json', '-o', '-', source]).catch(() => ''),
  );
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

/** Output of `reg query KEY /s`. A subkey with values 1, 2, 3 is a list, any other an object. */
export function parseRegistry(output: string, key: string): Record<string, unknown> {
  const bySubkey = new Map<string, Map<string, unknown>>();
  for (const { subkey, name, type, data } of parseRegQuery(output, key)) {
    const values = bySubkey.get(subkey) ?? new Map<string, unknown>();
    bySubkey.set(subkey, values.set(name, type === 'REG_DWORD' ? Number.parseInt(data, 16) : data));
  }
  const found: Record<string, unknown> = {};
  // Short paths first: a key can have both values and subkeys.
  for (const [path, values] of [...bySubkey].sort(([a], [b]) => a.length - b.length)) {
    put(found, path === '' ? [] : path.split('\\'), values);
  }
  return found;
}

function put(
  into: Record<string, unknown>,
  [name, ...rest]: readonly string[],
  values: ReadonlyMap<string, unknown>,
): void {
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
