// Policy on the command line: a flag and an environment variable for each key, made from the keys themselves.

import type { Command } from 'commander';
import { Option } from 'commander';
import { loadPolicy } from '../policy/load.ts';
import type { LoadedPolicy, PolicySources } from '../policy/load.ts';
import type { KeyInfo } from '../policy/keys.ts';
import { readMachinePolicy } from '../policy/machine.ts';
import { readUserSettings } from '../policy/userSettings.ts';
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
export async function policyFrom(options: CommandOptions): Promise<LoadedPolicy> {
  const { sources, warnings } = await allSources(options);
  const loaded = loadPolicy(sources);
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}

/** @throws PolicyError when the machine's policy cannot be read */
export async function allSources(
  options: CommandOptions,
): Promise<{ sources: PolicySources; warnings: readonly string[] }> {
  const { values: user, warnings } = readUserSettings();
  return { sources: { machine: await readMachinePolicy(), ...sourcesFrom(options), user }, warnings };
}

/** What the command line and the environment say, as it was typed. */
export function sourcesFrom(options: CommandOptions): Pick<PolicySources, 'flags' | 'environment'> {
  const flags = Object.fromEntries(
    policyKeyNames.flatMap((name) => {
      const given = options[new Option(flagOf(name)).attributeName()];
      return given === undefined ? [] : [[name, given] as const];
    }),
  );
  return { flags, environment: process.env };
}
