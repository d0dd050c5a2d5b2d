// What can be had of a policy that is broken, for whoever has to find out what is wrong with it: each key by itself, and
// the words about those that had to be dropped. Never for recording: a recorder starts with a whole policy or not at all.

import type { PolicyKey } from './keys.ts';
import { policyKeyNames, policyKeys, variableOf } from './keys.ts';
import type { LoadedPolicy, PolicySources } from './load.ts';
import { PolicyError, loadPolicy } from './load.ts';

export interface SalvagedPolicy extends LoadedPolicy {
  /** What is wrong with it; empty: nothing. */
  readonly problems: readonly string[];
}

/** @param readMachine as readMachinePolicy: may throw a PolicyError */
export function salvagePolicy(
  readMachine: () => Record<string, unknown>,
  others: Pick<PolicySources, 'flags' | 'environment'>,
): SalvagedPolicy {
  const problems: string[] = [];
  const attempt = <T>(act: () => T): T | null => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      problems.push(error.message);
      return null;
    }
  };
  const machine = attempt(readMachine) ?? {};
  const whole = attempt(() => loadPolicy({ machine, ...others }));
  if (whole !== null) return { ...whole, problems };
  problems.pop(); // it names the first broken key only
  const broken = policyKeyNames.filter(
    (name) => attempt(() => loadPolicy(only(name, machine, others))) === null,
  );
  const rest = without(broken, machine, others);
  const mended = attempt(() => loadPolicy(rest));
  // Keys that do not fit together are left: where recordings go is all that can be wrong in that way.
  return { ...(mended ?? loadPolicy(without([...broken, 'sink'], machine, others))), problems };
}

type Others = Pick<PolicySources, 'flags' | 'environment'>;

function only(name: PolicyKey, machine: Record<string, unknown>, others: Others): PolicySources {
  // Whether it goes with the other keys is looked at when all are together.
  const flags = name === 'sink' ? { s3Bucket: 'any-bucket' } : {};
  return {
    machine: Object.hasOwn(machine, name) ? { [name]: machine[name] } : {},
    flags: { ...flags, ...(others.flags[name] === undefined ? {} : { [name]: others.flags[name] }) },
    environment: { [variableOf(name)]: others.environment[variableOf(name)] },
  };
}

function without(
  names: readonly PolicyKey[],
  machine: Record<string, unknown>,
  others: Others,
): PolicySources {
  const isLeft = ([name]: [string, unknown]): boolean =>
    !names.some((broken) => broken === name || variableOf(broken) === name);
  const known = Object.entries(machine).filter(([name]) => name in policyKeys);
  return {
    machine: Object.fromEntries(known.filter(isLeft)),
    flags: Object.fromEntries(Object.entries(others.flags).filter(isLeft)),
    environment: Object.fromEntries(Object.entries(others.environment).filter(isLeft)),
  };
}
