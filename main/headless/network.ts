// The options of `sightline doctor` that choose an Amazon Connect instance. Without one the network is not checked.

import type { Command } from 'commander';
import type { Policy } from '../policy/keys.ts';
import { policyKeys } from '../policy/keys.ts';
import { PolicyError } from '../policy/load.ts';
import type { CommandOptions } from './options.ts';

export function addNetworkOptions(command: Command): Command {
  return command
    .option(
      '--instance <alias>',
      'check the network for this Amazon Connect instance (default: "instanceAlias")',
    )
    .option('--region <region>', 'the region of that instance (default: "instanceRegion")');
}

export interface NamedInstance {
  /** null: none was given. */
  readonly alias: string | null;
  readonly region: string | null;
}

/** From flags, else from policy. @throws PolicyError when a flag is not valid */
export function instanceFrom(
  options: CommandOptions,
  policy: Pick<Policy, 'instanceAlias' | 'instanceRegion'>,
): NamedInstance {
  const alias = flag(options, 'instance', 'instanceAlias') ?? policy.instanceAlias;
  const region = flag(options, 'region', 'instanceRegion') ?? policy.instanceRegion;
  if (alias === null && options.region !== undefined)
    throw new PolicyError('--region needs the instance as well: --instance acme for acme.my.connect.aws.');
  return { alias, region };
}

function flag(
  options: CommandOptions,
  name: 'instance' | 'region',
  key: 'instanceAlias' | 'instanceRegion',
): string | null {
  const value = options[name];
  if (value === undefined) return null;
  const parsed = policyKeys[key].schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PolicyError(`--${name} ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
}
