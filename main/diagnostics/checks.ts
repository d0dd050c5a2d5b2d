// The checks behind `sightline doctor`, in their order: each a numbered step. One file a subject below checks/; who
// supplies the subjects is main/healthChecks.ts.

import type { Check, CheckResult, Finding } from './check.ts';
import { failed, wordsOf } from './check.ts';
import type { BrowserSubject } from './checks/browserPolicy.ts';
import { browserPolicyCheck } from './checks/browserPolicy.ts';
import type { CaptureSubject } from './checks/capture.ts';
import { captureCheck } from './checks/capture.ts';
import type { ClockSubject } from './checks/clock.ts';
import { clockCheck } from './checks/clock.ts';
import type { CredentialsSubject } from './checks/credentials.ts';
import { credentialsCheck } from './checks/credentials.ts';
import type { DataSubject } from './checks/data.ts';
import { dataCheck } from './checks/data.ts';
import type { DisplaySubject } from './checks/display.ts';
import { displayCheck } from './checks/display.ts';
import type { DomainsSubject } from './checks/domains.ts';
import { domainsCheck } from './checks/domains.ts';
import type { EncoderSubject } from './checks/encoder.ts';
import { encoderCheck } from './checks/encoder.ts';
import type { EventBridgeSubject } from './checks/eventBridge.ts';
import { eventBridgeCheck } from './checks/eventBridge.ts';
import type { InstanceSubject } from './checks/instance.ts';
import { instanceCheck } from './checks/instance.ts';
import type { KeyStoreSubject } from './checks/keyStore.ts';
import { keyStoreCheck } from './checks/keyStore.ts';
import type { MachineSubject } from './checks/machine.ts';
import { machineCheck } from './checks/machine.ts';
import type { PageAuthSubject } from './checks/pageAuth.ts';
import { pageAuthCheck } from './checks/pageAuth.ts';
import type { PolicySubject } from './checks/policy.ts';
import { policyCheck } from './checks/policy.ts';
import type { PortSubject } from './checks/port.ts';
import { portCheck } from './checks/port.ts';
import type { ProxySubject } from './checks/proxy.ts';
import { proxyCheck } from './checks/proxy.ts';
import type { RefusedSubject } from './checks/refused.ts';
import { refusedCheck } from './checks/refused.ts';
import type { SinkSubject } from './checks/sink.ts';
import { sinkCheck } from './checks/sink.ts';
import type { StatusEventsSubject } from './checks/statusEvents.ts';
import { statusEventsCheck } from './checks/statusEvents.ts';
import type { NetworkCheck } from './network/types.ts';

export type { Check, CheckResult, Finding, Verdict } from './check.ts';

export interface CheckSubjects {
  readonly port: PortSubject;
  readonly instance: InstanceSubject;
  readonly policy: PolicySubject;
  readonly domains: DomainsSubject;
  readonly pageAuth: PageAuthSubject;
  readonly browsers: BrowserSubject;
  readonly refused: RefusedSubject;
  readonly encoder: EncoderSubject;
  readonly displays: DisplaySubject;
  readonly capture: CaptureSubject;
  readonly data: DataSubject;
  readonly keyStore: KeyStoreSubject;
  readonly credentials: CredentialsSubject;
  readonly sink: SinkSubject;
  readonly clock: ClockSubject;
  readonly proxy: ProxySubject;
  readonly statusEvents: StatusEventsSubject;
  readonly eventBridge: EventBridgeSubject;
  readonly machine: MachineSubject;
}

/** A name that does not answer is not to hold up the steps after it. */
const DEADLINE_MS = 45_000;

export function allChecks(subjects: CheckSubjects): Check[] {
  return [
    portCheck(subjects.port),
    instanceCheck(subjects.instance),
    policyCheck(subjects.policy),
    domainsCheck(subjects.domains),
    pageAuthCheck(subjects.pageAuth),
    browserPolicyCheck(subjects.browsers),
    refusedCheck(subjects.refused),
    encoderCheck(subjects.encoder),
    displayCheck(subjects.displays),
    captureCheck(subjects.capture),
    dataCheck(subjects.data),
    keyStoreCheck(subjects.keyStore),
    credentialsCheck(subjects.credentials),
    sinkCheck(subjects.sink),
    // After the sink: S3's answer to it tells the time.
    clockCheck(subjects.clock),
    proxyCheck(subjects.proxy),
    statusEventsCheck(subjects.statusEvents),
    eventBridgeCheck(subjects.eventBridge),
    machineCheck(subjects.machine),
  ];
}

/** One after the other, so that none disturbs what another one measures. @param told of each as it ends */
export async function runChecks(
  checks: readonly Check[],
  { told = () => undefined, deadlineMs = DEADLINE_MS }: RunOptions = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [index, check] of checks.entries()) {
    const result = { step: index + 1, name: check.name, ...(await runOne(check, deadlineMs)) };
    results.push(result);
    told(result);
  }
  return results;
}

/** Those of the network follow, numbered on. */
export function withNetwork(
  results: readonly CheckResult[],
  network: readonly NetworkCheck[],
): CheckResult[] {
  return [...results, ...network.map((check, index) => ({ step: results.length + index + 1, ...check }))];
}

export interface RunOptions {
  readonly told?: (result: CheckResult) => void;
  readonly deadlineMs?: number;
}

async function runOne(check: Check, deadlineMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const said = failed(
      `no end within ${deadlineMs / 1000} s`,
      'Run the checks again. If it stays so, export the diagnostics and send them to support.',
    );
    timer = setTimeout(() => resolve(said), deadlineMs);
  });
  try {
    return await Promise.race([(async () => check.run())(), late]);
  } catch (error) {
    return failed(
      wordsOf(error),
      'The check itself failed. Export the diagnostics and send them to support.',
    );
  } finally {
    clearTimeout(timer);
  }
}
