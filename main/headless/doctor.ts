// `sightline doctor`: runs the checks and says what to do. Exits with 1 when one of them failed.

import type { CheckResult } from '../diagnostics/checks.ts';
import { runChecks } from '../diagnostics/checks.ts';
import { healthChecks } from '../healthChecks.ts';
import { silentLogger } from '../platform/log.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { appVersion } from '../platform/version.ts';
import type { Policy } from '../policy/keys.ts';
import { networkChecks } from './network.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom } from './options.ts';

export async function doctorCommand(options: CommandOptions): Promise<void> {
  const { values: policy, warnings } = await policyFrom(options);
  const asJson = options.json === true;
  const health = healthChecks({ policy, resourcesFolder: findResourcesFolder(), log: silentLogger });
  if (!asJson) process.stdout.write(`Sightline ${appVersion}\n`);
  const results = await runChecks(health.checks, {
    told: (result) => {
      if (!asJson) process.stdout.write(lineOf(result));
    },
  });
  health.close();
  for (const check of await networkChecks(options, policy)) {
    const result = { step: results.length + 1, ...check };
    results.push(result);
    if (!asJson) process.stdout.write(lineOf(result));
  }
  if (asJson) {
    process.stdout.write(
      `${JSON.stringify({ app: 'sightline', version: appVersion, checks: results, warnings })}\n`,
    );
  } else {
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  }
  if (results.some((result) => result.verdict === 'failed')) process.exitCode = 1;
}

/** All of them but those of the network, which reach outside. */
export async function checkMachine(policy: Policy): Promise<CheckResult[]> {
  const health = healthChecks({ policy, resourcesFolder: findResourcesFolder(), log: silentLogger });
  try {
    return await runChecks(health.checks);
  } finally {
    health.close();
  }
}

function lineOf({ step, name, verdict, evidence, remedy }: CheckResult): string {
  const advice = remedy === '' ? '' : `     -> ${remedy}\n`;
  return `${String(step).padStart(2)}. ${verdict.padEnd(7)}  ${name}: ${evidence}\n${advice}`;
}
