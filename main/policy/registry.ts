// The machine policy in the Windows registry, written by group policy, Intune or the installer. Users can read HKCU's policy
// keys but not write them. Anything that cannot be read with certainty is an error.

import { fullKeyName, parseRegQuery } from '../platform/regQuery.ts';
import type { RunTool } from '../platform/runTool.ts';
import { errorMessage } from '../shared/errors.ts';
import type { PolicyLayer } from './load.ts';
import { PolicyError } from './load.ts';
import { policyKeyNames } from './keys.ts';

/** Without its hive. */
export const REGISTRY_KEY = 'SOFTWARE\\Policies\\Sightline';

/** HKLM before HKCU. @throws PolicyError */
export async function readRegistryPolicy(run: RunTool): Promise<PolicyLayer[]> {
  return (await Promise.all([readHive('HKLM', run), readHive('HKCU', run)])).flat();
}

async function readHive(hive: 'HKLM' | 'HKCU', run: RunTool): Promise<PolicyLayer[]> {
  const place = `${hive}\\${REGISTRY_KEY}`;
  let output: string;
  try {
    output = await run('reg', ['query', place, '/s', '/reg:64']);
  } catch (error) {
    if (await isAbsent(place, error, run)) return [];
    throw new PolicyError(`The machine policy ${place} cannot be read: ${errorMessage(error).trim()}`);
  }
  return [{ source: hive, place, loose: true, values: parseRegistryPolicy(output, place) }];
}

/**
 * `reg` reports a missing key and an access violation with the same exit code and a translated message, so the list of the
 * parent's subkeys decides.
 */
async function isAbsent(key: string, error: unknown, run: RunTool): Promise<boolean> {
  const parent = key.slice(0, key.lastIndexOf('\\'));
  if ((error as { code?: unknown } | null)?.code !== 1 || parent === '' || parent === key) return false;
  try {
    const output = await run('reg', ['query', parent, '/reg:64']);
    return !output.split(/\r?\n/).some((line) => line.trim().toLowerCase() === fullKeyName(key));
  } catch (above) {
    return parent.includes('\\') && isAbsent(parent, above, run);
  }
}

/**
 * Values of `reg query KEY /s`. Names ignore case, as the registry does. A list is one REG_SZ with commas, a REG_MULTI_SZ, or
 * a subkey with one value for each entry (as group policy writes it), which takes precedence over a value of that name.
 *
 * @param place the key that was queried
 * @throws PolicyError for values of a type that no policy key has
 */
export function parseRegistryPolicy(output: string, place: string): Record<string, unknown> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const lists: Record<string, [order: string, text: string][]> = {};
  for (const { subkey, name, type, data } of parseRegQuery(output, place)) {
    const given = subkey === '' ? name : subkey;
    const key = known.get(given.toLowerCase());
    const read = dataOf(type, data);
    if ('problem' in read) {
      if (key !== undefined) problems.push(`The machine policy ${place} "${given}": ${read.problem}`);
    } else if (subkey !== '') (lists[key ?? subkey] ??= []).push([name, String(read.value)]);
    // Not the key's default value, which is printed as "(Default)" in the language of Windows.
    else if (key !== undefined || !/^\(.*\)$/.test(name)) values[key ?? name] = read.value;
  }
  if (problems.length > 0) throw new PolicyError(problems);
  for (const [name, entries] of Object.entries(lists)) {
    entries.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    values[name] = entries.map(([, text]) => text);
  }
  return values;
}

type Read = { readonly value: unknown } | { readonly problem: string };

function dataOf(type: string, data: string): Read {
  // reg prints in the console's code page and Node reads UTF-8, which damages characters outside ASCII.
  if (data.includes('\uFFFD'))
    return { problem: 'letters outside ASCII cannot be read from the registry; use others' };
  switch (type) {
    case 'REG_DWORD':
    case 'REG_QWORD':
      return { value: Number(data) };
    case 'REG_SZ':
      return { value: data };
    case 'REG_EXPAND_SZ':
      // Users set environment variables and could thereby change the machine policy.
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
