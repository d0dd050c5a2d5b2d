// `sightline doctor`: runs the health checks and prints what to do. Exit code 1 when one of them failed.

import type { Command } from 'commander';
import type { CheckResult } from '../diagnostics/check.ts';
import { runAllChecks, type RunningFindings } from '../diagnostics/checks.ts';
import { systemPorts, type NamedInstance } from '../diagnostics/network/checkNetwork.ts';
import { silentLogger } from '../platform/log.ts';
import { NodeNetwork } from '../platform/network/nodeNetwork.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { appVersion } from '../platform/version.ts';
import { policyKeys, type Policy } from '../policy/keys.ts';
import type { LenientPolicy } from '../policy/read.ts';
import { PolicyError } from '../policy/load.ts';
import { readControlFile } from '../server/controlFile.ts';
import { CONTROL_CHECKS_PATH, CONTROL_CHECKS_WITHIN_MS, checksReplySchema } from '../shared/control.ts';
import { errno } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { postControl } from './control.ts';
import { doctorReport } from './doctorReport.ts';
import { addPolicyOptions, lenientPolicyFrom, print, printWarnings, type CommandOptions } from './options.ts';

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('check everything that recording needs')
    .option(
      '--instance <alias>',
      'check the network for this Amazon Connect instance (default: "instanceAlias")',
    )
    .option('--region <region>', 'the region of that instance (default: "instanceRegion")')
    .option('--json', 'print one JSON object');
  addPolicyOptions(command).action(doctorCommand);
}

async function doctorCommand(options: CommandOptions): Promise<void> {
  const policy = await lenientPolicyFrom(options);
  const instance = instanceFrom(options, policy.values);
  const { warnings } = policy;
  let checks: readonly CheckResult[];
  if (options.json === true) {
    checks = await runDoctor(policy, instance);
    print(JSON.stringify({ app: 'sightline', version: appVersion, checks, warnings }));
  } else {
    const { stdout } = process;
    // Node's rules: NO_COLOR, NODE_DISABLE_COLORS, TERM, FORCE_COLOR.
    const report = doctorReport(stdout.isTTY && stdout.hasColors());
    print(`Sightline ${appVersion}\n`);
    checks = await runDoctor(policy, instance, (result) => stdout.write(report.line(result)));
    stdout.write(report.summary(checks));
    printWarnings(warnings);
  }
  if (checks.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
}

/** The app may have another network stack, proxy and roots than this program: its verdict is the one that counts. */
async function askRunning({ dataDir }: Policy): Promise<RunningFindings> {
  const access = await readControlFile(dataDir).catch(() => null);
  if (access === null) return { none: 'no Sightline is running' };
  try {
    const answer = await postControl(access, CONTROL_CHECKS_PATH, '{}', CONTROL_CHECKS_WITHIN_MS + 5000);
    if (!answer.isProven) return { none: 'no Sightline is running' };
    const reply = checksReplySchema.safeParse(parseJson(answer.body));
    if (reply.success) return reply.data;
    return { none: `the running Sightline answered ${answer.status}` };
  } catch (error) {
    return errno(error) === 'ECONNREFUSED'
      ? { none: 'no Sightline is running' }
      : { none: 'the running Sightline did not answer' };
  }
}

/** All checks; those of the network for the instance in policy unless another one is given. */
export async function runDoctor(
  { values: policy, problems, warnings }: LenientPolicy,
  instance: NamedInstance = instanceFrom({}, policy),
  onResult: (result: CheckResult) => void = () => undefined,
): Promise<CheckResult[]> {
  return runAllChecks({
    ...{ policy, policyProblems: problems, policyWarnings: warnings, instance, onResult },
    ...{ resourcesFolder: findResourcesFolder(), log: silentLogger, ports: systemPorts(process.env) },
    ...{ network: new NodeNetwork(policy), running: await askRunning(policy) },
  });
}

/** From flags, else from policy. Without an instance the network is not checked. @throws PolicyError when a flag is not valid */
function instanceFrom(
  options: CommandOptions,
  policy: Pick<Policy, 'instanceAlias' | 'instanceRegion' | 'endpointList'>,
): NamedInstance {
  const flag = (name: 'instance' | 'region', key: 'instanceAlias' | 'instanceRegion'): string | null => {
    const value = options[name];
    if (value === undefined) return policy[key];
    const { data, error } = policyKeys[key].schema.safeParse(value);
    if (error === undefined) return data;
    throw new PolicyError(`--${name} ${error.issues.map((issue) => issue.message).join('; ')}`);
  };
  const alias = flag('instance', 'instanceAlias');
  const region = flag('region', 'instanceRegion');
  if (alias === null && options.region !== undefined)
    throw new PolicyError('--region needs the instance as well: --instance acme for acme.my.connect.aws.');
  return { alias, region, endpointList: policy.endpointList };
}
