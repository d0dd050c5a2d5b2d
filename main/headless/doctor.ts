// `sightline doctor`: runs the checks and says what to do. Exits with 1 when one of them failed.

import type { CheckResult } from '../diagnostics/checks.ts';
import { runChecks, withNetwork } from '../diagnostics/checks.ts';
import { healthChecks } from '../composition/diagnostics/healthChecks.ts';
import { silentLogger } from '../platform/log.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { appVersion } from '../platform/version.ts';
import type { LenientPolicy } from '../policy/lenient.ts';
import { instanceFrom, networkChecks } from './network.ts';
import type { CommandOptions } from './options.ts';
import { lenientPolicyFrom } from './options.ts';

/** What whoever reads the remedies has to know. */
const HEAD = `Sightline ${appVersion}\nWhat stands in quotes, such as "port", is a key of Sightline's policy, which IT sets.\n`;

export async function doctorCommand(options: CommandOptions): Promise<void> {
  const { values: policy, warnings, problems } = await lenientPolicyFrom(options);
  const asJson = options.json === true;
  const instance = instanceFrom(options, policy);
  const health = healthChecks({
    policy,
    policyProblems: problems,
    policyWarnings: warnings,
    resourcesFolder: findResourcesFolder(),
    log: silentLogger,
    instanceAlias: instance.alias,
  });
  if (!asJson) process.stdout.write(HEAD);
  const results = await runChecks(health.checks, {
    told: (result) => {
      if (!asJson) process.stdout.write(lineOf(result));
    },
  });
  health.close();
  const checks = withNetwork(results, await networkChecks(instance));
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ app: 'sightline', version: appVersion, checks, warnings })}\n`);
  } else {
    for (const result of checks.slice(results.length)) process.stdout.write(lineOf(result));
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  }
  if (checks.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
}

/** All of them, those of the network as policy has it. */
export async function checkEverything({
  values: policy,
  problems: policyProblems,
  warnings: policyWarnings,
}: LenientPolicy): Promise<CheckResult[]> {
  const resourcesFolder = findResourcesFolder();
  const health = healthChecks({
    ...{ policy, policyProblems, policyWarnings },
    ...{ resourcesFolder, log: silentLogger },
  });
  try {
    return withNetwork(await runChecks(health.checks), await networkChecks(instanceFrom({}, policy)));
  } finally {
    health.close();
  }
}

function lineOf({ step, name, verdict, evidence, remedy }: CheckResult): string {
  const advice = remedy === '' ? '' : `     -> ${remedy}\n`;
  return `${String(step).padStart(2)}. ${verdict.padEnd(7)}  ${name}: ${evidence}\n${advice}`;
}
