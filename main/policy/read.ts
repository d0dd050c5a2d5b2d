// The policy as it is now, read from all of its sources.

import { readFileSync, statSync } from 'node:fs';
import { trustNoEnvironment } from '../platform/hardening.ts';
import { userSettingsFile } from '../platform/paths.ts';
import { errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';
import type { LoadedPolicy, PolicyLayer, PolicySources } from './load.ts';
import { PolicyError, loadPolicy, resolvePolicy } from './load.ts';
import { readMachinePolicy } from './machine.ts';

export type GivenPolicy = Pick<PolicySources, 'flags' | 'environment' | 'managed'>;

export interface LenientPolicy extends LoadedPolicy {
  /** Empty for a valid policy. Each key that is not valid has its default. */
  readonly problems: readonly string[];
}

/** Where an administrator decides, the environment of this process is cleared as well. @throws PolicyError */
export async function readPolicy(given: GivenPolicy): Promise<LoadedPolicy> {
  const { values: user, warnings } = readUserSettings();
  const loaded = loadPolicy({ machine: await readMachinePolicy(), ...given, user });
  if (loaded.managed) trustNoEnvironment(process.env, process.platform);
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}

/** For diagnostics only: the recorder starts with a valid policy or not at all. */
export async function readPolicyLenient(given: GivenPolicy): Promise<LenientPolicy> {
  const policy = await loadPolicyLenient(readMachinePolicy, given);
  if (policy.managed) trustNoEnvironment(process.env, process.platform);
  return policy;
}

/** @param readMachine may reject with a PolicyError */
export async function loadPolicyLenient(
  readMachine: () => Promise<PolicyLayer[]>,
  others: Omit<PolicySources, 'machine'>,
): Promise<LenientPolicy> {
  try {
    return resolvePolicy({ ...others, machine: await readMachine() });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    // An unreadable machine policy still means that an administrator decides.
    const rest = resolvePolicy({ ...others, machine: [], managed: true });
    return { ...rest, problems: [...error.problems, ...rest.problems] };
  }
}

interface UserSettings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

const MAX_SETTINGS_BYTES = 64 * 1024;

/** A JSON object of the keys that a user may set. An invalid one is ignored with a warning: it must never stop recording. */
export function readUserSettings(path: string = userSettingsFile()): UserSettings {
  const ignored = (why: string): UserSettings => ({
    values: {},
    warnings: [`The user's settings ${path} are ignored: ${why}.`],
  });
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return ignored('it is not a file');
    if (stats.size > MAX_SETTINGS_BYTES) return ignored(`they are larger than ${MAX_SETTINGS_BYTES} bytes`);
    const values = parseJsonObject(readFileSync(path, 'utf8'));
    return values === null ? ignored('they are not a JSON object') : { values, warnings: [] };
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return { values: {}, warnings: [] };
    return ignored(String(error));
  }
}
