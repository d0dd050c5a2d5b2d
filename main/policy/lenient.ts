// A broken policy, read as far as possible: for diagnostics only. The recorder starts with a valid policy or not at all.

import type { LoadedPolicy, PolicySources } from './load.ts';
import { PolicyError, resolvePolicy } from './load.ts';
import type { ReadMachinePolicy } from './machine.ts';

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
