// `sightline doctor`: runs the health checks and prints what to do. Exit code 1 when one of them failed.

import type { CheckResult } from '../diagnostics/check.ts';
import { runAllChecks } from '../diagnostics/checks.ts';
import { systemPorts } from '../diagnostics/network/checkNetwork.ts';
import { silentLogger } from '../platform/log.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { appVersion } from '../platform/version.ts';
import type { LenientPolicy } from '../policy/read.ts';
import { doctorReport } from './doctorReport.ts';
import type { NamedInstance } from './network.ts';
import { instanceFrom } from './network.ts';
import type { CommandOptions } from './options.ts';
import { lenientPolicyFrom } from './options.ts';

export async function doctorCommand(options: CommandOptions): Promise<void> {
  const policy = await lenientPolicyFrom(options);
  const instance = instanceFrom(options, policy.values);
  const { warnings } = policy;
  let checks: readonly CheckResult[];
  if (options.json === true) {
    checks = await runDoctor(policy, instance);
    process.stdout.write(`${JSON.stringify({ app: 'sightline', version: appVersion, checks, warnings })}\n`);
  } else {
    const print = (text: string): void => void process.stdout.write(text);
    const report = doctorReport(hasColors(process.stdout));
    print(`Sightline ${appVersion}\n\n`);
    checks = await runDoctor(policy, instance, (result) => print(report.line(result)));
    print(report.summary(checks));
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  }
  if (checks.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
}

/** All checks; those of the network for the instance in policy unless another one is given. */
export function runDoctor(
  { values: policy, problems, warnings }: LenientPolicy,
  instance: NamedInstance = instanceFrom({}, policy),
  onResult?: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  return runAllChecks({
    ...{ policy, policyProblems: problems, policyWarnings: warnings, instance },
    ...{ resourcesFolder: findResourcesFolder(), log: silentLogger, network: systemPorts(process.env) },
    ...(onResult === undefined ? {} : { onResult }),
  });
}

/** Node's rules: NO_COLOR, NODE_DISABLE_COLORS, TERM, FORCE_COLOR. */
function hasColors(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.hasColors();
}
