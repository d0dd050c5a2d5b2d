// `sightline policy`: each key with its value and its source, and what a running Sightline has not applied.

import type { Command } from 'commander';
import { redactUrl } from '../platform/redact.ts';
import { policyKeyNames, type Policy } from '../policy/keys.ts';
import { pendingText } from '../policy/live.ts';
import { readPolicyState } from '../policy/start.ts';
import { addPolicyOptions, policyFrom, print, printWarnings, type CommandOptions } from './options.ts';

export function addPolicyCommand(program: Command): void {
  const command = program
    .command('policy')
    .description('show each policy key, its value and its source')
    .option('--json', 'print one JSON object');
  addPolicyOptions(command).action(policyCommand);
}

async function policyCommand(options: CommandOptions): Promise<void> {
  const { values: inForce, sources, warnings } = await policyFrom(options);
  const values = { ...inForce, proxyUrl: withoutPassword(inForce.proxyUrl) };
  const running = await readPolicyState(values.dataDir);
  if (options.json === true) {
    const keys = policyKeyNames.map((name) => [name, { value: values[name], source: sources[name] }]);
    print(JSON.stringify({ keys: Object.fromEntries(keys) as unknown, warnings, running }));
    return;
  }
  const width = Math.max(...policyKeyNames.map((name) => name.length));
  for (const name of policyKeyNames)
    print(`${name.padEnd(width)}  ${sources[name].padEnd(11)}  ${valueText(values[name])}`);
  printWarnings(warnings);
  printWarnings(running?.problems ?? [], 'the running Sightline rejected the newest policy: ');
  printWarnings(running?.ignored ?? [], 'the running Sightline: ');
  const pending = (running?.pending ?? []).map(({ key, applied }) => `"${key}" ${pendingText[applied]}`);
  printWarnings(pending, 'in the running Sightline ');
}

/** Of the proxy: this output is copied into tickets. */
function withoutPassword(proxyUrl: string | null): string | null {
  return proxyUrl?.includes('@') === true ? redactUrl(proxyUrl) : proxyUrl;
}

function valueText(value: Policy[keyof Policy]): string {
  if (typeof value === 'object' && value !== null) return value.join(', ') || '(none)';
  return value === null ? '(not set)' : String(value);
}
