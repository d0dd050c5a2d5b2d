// The policy as it is now, read from all of its sources.

import type { LoadedPolicy, PolicySources } from './load.ts';
import { loadPolicy } from './load.ts';
import { readMachinePolicy } from './machine.ts';
import { readUserSettings } from './userSettings.ts';

export type GivenPolicy = Pick<PolicySources, 'flags' | 'environment'>;

/** @throws PolicyError */
export async function readPolicy(given: GivenPolicy): Promise<LoadedPolicy> {
  const { values: user, warnings } = readUserSettings();
  const loaded = loadPolicy({ machine: await readMachinePolicy(), ...given, user });
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}
