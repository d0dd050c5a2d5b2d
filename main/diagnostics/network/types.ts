// The types of the network's checks. All traffic goes through the ports, so that tests can redirect it to stand-ins on loopback;
// the program has no setting for that.

import type { Network } from '../../platform/network/network.ts';
import type { ProxyRoute } from '../../platform/network/proxy.ts';
import type { Finding } from '../check.ts';

/** What the checks of a host are called; `region` and `endpoint-list` are about the instance. */
export const networkSteps = [
  ...(['dns', 'tcp', 'tls', 'websocket', 'stun', 'proxy', 'allowlist', 'region', 'endpoint-list'] as const),
] as const;
export type NetworkStep = (typeof networkSteps)[number];

export interface NetworkCheck extends Finding {
  /** For example `network acme.my.connect.aws:443 tls`. */
  readonly name: string;
}

/** A host, or a family of hosts whose name has a `*`. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** What needs it. */
  readonly purpose: string;
  readonly websocket: boolean;
  /** Not every instance has it: that it cannot be reached is a warning at most. */
  readonly isOptional: boolean;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface NetworkPorts {
  /** @throws a system error, such as ENOTFOUND */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Where packets for an endpoint are sent. */
  readonly dial: (endpoint: Endpoint, host: string) => Endpoint;
  readonly proxyFor: (host: string, port: number) => Promise<ProxyRoute>;
  /** What to trust; undefined: Node's roots. */
  readonly trustedRoots: string | undefined;
  readonly platform: NodeJS.Platform;
  /** For AWS's list of endpoints. */
  readonly network: Network;
}

export const DEFAULT_LIMITS = {
  dnsMs: 4000,
  tcpMs: 4000,
  proxyMs: 5000,
  tlsMs: 4000,
  websocketMs: 4000,
  stunMs: 5000,
  /** Until the first retransmission of a STUN request, then doubled (RFC 5389, 7.2.1). */
  stunFirstWaitMs: 500,
  /** To download AWS's list of endpoints. */
  listMs: 8000,
  /** For all hosts together, and the list. */
  totalMs: 28_000,
  /** Hosts tried at the same time. */
  atOnce: 6,
};
export type NetworkLimits = Readonly<typeof DEFAULT_LIMITS>;
