// Whether this machine reaches the hosts that Amazon Connect's CCP and softphone need: DNS, TCP, TLS, proxies, websockets, and STUN
// over UDP. Sends only handshakes; each step has a deadline, and everything ends within half a minute.

import { lookup } from 'node:dns/promises';
import { withDeadline } from '../../platform/deadline.ts';
import type { Network } from '../../platform/network/network.ts';
import { NodeNetwork } from '../../platform/network/nodeNetwork.ts';
import { proxyFromAnswer, proxyFromEnvironment, type ProxyRoute } from '../../platform/network/proxy.ts';
import { errorMessage } from '../../shared/errors.ts';
import { skipped, warning, type Verdict } from '../check.ts';
import { Attempt, type Context } from './attempt.ts';
import { listedEndpoints } from './endpointList.ts';
import { factsReadOn, hasTurnHosts, targetsOf, type Instance } from './hosts.ts';
import { NoAnswerError, networkMessage } from './sockets.ts';
import {
  DEFAULT_LIMITS,
  type NetworkCheck,
  type NetworkLimits,
  type NetworkPorts,
  type Target,
} from './types.ts';

/**
 * Asks the desktop, as a browser would: its settings, its automatic configuration, its script (PAC).
 *
 * @returns `PROXY proxy.example:3128; DIRECT`; https://www.electronjs.org/docs/latest/api/session#sesresolveproxyurl
 */
export type ResolveProxy = (url: string) => Promise<string>;

/** The real network, with the desktop's proxy or else the environment's. */
export function systemPorts(
  environment: Readonly<Record<string, string | undefined>>,
  resolveProxy: ResolveProxy | null = null,
  network: Network = new NodeNetwork(),
): NetworkPorts {
  return {
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    dial: (endpoint) => endpoint,
    proxyFor:
      resolveProxy === null
        ? (host, port) => Promise.resolve(proxyFromEnvironment(environment, host, port))
        : proxyFromDesktop(resolveProxy, DEFAULT_LIMITS.proxyMs),
    trustedRoots: undefined,
    network,
    platform: process.platform,
  };
}

/** By the desktop. A PAC script can be slow or unavailable: then nothing is tried. */
export function proxyFromDesktop(resolve: ResolveProxy, limitMs: number) {
  return async (host: string, port: number): Promise<ProxyRoute> => {
    // A script needs a name, not a wildcard.
    const url = `https://${host.replace('*', 'sightline-check')}:${port}/`;
    try {
      return proxyFromAnswer(await withDeadline(resolve(url), limitMs, () => new NoAnswerError(limitMs)));
    } catch (error) {
      const why = `the desktop does not say which proxy it uses: ${networkMessage(error)}`;
      return { kind: 'unusable', why };
    }
  };
}

/** An Amazon Connect instance as far as it is known. */
export interface NamedInstance {
  readonly alias: string | null;
  readonly region: string | null;
  /** A file or an https address with AWS's list of endpoints; null: none. */
  readonly endpointList: string | null;
}

/** Without an instance: one line, and no traffic. */
export async function checkInstance(
  { alias, region, endpointList }: NamedInstance,
  ports: NetworkPorts,
): Promise<NetworkCheck[]> {
  if (alias !== null) return checkNetwork({ alias, region }, ports, DEFAULT_LIMITS, endpointList);
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
  endpointList: string | null = null,
): Promise<NetworkCheck[]> {
  const whole = new AbortController();
  const timer = setTimeout(() => whole.abort(new Error('out of time')), limits.totalMs);
  try {
    const listed =
      endpointList === null
        ? null
        : await listedEndpoints(ports.network, endpointList, instance.region, Date.now(), limits.listMs);
    const targets = [...targetsOf(instance), ...(listed?.targets ?? [])];
    const checks = await mapAtOnce(targets, limits.atOnce, (target) =>
      checkTarget(target, { ports, limits, whole: whole.signal }),
    );
    const list = listed === null ? [] : [{ name: 'network endpoint-list', ...listed.finding }];
    return [...checkRegion(instance), ...list, ...checks.flat()];
  } finally {
    clearTimeout(timer);
  }
}

/** Results in the order of the items. */
export async function mapAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const take = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, take));
  return results;
}

function checkRegion({ region }: Instance): NetworkCheck[] {
  const name = 'network region';
  if (region === null) {
    const finding = warning(
      'the region of the instance is not known, so most of its hosts were not tried',
      'Set "instanceRegion", or name it: sightline doctor --region eu-central-1.',
    );
    return [{ name, ...finding }];
  }
  if (hasTurnHosts(region)) return [];
  const finding = warning(
    `no TURN hosts are known for ${region} (list of ${factsReadOn}), so UDP was not tried`,
    `Check the spelling of ${region}; if it is right, take its TURN hosts from AWS's guide and allow them, UDP 3478.`,
  );
  return [{ name, ...finding }];
}

export async function checkTarget(target: Target, context: Context): Promise<NetworkCheck[]> {
  const attempt = new Attempt(target, context);
  try {
    const checks: NetworkCheck[] = [];
    let stoppedBy: string | null = null;
    for (const [step, run] of await attempt.steps()) {
      const name = `network ${target.host}:${target.port} ${step}`;
      if (stoppedBy !== null) {
        checks.push({ name, ...skipped(`not tried: ${stoppedBy}`) });
        continue;
      }
      try {
        const { goOn, verdict, ...finding } = await run();
        checks.push({ name, ...finding, verdict: softened(verdict, target) });
        if (verdict !== 'ok' && goOn !== true)
          stoppedBy = verdict === 'failed' ? `${step} failed` : finding.evidence;
      } catch (error) {
        // Steps judge their own errors, so this is the overall deadline or a bug.
        const evidence = context.whole.aborted
          ? 'not tried: the time for all checks was over'
          : `could not be tried: ${errorMessage(error)}`;
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

function softened(verdict: Verdict, { isOptional }: Target): Verdict {
  return isOptional && verdict === 'failed' ? 'warning' : verdict;
}
