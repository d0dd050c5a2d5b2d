// The policy as it is now, read from all of its sources.

import { trustNoEnvironment } from './environment.ts';
import type { LenientPolicy } from './lenient.ts';
import { loadPolicyLenient } from './lenient.ts';
import type { LoadedPolicy, PolicySources } from './load.ts';
import { loadPolicy } from './load.ts';
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
