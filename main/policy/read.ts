// The policy as it is now, read from all of its sources.

import { trustNoEnvironment } from '../platform/hardening.ts';
import type { LoadedPolicy, PolicySources } from './load.ts';
import { PolicyError, loadPolicy, resolvePolicy } from './load.ts';
import type { ReadMachinePolicy } from './machine.ts';
import { readMachinePolicy } from './machine.ts';
import { readUserSettings } from './userSettings.ts';

export type GivenPolicy = Pick<PolicySources, 'flags' | 'environment' | 'managed'>;

/** Where an administrator decides, the environment of this process is cleared as well. @throws PolicyError */
export async function readPolicy(given: GivenPolicy): Promise<LoadedPolicy> {
  const { values: user, warnings } = readUserSettings();
  const loaded = loadPolicy({ machine: await readMachinePolicy(), ...given, user });
  if (loaded.managed) trustNoEnvironment(process.env, process.platform);
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}

/** For diagnostics only, never for recording: keys that are not valid have their defaults. */
export async function readPolicyLenient(given: GivenPolicy): Promise<LenientPolicy> {
  const policy = await loadPolicyLenient(readMachinePolicy, given);
  if (policy.managed) trustNoEnvironment(process.env, process.platform);
  return policy;
}

export interface LenientPolicy extends LoadedPolicy {
  /** Empty for a valid policy. Each key that is not valid has its default. */
  readonly problems: readonly string[];
}

/** @param readMachine as readMachinePolicy: may reject with a PolicyError */
export async function loadPolicyLenient(
  readMachine: ReadMachinePolicy,
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
