// `sightline policy`: each key with its value and its source, and what a running Sightline has not applied.

import type { Policy } from '../policy/keys.ts';
import { policyKeyNames } from '../policy/keys.ts';
import { pendingText } from '../policy/live.ts';
import { readPolicyState } from '../policy/start.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom, printWarnings } from './options.ts';

export async function policyCommand(options: CommandOptions): Promise<void> {
  const loaded = await policyFrom(options);
  const { values, sources, warnings } = loaded;
  const running = await readPolicyState(values.dataDir);
  if (options.json === true) {
    const keys = Object.fromEntries(
      policyKeyNames.map((name) => [name, { value: values[name], source: sources[name] }]),
    );
    process.stdout.write(`${JSON.stringify({ keys, warnings, running })}\n`);
    return;
  }
  const width = Math.max(...policyKeyNames.map((name) => name.length));
  for (const name of policyKeyNames) {
    process.stdout.write(`${name.padEnd(width)}  ${sources[name].padEnd(11)}  ${valueText(values[name])}\n`);
  }
  printWarnings(loaded);
  for (const problem of running?.problems ?? [])
    process.stderr.write(`warning: the running Sightline rejected the newest policy: ${problem}\n`);
  for (const warning of running?.ignored ?? [])
    process.stderr.write(`warning: the running Sightline: ${warning}\n`);
  for (const { key, applied } of running?.pending ?? [])
    process.stderr.write(`warning: in the running Sightline "${key}" ${pendingText[applied]}\n`);
}

function valueText(value: Policy[keyof Policy]): string {
  if (typeof value === 'object' && value !== null) return value.join(', ') || '(none)';
  return value === null ? '(not set)' : String(value);
}
