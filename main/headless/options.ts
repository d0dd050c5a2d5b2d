// Policy on the command line: a flag and an environment variable for each key, generated from the keys.

import { Option, type Command } from 'commander';
import { isInstalledCommandLine } from '../platform/version.ts';
import type { KeyInfo } from '../policy/keyInfo.ts';
import { flagOf, policyKeyNames, policyKeys, variableOf } from '../policy/keys.ts';
import type { LenientPolicy } from '../policy/read.ts';
import { PolicyError, loadPolicy, type LoadedPolicy } from '../policy/load.ts';
import { readMachinePolicy } from '../policy/machine.ts';
import { readPolicy, readPolicyLenient, type GivenPolicy } from '../policy/read.ts';

/** As in sysexits.h; 1 is the answer "no" of a command that checks something. */
export const EXIT_USAGE = 64;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_INTERNAL_ERROR = 70;

/** Parsed by commander: text, or `true` for a flag without a value. */
export type CommandOptions = Readonly<Partial<Record<string, string | boolean>>> & {
  readonly json?: boolean;
};

/**
 * Call it last: the command's own options come first, and one of the same name replaces the policy key's. `--help` leaves these
 * out, `--help-all` lists them.
 */
export function addPolicyOptions(command: Command): Command {
  const own = new Set(command.options.map(({ long }) => long));
  const names = policyKeyNames.filter((name) => !own.has(flagOf(name)));
  const options = names.map((name) => {
    const info: KeyInfo<unknown> = policyKeys[name];
    const value = info.form === 'boolean' ? ' [yes|no]' : ` <${info.form === 'list' ? 'list' : name}>`;
    const fallback = info.defaultText ?? (Array.isArray(info.default) ? 'none' : String(info.default));
    const description = `${info.description} (${variableOf(name)}; default: ${fallback})`;
    return new Option(`${flagOf(name)}${value}`, description).helpGroup('Policy keys:').hideHelp();
  });
  command
    .option('--help-all', 'display help for all options: each policy key has a flag')
    .on('option:help-all', () => {
      for (const option of options) option.hidden = false;
      command.help();
    });
  for (const option of options) command.addOption(option);
  return command;
}

/** @throws PolicyError */
export function policyFrom(options: CommandOptions): Promise<LoadedPolicy> {
  return readPolicy(sourcesFrom(options));
}

/** Prints its warnings on stderr. @throws PolicyError */
export async function policyWithWarnings(options: CommandOptions): Promise<LoadedPolicy> {
  const loaded = await policyFrom(options);
  printWarnings(loaded.warnings);
  return loaded;
}

export function printWarnings(warnings: readonly string[], prefix = ''): void {
  for (const warning of warnings) process.stderr.write(`warning: ${prefix}${warning}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * For diagnostics: a machine policy that is not valid is read as far as possible.
 * @throws PolicyError when the command line or the environment is not valid
 */
export async function lenientPolicyFrom(options: CommandOptions): Promise<LenientPolicy> {
  try {
    return { ...(await policyFrom(options)), problems: [] };
  } catch (error) {
    if (!(error instanceof PolicyError) || (await isMachinePolicyValid())) throw error;
    return readPolicyLenient(sourcesFrom(options));
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

/** Flags and environment as they were typed. @throws PolicyError */
export function sourcesFrom(options: CommandOptions): GivenPolicy {
  const flags = Object.fromEntries(
    policyKeyNames.flatMap((name) => {
      const given = options[new Option(flagOf(name)).attributeName()];
      return given === undefined ? [] : [[name, given] as const];
    }),
  );
  if (String(flags.proxyUrl).includes('@'))
    throw new PolicyError(
      `${flagOf('proxyUrl')} must not contain a password: all users of this computer can read a command line. Set ${variableOf('proxyUrl')} or the machine policy.`,
    );
  return { flags, environment: process.env, managed: isInstalledCommandLine };
}
