// The hosts and ports that the agents of an instance need, from resources/network/connect.json, which names its source and date.

import facts from '../../../resources/network/connect.json' with { type: 'json' };
import type { Target } from './types.ts';

export interface Instance {
  /** `acme` of acme.my.connect.aws */
  readonly alias: string;
  /** null when unknown: hosts that depend on it are left out. */
  readonly region: string | null;
}

export const factsReadOn: string = facts.readOn;
/** Of a desk: "System and network requirements for screen recording" (AWS). */
export const awsMinimum: Readonly<typeof facts.minimum> = facts.minimum;

/** Every host once. Wildcards stay where AWS does not publish the hosts behind them. */
export function targetsOf({ alias, region }: Instance): Target[] {
  const targets = new Map<string, Target>();
  const add = (host: string, target: Omit<Target, 'host'>): void => {
    if (!targets.has(host)) targets.set(host, { host, ...target });
  };
  for (const { host, port, protocol: given, for: purpose, ...more } of facts.hosts) {
    if (region === null && host.includes('<region>')) continue;
    const name = host.replaceAll('<alias>', alias).replaceAll('<region>', region ?? '');
    const protocol = given === 'udp' ? 'udp' : 'tcp';
    const turn = protocol === 'udp' ? listed(facts.turnNlb, region) : [];
    const websocket = 'websocket' in more && more.websocket;
    const isOptional = 'optional' in more && more.optional;
    // Without the data's references to itself.
    const target = {
      port,
      protocol,
      purpose: purpose.replace(/; see .*$/, ''),
      websocket,
      isOptional,
    } as const;
    for (const one of turn.length > 0 ? turn : [name]) add(one.toLowerCase(), target);
  }
  const purpose = "the CCP page's scripts and images";
  for (const path of [
    ...listed(facts.cloudFrontStatic, region),
    ...listed(facts.cloudFrontWithoutSaml, region),
  ])
    add(path.replace(/\/.*$/, ''), webHost(purpose));
  return [...targets.values()];
}

/** What is needed of a host that serves https and nothing else. */
export function webHost(purpose: string): Omit<Target, 'host'> {
  return { port: 443, protocol: 'tcp', purpose, websocket: false, isOptional: false };
}

/** Regions that the data lists TURN hosts for. */
export function hasTurnHosts(region: string): boolean {
  return listed(facts.turnNlb, region).length > 0;
}

/** The local UDP ports to which the answers of TURN hosts come back. */
export function localUdpPorts(platform: NodeJS.Platform): string {
  const range = platform === 'win32' ? facts.ephemeralPorts.windows : facts.ephemeralPorts.linux;
  return range.replace('/udp', '');
}

function listed(
  byRegion: Readonly<Partial<Record<string, readonly string[]>>>,
  region: string | null,
): readonly string[] {
  return region === null || !Object.hasOwn(byRegion, region) ? [] : (byRegion[region] ?? []);
}
