// Reads the browsers' machine policies: JSON files on Linux, the registry on Windows,
// policies.json for Firefox. Read-only.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadRegistry, RegistryValue } from '../platform/windowsHelper.ts';
import { readRegistry } from '../platform/windowsHelper.ts';
import { parseJsonObject } from '../shared/json.ts';
import { browserNames, type BrowserName } from './lists.ts';

export interface FoundPolicies {
  readonly browser: BrowserName;
  /** The file or registry key. */
  readonly source: string;
  /** By policy name. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PolicyPlaces {
  readonly platform: NodeJS.Platform;
  readonly registry?: ReadRegistry;
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
};
export const registryKeys: readonly (readonly [BrowserName, string])[] = [
  ['Chrome', 'Google\\Chrome'],
  ['Chromium', 'Chromium'],
  ['Edge', 'Microsoft\\Edge'],
  ['Firefox', 'Mozilla\\Firefox'],
];

/**
 * Browsers with any policy, and the values in effect. Where two places set the same policy, a browser uses one of them and
 * does not merge lists (chrome://policy reports a conflict).
 */
export async function readBrowserPolicies({
  platform,
  registry = readRegistry,
  root = '',
}: PolicyPlaces): Promise<FoundPolicies[]> {
  const files = await Promise.all(
    (firefoxFiles[platform] ?? []).map((path) => fromFirefoxFile(`${root}${path}`)),
  );
  // Lowest precedence first.
  const firefox = platform === 'linux' ? (files.find(({ length }) => length > 0) ?? []) : files.flat();
  const others =
    platform === 'win32'
      ? ['HKCU', 'HKLM'].flatMap((hive) => registryKeys.map((one) => fromRegistry(hive, one, registry)))
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

/** Empty when the text is not a JSON object. */
async function fromJson(
  browser: BrowserName,
  source: string,
  text: Promise<string>,
): Promise<FoundPolicies[]> {
  const values = parseJsonObject(await text.catch(() => ''));
  return values === null ? [] : [{ browser, source, values }];
}

/** The last name wins (Chromium, components/policy/core/common/config_dir_policy_loader.cc). */
async function fromFolder(browser: BrowserName, folder: string): Promise<FoundPolicies[]> {
  const paths = (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name));
  const found = paths.map((path) => fromJson(browser, path, readFile(path, 'utf8')));
  return (await Promise.all(found)).flat();
}

async function fromFirefoxFile(path: string): Promise<FoundPolicies[]> {
  const found = await fromJson('Firefox', path, readFile(path, 'utf8'));
  return found.flatMap(({ values: { policies }, ...more }) =>
    typeof policies === 'object' && policies !== null ? [{ ...more, values: { ...policies } }] : [],
  );
}

async function fromRegistry(
  hive: string,
  [browser, path]: readonly [BrowserName, string],
  registry: ReadRegistry,
): Promise<FoundPolicies[]> {
  const source = `${hive}\\SOFTWARE\\Policies\\${path}`;
  const values = asPolicies((await registry(source).catch(() => null)) ?? []);
  return Object.keys(values).length === 0 ? [] : [{ browser, source, values }];
}

type Value = string | number | ValueTree;
class ValueTree extends Map<string, Value> {}

/** A subkey with values 1, 2, 3 is a list, any other an object. */
export function asPolicies(found: readonly RegistryValue[]): Record<string, unknown> {
  const root = new ValueTree();
  for (const { key: subkey, name, data } of found) {
    let at = root;
    for (const part of subkey.split('\\').filter((one) => one !== '')) {
      const below = at.get(part);
      const next = below instanceof ValueTree ? below : new ValueTree();
      at.set(part, next);
      at = next;
    }
    at.set(name, typeof data === 'number' ? data : String(data));
  }
  return Object.fromEntries([...root].map(([name, value]) => [name, plain(value)]));
}

function plain(value: Value): unknown {
  if (!(value instanceof ValueTree)) return value;
  const entries = [...value].map(([name, below]) => [name, plain(below)] as const);
  const isList = entries.every(([name]) => /^\d+$/.test(name));
  return isList ? entries.map(([, below]) => below) : Object.fromEntries(entries);
}
