// What can be had of a policy that is broken, for whoever has to find out what is wrong with it: each key by itself, and
// the words about those that had to be dropped. Never for recording: a recorder starts with a whole policy or not at all.

import type { PolicyKey } from './keys.ts';
import { policyKeyNames, variableOf } from './keys.ts';
import type { LoadedPolicy, PolicySources } from './load.ts';
import { PolicyError, loadPolicy } from './load.ts';
import type { ReadMachinePolicy } from './machine.ts';

export interface SalvagedPolicy extends LoadedPolicy {
  /** What is wrong with it; empty: nothing. */
  readonly problems: readonly string[];
}

type Others = Pick<PolicySources, 'flags' | 'environment' | 'user' | 'managed'>;

/** @param readMachine as readMachinePolicy: may reject with a PolicyError */
export async function salvagePolicy(readMachine: ReadMachinePolicy, others: Others): Promise<SalvagedPolicy> {
  const problems: string[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof PolicyError)) throw error;
    problems.push(...error.problems);
  };
  const attempt = (sources: PolicySources): LoadedPolicy | null => {
    try {
      return loadPolicy(sources);
    } catch (error) {
      note(error);
      return null;
    }
  };
  const machine = await readMachine().catch((error: unknown) => {
    note(error);
    return null;
  });
  // A policy that cannot be read is there all the same.
  const managed = machine === null || others.managed === true;
  const sources = { ...others, machine: machine ?? [], managed };
  const whole = attempt(sources);
  if (whole !== null) return { ...whole, problems };
  const broken = policyKeyNames.filter((name) => !isWhole(only(name, sources)));
  const mended = isWhole(without(broken, sources)) ? broken : [...broken, 'sink' as const];
  // Keys that do not fit together are left: where recordings go is all that can be wrong in that way.
  if (mended !== broken && broken.length > 0) attempt(without(broken, sources));
  return { ...loadPolicy(without(mended, sources)), problems };
}

function isWhole(sources: PolicySources): boolean {
  try {
    loadPolicy(sources);
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

function only(name: PolicyKey, sources: PolicySources): PolicySources {
  const others = policyKeyNames.filter((other) => other !== name);
  const { machine, flags, ...rest } = without(others, sources);
  if (name !== 'sink') return { ...rest, machine, flags };
  // Whether it goes with the other keys is looked at when all are together.
  const bucket = { s3Bucket: 'any-bucket' };
  return {
    ...rest,
    machine: machine.map((layer) => ({ ...layer, values: { ...layer.values, ...bucket } })),
    flags: { ...flags, ...bucket },
  };
}

function without(
  names: readonly PolicyKey[],
  { machine, flags, environment, user = {}, managed = false }: PolicySources,
): PolicySources {
  const gone = new Set<string>(names.flatMap((name) => [name, variableOf(name)]));
  const rest = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !gone.has(name)));
  return {
    machine: machine.map((layer) => ({ ...layer, values: rest(layer.values) })),
    flags: rest(flags as Record<string, string | boolean>),
    environment: rest(environment),
    user: rest(user),
    managed,
  };
}
