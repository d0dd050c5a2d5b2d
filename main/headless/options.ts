// Policy on the command line: a flag and an environment variable for each key, made from the keys themselves.

import type { Command } from 'commander';
import { Option } from 'commander';
import { isInstalledCommandLine } from '../platform/installation.ts';
import type { LoadedPolicy } from '../policy/load.ts';
import { PolicyError, loadPolicy } from '../policy/load.ts';
import { readMachinePolicy } from '../policy/machine.ts';
import type { KeyInfo } from '../policy/keyInfo.ts';
import type { GivenPolicy } from '../policy/read.ts';
import { readPolicy, readSalvagedPolicy } from '../policy/read.ts';
import type { SalvagedPolicy } from '../policy/salvage.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from '../policy/keys.ts';

/** What commander parsed: a text for each flag given, `true` for a flag without a value. */
export type CommandOptions = Readonly<Partial<Record<string, string | boolean>>> & {
  readonly json?: boolean;
};

export function addPolicyOptions(command: Command): Command {
  for (const name of policyKeyNames) {
    const info: KeyInfo<unknown> = policyKeys[name];
    const value = info.form === 'boolean' ? ' [yes|no]' : ` <${info.form === 'list' ? 'list' : name}>`;
    const fallback = info.defaultText ?? (Array.isArray(info.default) ? 'none' : String(info.default));
    const description = `${info.description} (${variableOf(name)}; default: ${fallback})`;
    command.addOption(new Option(`${flagOf(name)}${value}`, description));
  }
  return command;
}

/** @throws PolicyError */
export function policyFrom(options: CommandOptions): Promise<LoadedPolicy> {
  return readPolicy(sourcesFrom(options));
}

/** As policyFrom, and says on stderr what was ignored. @throws PolicyError */
export async function policyWithWords(options: CommandOptions): Promise<LoadedPolicy> {
  const loaded = await policyFrom(options);
  tellIgnored(loaded);
  return loaded;
}

export function tellIgnored({ warnings }: Pick<LoadedPolicy, 'warnings'>): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}

/**
 * For whoever has to find out what is wrong: what can be had of a machine's policy that is not valid.
 * @throws PolicyError when not that is wrong but the command line or the environment
 */
export async function salvagedPolicyFrom(options: CommandOptions): Promise<SalvagedPolicy> {
  try {
    return { ...(await policyFrom(options)), problems: [] };
  } catch (error) {
    if (!(error instanceof PolicyError) || (await isMachinePolicyValid())) throw error;
    return readSalvagedPolicy(sourcesFrom(options));
  }
}

async function isMachinePolicyValid(): Promise<boolean> {
  try {
    loadPolicy({ machine: await readMachinePolicy(), flags: {}, environment: {} });
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

/** What the command line and the environment say, as it was typed. */
export function sourcesFrom(options: CommandOptions): GivenPolicy {
  const flags = Object.fromEntries(
    policyKeyNames.flatMap((name) => {
      const given = options[new Option(flagOf(name)).attributeName()];
      return given === undefined ? [] : [[name, given] as const];
    }),
  );
  return { flags, environment: process.env, managed: isInstalledCommandLine };
}
