// Whether this machine reaches the hosts that Amazon Connect's CCP and softphone need: DNS, TCP, TLS, proxies, websockets, and STUN
// over UDP. Sends only handshakes; each step has a deadline, and everything ends within half a minute.

import { lookup } from 'node:dns/promises';
import type { Context } from './attempt.ts';
import { Attempt } from './attempt.ts';
import { skipped, warning } from '../check.ts';
import { asError, mapAtOnce } from '../deadline.ts';
import type { Instance } from './hosts.ts';
import { factsReadOn, hasTurnHosts, targetsOf } from './hosts.ts';
import type { ResolveProxy } from './proxy.ts';
import { proxyFromDesktop, proxyFromEnvironment } from './proxy.ts';
import type { NetworkCheck, NetworkLimits, NetworkPorts, Target } from './types.ts';
import { DEFAULT_LIMITS } from './types.ts';

/** The real network, with the desktop's proxy or else the environment's. */
export function systemPorts(
  environment: Readonly<Record<string, string | undefined>>,
  resolveProxy: ResolveProxy | null = null,
): NetworkPorts {
  return {
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    dial: (endpoint) => endpoint,
    proxyFor:
      resolveProxy === null
        ? (host, port) => Promise.resolve(proxyFromEnvironment(environment, host, port))
        : proxyFromDesktop(resolveProxy, DEFAULT_LIMITS.proxyMs),
    trustedRoots: undefined,
    platform: process.platform,
  };
}

/** Without an instance: one line, and no traffic. */
export async function checkInstance(
  { alias, region }: { readonly alias: string | null; readonly region: string | null },
  ports: NetworkPorts,
): Promise<NetworkCheck[]> {
  if (alias !== null) return checkNetwork({ alias, region }, ports);
  return [
    {
      name: 'network',
      ...skipped(
        'the connection to Amazon Connect was not tried: Sightline does not know your instance',
        'To try it, set the policy keys "instanceAlias" (acme for acme.my.connect.aws) and "instanceRegion" (such as ' +
          'eu-central-1), or run: sightline doctor --instance acme --region eu-central-1.',
      ),
    },
  ];
}

/** Checks every host that the instance needs, in the order of the list. Never throws. */
export async function checkNetwork(
  instance: Instance,
  ports: NetworkPorts,
  limits: NetworkLimits = DEFAULT_LIMITS,
): Promise<NetworkCheck[]> {
  const targets = targetsOf(instance);
  const whole = new AbortController();
  const timer = setTimeout(() => whole.abort(new Error('out of time')), limits.totalMs);
  try {
    const checks = await mapAtOnce(targets, limits.atOnce, (target) =>
      checkTarget(target, { ports, limits, whole: whole.signal }),
    );
    return [...checkRegion(instance), ...checks.flat()];
  } finally {
    clearTimeout(timer);
  }
}

function checkRegion({ region }: Instance): NetworkCheck[] {
  const name = 'network region';
  if (region === null) {
    return [
      {
        name,
        ...warning(
          'the region of the instance is not known, so most of its hosts were not tried',
          'Set "instanceRegion", or name it: sightline doctor --region eu-central-1.',
        ),
      },
    ];
  }
  if (hasTurnHosts(region)) return [];
  return [
    {
      name,
      ...warning(
        `no TURN hosts are known for ${region} (list of ${factsReadOn}), so UDP was not tried`,
        `Check the spelling of ${region}; if it is right, take its TURN hosts from AWS's guide and allow them, UDP 3478.`,
      ),
    },
  ];
}

export async function checkTarget(target: Target, context: Context): Promise<NetworkCheck[]> {
  const attempt = new Attempt(target, context);
  try {
    const steps = await attempt.steps();
    const checks: NetworkCheck[] = [];
    let stoppedBy: string | null = null;
    for (const { name: step, run } of steps) {
      const name = `network ${target.host}:${target.port} ${step}`;
      if (stoppedBy !== null) {
        checks.push({ name, ...skipped(`not tried: ${stoppedBy}`) });
        continue;
      }
      try {
        const { goOn, ...finding } = await run();
        checks.push({ name, ...finding });
        if (!goOn) stoppedBy = finding.verdict === 'failed' ? `${step} failed` : finding.evidence;
      } catch (error) {
        // Steps judge their own errors, so this is the overall deadline or a bug.
        const evidence = context.whole.aborted
          ? 'not tried: the time for all checks was over'
          : `could not be tried: ${asError(error).message}`;
        const remedy = context.whole.aborted ? 'Fix what failed above, and run the checks again.' : '';
        checks.push({ name, ...skipped(evidence, remedy) });
        stoppedBy = `${step} was not done`;
      }
    }
    return checks;
  } finally {
    attempt.close();
  }
}
