// The machine policy in the Windows registry, written by group policy, Intune or the installer. Users can read HKCU's policy
// keys but not write them. Anything that cannot be read with certainty is an error.

import type { Logger } from '../platform/log.ts';
import type { ReadRegistry, RegistryValue, WindowsHelper } from '../platform/windowsHelper.ts';
import { errorMessage } from '../shared/errors.ts';
import type { PolicyLayer } from './load.ts';
import { PolicyError } from './load.ts';
import { policyKeyNames } from './keys.ts';

/** Without its hive. */
export const REGISTRY_KEY = 'SOFTWARE\\Policies\\Sightline';

/** HKLM before HKCU. @throws PolicyError */
export async function readRegistryPolicy(read: ReadRegistry): Promise<PolicyLayer[]> {
  const layers = (['HKLM', 'HKCU'] as const).map(async (source): Promise<PolicyLayer[]> => {
    const place = `${source}\\${REGISTRY_KEY}`;
    const values = await read(place).catch((error: unknown) => {
      throw new PolicyError(`The machine policy cannot be read: ${errorMessage(error)}`);
    });
    return values === null ? [] : [{ source, place, loose: true, values: registryPolicy(values, place) }];
  });
  return (await Promise.all(layers)).flat();
}

/** For watchPolicy. A helper that was lost may have missed a change. */
export function watchRegistryPolicy(helper: Pick<WindowsHelper, 'watch'>, log: Logger) {
  return (changed: () => void): (() => void) => {
    const ends = ['HKLM', 'HKCU'].map((hive) => {
      const key = `${hive}\\${REGISTRY_KEY}`;
      return helper.watch(
        `watch-registry ${key}`,
        (event) => {
          if (event.event === 'registry' && event.key === key) changed();
        },
        (answer) => {
          if (answer === true) changed();
          else log.warn('changes of policy are found by the clock only', { key, reason: String(answer) });
        },
      );
    });
    return () => ends.forEach((end) => end());
  };
}

/**
 * Names ignore case, as the registry does. A list is one REG_SZ with commas, a REG_MULTI_SZ, or
 * a subkey with one value for each entry (as group policy writes it), which takes precedence over a value of that name.
 *
 * @param place the key with these values
 * @throws PolicyError for values of a type that no policy key has
 */
export function registryPolicy(found: readonly RegistryValue[], place: string): Record<string, unknown> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const lists: Record<string, [order: string, text: string][]> = {};
  for (const { key: subkey, name, type, data } of found) {
    const given = subkey === '' ? name : subkey;
    const key = known.get(given.toLowerCase());
    const read = dataOf(type, data);
    if ('problem' in read) {
      if (key !== undefined) problems.push(`The machine policy ${place} "${given}": ${read.problem}`);
    } else if (subkey !== '') (lists[key ?? subkey] ??= []).push([name, String(read.value)]);
    // A key's default value has no name.
    else if (name !== '') values[key ?? name] = read.value;
  }
  if (problems.length > 0) throw new PolicyError(problems);
  for (const [name, entries] of Object.entries(lists)) {
    entries.sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    values[name] = entries.map(([, text]) => text);
  }
  return values;
}

type Read = { readonly value: unknown } | { readonly problem: string };

function dataOf(type: number, data: RegistryValue['data']): Read {
  if (data === null)
    return { problem: `the type ${type} is not understood; use REG_SZ, REG_DWORD or REG_MULTI_SZ` };
  // Users set environment variables and could thereby change the machine policy.
  if (type === REG_EXPAND_SZ && /%[^%]+%/.test(String(data)))
    return { problem: `${String(data)} depends on the environment; write it out` };
  return { value: data };
}

const REG_EXPAND_SZ = 2;
const known = new Map<string, string>(policyKeyNames.map((name) => [name.toLowerCase(), name]));
