// The machine's policy in the Windows registry, read with `reg query` (no native code). GPO, Intune and the installer
// write it; users may read HKCU's policy keys, too, but not write them. Whatever cannot be read for sure is an error.

import type { RunTool } from '../platform/runTool.ts';
import type { PolicyLayer } from './load.ts';
import { PolicyError } from './load.ts';
import { policyKeyNames } from './keys.ts';

/** Without its hive. */
export const REGISTRY_KEY = 'SOFTWARE\\Policies\\Sightline';

const hives = { HKLM: 'HKEY_LOCAL_MACHINE', HKCU: 'HKEY_CURRENT_USER' } as const;
type Hive = keyof typeof hives;

/** HKLM before HKCU. @throws PolicyError */
export async function readRegistryPolicy(run: RunTool): Promise<PolicyLayer[]> {
  const found = await Promise.all([readHive('HKLM', run), readHive('HKCU', run)]);
  return found.flatMap((layer) => layer ?? []);
}

async function readHive(hive: Hive, run: RunTool): Promise<PolicyLayer | null> {
  const place = `${hive}\\${REGISTRY_KEY}`;
  let output: string;
  try {
    output = await run('reg', ['query', place, '/s', '/reg:64']);
  } catch (error) {
    if (await isAbsent(place, error, run)) return null;
    throw new PolicyError([`The machine policy ${place} cannot be read: ${wordsOf(error)}`]);
  }
  return { source: hive, place, loose: true, values: parseRegistryPolicy(output, place) };
}

/**
 * `reg` says "there is no such key" and "you may not read it" by the same exit code, and in the language of Windows. So
 * the key above is asked for its keys.
 */
async function isAbsent(key: string, error: unknown, run: RunTool): Promise<boolean> {
  const parent = key.slice(0, key.lastIndexOf('\\'));
  if (codeOf(error) !== 1 || parent === '' || parent === key) return false;
  try {
    const output = await run('reg', ['query', parent, '/reg:64']);
    return !output.split(/\r?\n/).some((line) => line.trim().toLowerCase() === longName(key));
  } catch (above) {
    return parent.includes('\\') && isAbsent(parent, above, run);
  }
}

function longName(key: string): string {
  const [hive = '', ...rest] = key.split('\\');
  return [hives[hive as Hive], ...rest].join('\\').toLowerCase();
}

/**
 * What `reg query KEY /s` prints. Names of values are compared without case, as the registry does. A list is one text
 * (REG_SZ), several (REG_MULTI_SZ), or a key below of the list's name, with a value for each entry (group policy's way),
 * which is taken before a value of that name.
 *
 * @param place the key that was asked for
 * @throws PolicyError names values of a type that no policy key has
 */
export function parseRegistryPolicy(output: string, place: string): Record<string, unknown> {
  const base = longName(place);
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const lists: Record<string, [order: string, text: string][]> = {};
  let below: string | null = null;
  for (const line of output.split(/\r?\n/)) {
    const match = /^ {4}(.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line);
    if (match === null) {
      const key = line.trim().toLowerCase();
      if (key === base) below = null;
      else if (key.startsWith(`${base}\\`)) below = line.trim().slice(base.length + 1);
      continue;
    }
    const [, name = '', type = '', data = ''] = match;
    const read = dataOf(type, data);
    if ('problem' in read) {
      // The key's own value has no name of ours, and is not set as a rule.
      if (isOurs(below ?? name))
        problems.push(`The machine policy ${place} "${below ?? name}": ${read.problem}`);
    } else if (below !== null) {
      (lists[nameOf(below)] ??= []).push([name, textOf(read.value)]);
    } else if (isOurs(name) || !/^\(.*\)$/.test(name)) {
      values[nameOf(name)] = read.value;
    }
  }
  if (problems.length > 0) throw new PolicyError(problems);
  const sorted = Object.entries(lists).map(
    ([name, entries]) =>
      [
        name,
        entries.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })).map(([, text]) => text),
      ] as const,
  );
  return { ...values, ...Object.fromEntries(sorted) };
}

type Read = { readonly value: unknown } | { readonly problem: string };

function dataOf(type: string, data: string): Read {
  // reg prints in the console's code page, Node reads UTF-8: letters outside ASCII do not come through whole.
  if (data.includes('\uFFFD'))
    return { problem: 'letters outside ASCII cannot be read from the registry; use others' };
  switch (type) {
    case 'REG_DWORD':
    case 'REG_QWORD':
      return { value: Number(data) };
    case 'REG_SZ':
      return { value: data };
    case 'REG_EXPAND_SZ':
      // A user sets what %NAME% stands for, and would so change what the machine's policy says.
      return /%[^%]+%/.test(data)
        ? { problem: `${data} depends on the environment; write it out` }
        : { value: data };
    case 'REG_MULTI_SZ':
      return { value: data === '' ? [] : data.replace(/(?:\\0)+$/, '').split('\\0') };
    default:
      return { problem: `the type ${type} is not understood; use REG_SZ, REG_DWORD or REG_MULTI_SZ` };
  }
}

const known = new Map<string, string>(policyKeyNames.map((name) => [name.toLowerCase(), name]));

function isOurs(name: string): boolean {
  return known.has(name.toLowerCase());
}

function nameOf(name: string): string {
  return known.get(name.toLowerCase()) ?? name;
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
