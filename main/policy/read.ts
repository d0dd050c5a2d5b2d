// The policy as it is now, read from all of its sources.

import { trustNoEnvironment } from './environment.ts';
import type { LoadedPolicy, PolicySources } from './load.ts';
import { loadPolicy } from './load.ts';
import { readMachinePolicy } from './machine.ts';
import type { SalvagedPolicy } from './salvage.ts';
import { salvagePolicy } from './salvage.ts';
import { readUserSettings } from './userSettings.ts';

export type GivenPolicy = Pick<PolicySources, 'flags' | 'environment' | 'managed'>;

/** Where an administrator decides, the environment of this process is cleared as well. @throws PolicyError */
export async function readPolicy(given: GivenPolicy): Promise<LoadedPolicy> {
  const { values: user, warnings } = readUserSettings();
  const loaded = loadPolicy({ machine: await readMachinePolicy(), ...given, user });
  if (loaded.managed) trustNoEnvironment(process.env, process.platform);
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}

/** What can be had of a policy that is broken: for diagnostics, never for recording. */
export async function readSalvagedPolicy(given: GivenPolicy): Promise<SalvagedPolicy> {
  const salvaged = await salvagePolicy(readMachinePolicy, given);
  if (salvaged.managed) trustNoEnvironment(process.env, process.platform);
  return salvaged;
}
