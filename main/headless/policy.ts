// `sightline policy`: each key with its value and where it comes from.

import { policyKeyNames } from '../policy/keys.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom } from './options.ts';

export function policyCommand(options: CommandOptions): void {
  const { values, sources, warnings } = policyFrom(options);
  if (options.json === true) {
    const keys = Object.fromEntries(
      policyKeyNames.map((name) => [name, { value: values[name], source: sources[name] }]),
    );
    process.stdout.write(`${JSON.stringify({ keys, warnings })}\n`);
    return;
  }
  const width = Math.max(...policyKeyNames.map((name) => name.length));
  for (const name of policyKeyNames) {
    const value = values[name];
    const shown = Array.isArray(value)
      ? value.join(', ') || '(none)'
      : value === null
        ? '(not set)'
        : String(value);
    process.stdout.write(`${name.padEnd(width)}  ${sources[name].padEnd(11)}  ${shown}\n`);
  }
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}
