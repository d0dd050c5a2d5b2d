// The network part of `sightline doctor`: which instance is meant, and the checks of what it needs. Without an instance
// nothing is asked of the network.

import type { Command } from 'commander';
import { checkInstance, systemPorts } from '../diagnostics/network/checkNetwork.ts';
import type { NetworkCheck } from '../diagnostics/network/types.ts';
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
  /** null: nobody has named one. */
  readonly alias: string | null;
  readonly region: string | null;
}

/** Which is meant. @throws PolicyError when a flag is not valid */
export function instanceFrom(
  options: CommandOptions,
  policy: Pick<Policy, 'instanceAlias' | 'instanceRegion'>,
): NamedInstance {
  const alias = flag(options, 'instance', 'instanceAlias') ?? policy.instanceAlias;
  const region = flag(options, 'region', 'instanceRegion') ?? policy.instanceRegion;
  if (alias === null && options.region !== undefined)
    throw new PolicyError('--region needs the instance as well: --instance acme, of acme.my.connect.aws.');
  return { alias, region };
}

export function networkChecks(instance: NamedInstance): Promise<NetworkCheck[]> {
  return checkInstance(instance, systemPorts(process.env));
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
