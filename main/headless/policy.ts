// `sightline policy`: each key with its value and where it comes from.

import type { Policy, PolicyKey } from '../policy/keys.ts';
import { policyKeyNames, policyKeys } from '../policy/keys.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom } from './options.ts';

export async function policyCommand(options: CommandOptions): Promise<void> {
  const { values, sources, warnings } = await policyFrom(options);
  if (options.json === true) {
    const keys = Object.fromEntries(
      policyKeyNames.map((name) => [
        name,
        { value: values[name], source: sources[name], applied: policyKeys[name].applied },
      ]),
    );
    process.stdout.write(`${JSON.stringify({ keys, warnings })}\n`);
    return;
  }
  const width = Math.max(...policyKeyNames.map((name) => name.length));
  for (const name of policyKeyNames) {
    process.stdout.write(`${name.padEnd(width)}  ${sources[name].padEnd(11)}  ${shown(values[name])}\n`);
  }
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}

function shown(value: Policy[PolicyKey]): string {
  if (typeof value === 'object' && value !== null) return value.join(', ') || '(none)';
  return value === null ? '(not set)' : String(value);
}
