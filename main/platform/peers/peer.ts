// Whose program is at the other end of a loopback connection. Pure: what each system says is parsed beside this file.

import type { Socket } from 'node:net';

/** One end of a TCP connection; an IPv4 address is never written as a mapped one. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection as its other end has it: `local` is what we call remote. */
export interface PeerConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export type PeerVerdict =
  | { readonly kind: 'ours' }
  /** Another user's or session's. */
  | { readonly kind: 'other'; readonly reason: string }
  /** Nothing certain is known, which is no reason to trust it. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Looks once for all of them; the answers are in their order. Rejects when the system does not tell. */
export type FindPeers = (peers: readonly PeerConnection[]) => Promise<readonly PeerVerdict[]>;

/** null once the connection is gone. */
export function peerOf({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
}: Socket): PeerConnection | null {
  if (
    localAddress === undefined ||
    localPort === undefined ||
    remoteAddress === undefined ||
    remotePort === undefined
  )
    return null;
  return {
    local: { address: unmapped(remoteAddress), port: remotePort },
    remote: { address: unmapped(localAddress), port: localPort },
  };
}

/** `::ffff:127.0.0.1` is 127.0.0.1 (RFC 4291, 2.5.5.2). */
export function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

export function keyOf({ local, remote }: PeerConnection): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

export const NOT_FOUND: PeerVerdict = {
  kind: 'unknown',
  reason: 'the system lists no such connection',
};
