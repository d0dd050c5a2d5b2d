// The health checks behind `sightline doctor` and the app's "Run checks": the table of checks, and how they run.

import { errorMessage } from '../shared/errors.ts';
import type { Check, CheckResult, Finding } from './check.ts';
import { failed } from './check.ts';
import { browserPolicyCheck } from './checks/browserPolicy.ts';
import { captureCheck } from './checks/capture.ts';
import { clockCheck } from './checks/clock.ts';
import { credentialsCheck } from './checks/credentials.ts';
import { dataCheck } from './checks/data.ts';
import { displayCheck } from './checks/display.ts';
import { domainsCheck } from './checks/domains.ts';
import { encoderCheck } from './checks/encoder.ts';
import { eventBridgeCheck } from './checks/eventBridge.ts';
import { instanceCheck } from './checks/instance.ts';
import { keyStoreCheck } from './checks/keyStore.ts';
import { machineCheck } from './checks/machine.ts';
import { pageAuthCheck } from './checks/pageAuth.ts';
import { policyCheck } from './checks/policy.ts';
import { portCheck } from './checks/port.ts';
import { proxyCheck } from './checks/proxy.ts';
import { refusedCheck } from './checks/refused.ts';
import { sinkCheck } from './checks/sink.ts';
import { statusEventsCheck } from './checks/statusEvents.ts';
import type { CheckContext, CheckOptions } from './context.ts';
import { openContext } from './context.ts';
import { NoAnswerError, within } from './deadline.ts';
import { checkInstance } from './network/checkNetwork.ts';
import type { NetworkPorts } from './network/types.ts';

/** In the order of their steps. */
export const checkTable: readonly ((context: CheckContext) => Check)[] = [
  portCheck,
  instanceCheck,
  policyCheck,
  domainsCheck,
  pageAuthCheck,
  browserPolicyCheck,
  refusedCheck,
  encoderCheck,
  displayCheck,
  captureCheck,
  dataCheck,
  keyStoreCheck,
  credentialsCheck,
  sinkCheck,
  // After the checks that ask servers: their answers have the time.
  clockCheck,
  proxyCheck,
  statusEventsCheck,
  eventBridgeCheck,
  machineCheck,
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
  for (const [index, check] of checks.entries()) {
    const result = { step: index + 1, name: check.name, ...(await runOne(check, deadlineMs)) };
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runOne(check: Check, deadlineMs: number): Promise<Finding> {
  try {
    return await within(deadlineMs, null, async () => check.run());
  } catch (error) {
    return error instanceof NoAnswerError
      ? failed(
          `did not finish within ${deadlineMs / 1000} s`,
          'Run the checks again. If this repeats, export the diagnostics and send them to support.',
        )
      : failed(
          errorMessage(error),
          'The check itself failed. Export the diagnostics and send them to support.',
        );
  }
}

export interface AllChecksOptions extends CheckOptions {
  /** The Amazon Connect instance whose hosts are checked; null: none is known. */
  readonly instance: { readonly alias: string | null; readonly region: string | null };
  readonly network: NetworkPorts;
  readonly onResult?: (result: CheckResult) => void;
}

/** The table's checks, then those of the network. */
export async function runAllChecks({
  instance,
  network,
  onResult,
  ...options
}: AllChecksOptions): Promise<CheckResult[]> {
  const context = openContext({ ...options, instanceAlias: instance.alias });
  try {
    const results = await runChecks(
      checkTable.map((make) => make(context)),
      onResult,
    );
    const found = await checkInstance(instance, network);
    return [...results, ...found.map((one, index) => ({ step: results.length + index + 1, ...one }))];
  } finally {
    context.close();
  }
}
