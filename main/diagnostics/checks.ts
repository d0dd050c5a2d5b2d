// The health checks behind `sightline doctor` and the app's "Run checks": the table of checks, and how they run.

import { withDeadline } from '../platform/deadline.ts';
import { errorMessage } from '../shared/errors.ts';
import { failed, type Check, type CheckResult, type Finding } from './check.ts';
import { credentialsCheck, eventBridgeCheck, sinkBucketCheck } from './checks/aws.ts';
import { clockCheck, machineCheck, proxyCheck } from './checks/machine.ts';
import { browserPolicyCheck, domainsCheck, pageAuthCheck, refusedCheck } from './checks/pages.ts';
import { instanceCheck, policyCheck, portCheck } from './checks/program.ts';
import { captureCheck, displayCheck, encoderCheck } from './checks/screen.ts';
import { dataCheck, keyStoreCheck, sinkFolderCheck, statusEventsCheck } from './checks/storage.ts';
import { throughputCheck } from './checks/throughput.ts';
import { openContext, type CheckContext, type CheckOptions } from './context.ts';
import { checkInstance, type NamedInstance } from './network/checkNetwork.ts';
import type { NetworkPorts } from './network/types.ts';

const check =
  (name: string, look: (context: CheckContext) => Promise<Finding> | Finding) =>
  (context: CheckContext): Check => ({ name, run: () => look(context) });

/** In the order of their steps. */
export const checkTable: readonly ((context: CheckContext) => Check)[] = [
  check('port', portCheck),
  check('single instance', instanceCheck),
  check('policy in force', policyCheck),
  check('allowed domains', domainsCheck),
  check('authentication', pageAuthCheck),
  check('browser policy', browserPolicyCheck),
  check('refused pages', refusedCheck),
  check('ffmpeg and encoder', encoderCheck),
  check('display', displayCheck),
  check('test capture', captureCheck),
  check('data folder', dataCheck),
  check('key store', keyStoreCheck),
  check('credentials', credentialsCheck),
  (context) =>
    context.policy.sink === 's3'
      ? check('sink bucket', sinkBucketCheck)(context)
      : check('sink folder', sinkFolderCheck)(context),
  check('throughput', throughputCheck),
  // After the checks that ask servers: their answers have the time.
  check('clock', clockCheck),
  check('proxy', proxyCheck),
  check('status events', statusEventsCheck),
  check('EventBridge', eventBridgeCheck),
  check('machine', machineCheck),
];

/** A check that hangs must not block those after it. */
const DEADLINE_MS = 45_000;

/** One after the other, so that no check disturbs another one's measurement. */
export async function runChecks(
  checks: readonly Check[],
  onResult: (result: CheckResult) => void = () => undefined,
  deadlineMs: number = DEADLINE_MS,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [index, { name, run }] of checks.entries()) {
    const result = { step: index + 1, name, ...(await runOne(run, deadlineMs)) };
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runOne(run: Check['run'], deadlineMs: number): Promise<Finding> {
  let remedy = 'The check itself failed. Export the diagnostics and send them to support.';
  try {
    return await withDeadline(Promise.resolve().then(run), deadlineMs, () => {
      remedy = 'Run the checks again. If this repeats, export the diagnostics and send them to support.';
      return new Error(`did not finish within ${deadlineMs / 1000} s`);
    });
  } catch (error) {
    return failed(errorMessage(error), remedy);
  }
}

export interface AllChecksOptions extends CheckOptions {
  /** The Amazon Connect instance whose hosts are checked. */
  readonly instance: NamedInstance;
  /** For the instance's hosts. */
  readonly ports: NetworkPorts;
  readonly onResult?: (result: CheckResult) => void;
}

/** The table's checks, then those of the network. */
export async function runAllChecks({
  instance,
  ports,
  onResult,
  ...options
}: AllChecksOptions): Promise<CheckResult[]> {
  const context = openContext({ ...options, instanceAlias: instance.alias });
  try {
    const results = await runChecks(
      checkTable.map((make) => make(context)),
      onResult,
    );
    const found = await checkInstance(instance, ports);
    return [...results, ...found.map((one, index) => ({ step: results.length + index + 1, ...one }))];
  } finally {
    context.close();
  }
}
