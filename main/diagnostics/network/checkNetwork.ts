// Whether this machine reaches what Amazon Connect's CCP and softphone need: for each host its name, its port, TLS, a
// proxy in between, websockets, and STUN over UDP. Nothing is sent but handshakes, each step has a deadline, and the whole
// ends within half a minute.

import { lookup } from 'node:dns/promises';
import type { Context } from './attempt.ts';
import { Attempt } from './attempt.ts';
import { asError, mapAtOnce } from './deadline.ts';
import type { Instance } from './hosts.ts';
import { factsReadOn, hasTurnHosts, targetsOf } from './hosts.ts';
import type { ResolveProxy } from './proxy.ts';
import { proxyFromDesktop, proxyFromEnvironment } from './proxy.ts';
import type { NetworkCheck, NetworkLimits, NetworkPorts, Target } from './types.ts';
import { DEFAULT_LIMITS } from './types.ts';

/** The ports of the program: the system's names, the network as it is, the desktop's proxy or else the environment's. */
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

/** What `sightline doctor` and the app say of the network; where no instance is named one line, and nothing is asked. */
export async function checkInstance(
  { alias, region }: { readonly alias: string | null; readonly region: string | null },
  ports: NetworkPorts,
): Promise<NetworkCheck[]> {
  if (alias !== null) return checkNetwork({ alias, region }, ports);
  return [
    {
      name: 'network',
      verdict: 'skipped',
      evidence: 'whether Amazon Connect can be reached was not tried: Sightline does not know your instance',
      remedy:
        'To have it tried, set the policy keys "instanceAlias" (acme of acme.my.connect.aws) and "instanceRegion" (such as ' +
        'eu-central-1), or run: sightline doctor --instance acme --region eu-central-1.',
    },
  ];
}

/** The checks of every host that the instance needs, in the order of the list. Never throws. */
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
    return [...checkKnowledge(instance), ...checks.flat()];
  } finally {
    clearTimeout(timer);
  }
}

function checkKnowledge({ region }: Instance): NetworkCheck[] {
  if (region === null) {
    return [
      {
        name: 'network region',
        verdict: 'warning',
        evidence: 'the region of the instance is not known, so most of its hosts were not tried',
        remedy: 'Set "instanceRegion", or name it: sightline doctor --region eu-central-1.',
      },
    ];
  }
  if (hasTurnHosts(region)) return [];
  return [
    {
      name: 'network region',
      verdict: 'warning',
      evidence: `no TURN hosts are known for ${region} (list of ${factsReadOn}), so UDP was not tried`,
      remedy: `See that ${region} is written rightly; if it is, take its TURN hosts from AWS's guide and allow them, UDP 3478.`,
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
        checks.push({ name, verdict: 'skipped', evidence: `not tried: ${stoppedBy}`, remedy: '' });
        continue;
      }
      try {
        const { goOn, ...finding } = await run();
        checks.push({ name, ...finding });
        if (!goOn) stoppedBy = finding.verdict === 'failed' ? `${step} failed` : finding.evidence;
      } catch (error) {
        // Steps judge their own errors: what is left is the end of the time for everything, or a fault of ours.
        const evidence = context.whole.aborted
          ? 'not tried: the time for all checks was over'
          : `could not be tried: ${asError(error).message}`;
        const remedy = context.whole.aborted ? 'Mend what failed above, and run the checks again.' : '';
        checks.push({ name, verdict: 'skipped', evidence, remedy });
        stoppedBy = `${step} was not done`;
      }
    }
    return checks;
  } finally {
    attempt.close();
  }
}
