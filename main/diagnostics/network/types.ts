// What the network's checks are given and what they answer. Everything that leaves the process goes through the ports,
// so that tests lead it to stand-ins on loopback; the program itself has no way to do so.

import type { ProxyRoute } from './proxy.ts';

export type NetworkVerdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface NetworkFinding {
  readonly verdict: NetworkVerdict;
  readonly evidence: string;
  /** What to put on which allowlist, or to change; empty when there is nothing to do. */
  readonly remedy: string;
}

export interface NetworkCheck extends NetworkFinding {
  /** For example `network acme.my.connect.aws:443 tls`. */
  readonly name: string;
}

/** A host, or a family of hosts whose name has a `*`. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** What needs it, in words. */
  readonly purpose: string;
  readonly websocket: boolean;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface NetworkPorts {
  /** The addresses of a name, as this machine's programs see them. @throws a system error, such as ENOTFOUND */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Where packets for an endpoint are sent. */
  readonly dial: (endpoint: Endpoint, host: string) => Endpoint;
  readonly proxyFor: (host: string, port: number) => Promise<ProxyRoute>;
  /** Roots (PEM) to trust instead of Node's; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly trustedRoots: string | undefined;
  readonly platform: NodeJS.Platform;
}

export interface NetworkLimits {
  readonly dnsMs: number;
  readonly tcpMs: number;
  readonly proxyMs: number;
  readonly tlsMs: number;
  readonly websocketMs: number;
  readonly stunMs: number;
  /** Until the first repetition of a STUN request; doubled for each further one (RFC 5389, 7.2.1: 500 ms). */
  readonly stunFirstWaitMs: number;
  /** For everything together. */
  readonly totalMs: number;
  /** How many hosts are tried at the same time. */
  readonly atOnce: number;
}

export const DEFAULT_LIMITS: NetworkLimits = {
  dnsMs: 4000,
  tcpMs: 4000,
  proxyMs: 5000,
  tlsMs: 4000,
  websocketMs: 4000,
  stunMs: 5000,
  stunFirstWaitMs: 500,
  totalMs: 28_000,
  atOnce: 6,
};
