// The health checks behind `sightline doctor` and the app's "Run checks": the table of checks, and how they run.

import { withDeadline } from '../platform/deadline.ts';
import { errorMessage } from '../shared/errors.ts';
import { failed, skipped, type Check, type CheckResult, type Finding } from './check.ts';
import { credentialsCheck, eventBridgeCheck, sinkBucketCheck } from './checks/aws.ts';
import { clockCheck, machineCheck, proxyCheck } from './checks/machine.ts';
import { browserPolicyCheck, domainsCheck, pageAuthCheck, refusedCheck } from './checks/pages.ts';
import { instanceCheck, policyCheck, portCheck } from './checks/program.ts';
import { captureCheck, displayCheck, encoderCheck } from './checks/screen.ts';
import { dataCheck, keyStoreCheck, sinkFolderCheck, statusEventsCheck } from './checks/storage.ts';
import { throughputCheck } from './checks/throughput.ts';
import { writeLastChecks } from '../fleet/lastChecks.ts';
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

/** Of the table, those that show whether this program reaches the servers of policy. */
const OVER_NETWORK = [
  ...['authentication', 'credentials', 'sink bucket', 'throughput', 'clock', 'proxy', 'EventBridge'],
];

/** What a running Sightline finds over its network, or why there are no findings of it. */
export type RunningFindings =
  { readonly checks: readonly (Finding & { readonly name: string })[] } | { readonly none: string };

export async function runNetworkChecks(options: CheckOptions): Promise<CheckResult[]> {
  const context = openContext(options);
  try {
    const checks = checkTable.map((make) => make(context));
    return await runChecks(checks.filter(({ name }) => OVER_NETWORK.includes(name)));
  } finally {
    context.close();
  }
}

/** In place of this program's own: it may run in another network stack, with another proxy and other roots. */
function asFoundBy(running: RunningFindings, own: Check): Check {
  if (!OVER_NETWORK.includes(own.name)) return own;
  const run = async (): Promise<Finding> => {
    if ('checks' in running) {
      const found = running.checks.find(({ name }) => name === own.name);
      return found ?? skipped('the running Sightline has another policy, without this check');
    }
    const finding = await own.run();
    if (finding.verdict !== 'ok') return finding;
    return { ...finding, evidence: `${finding.evidence} (tried by this command: ${running.none})` };
  };
  return { name: own.name, run };
}

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
  /** null: this is the running Sightline. */
  readonly running: RunningFindings | null;
  readonly onResult?: (result: CheckResult) => void;
}

/** The table's checks, then those of the network. */
export async function runAllChecks({
  instance,
  ports,
  running,
  onResult,
  ...options
}: AllChecksOptions): Promise<CheckResult[]> {
  const context = openContext({ ...options, instanceAlias: instance.alias });
  try {
    const results = await runChecks(
      checkTable
        .map((make) => make(context))
        .map((one) => (running === null ? one : asFoundBy(running, one))),
      onResult,
    );
    const found = await checkInstance(instance, ports);
    const all = [...results, ...found.map((one, index) => ({ step: results.length + index + 1, ...one }))];
    await writeLastChecks(options.policy.dataDir, all);
    return all;
  } finally {
    context.close();
  }
}
