// Whose program is at the other end of a loopback connection: the user of its socket on Linux (/proc/net/tcp and tcp6,
// proc(5), the sockets of our network namespace), its session on Windows (windowsPeers.ts).

import { closeSync, openSync, readSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';

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
  /** Another user's or session's program. `owner`: the user's number; on Windows the session's. */
  | { readonly kind: 'other'; readonly owner: string; readonly reason: string }
  /** Nothing certain is known, which is no reason to trust it. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** One lookup for all of them; the verdicts are in their order. Rejects when the system's table cannot be read. */
export type FindPeers = (peers: readonly PeerConnection[]) => Promise<readonly PeerVerdict[]>;

/** null once the connection is gone. */
export function peerOf(socket: Socket): PeerConnection | null {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (!localAddress || !localPort || !remoteAddress || !remotePort) return null;
  return {
    local: { address: unmapped(remoteAddress), port: remotePort },
    remote: { address: unmapped(localAddress), port: localPort },
  };
}

/** `::ffff:127.0.0.1` is 127.0.0.1 (RFC 4291, 2.5.5.2). */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

export function keyOf({ local, remote }: PeerConnection): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

const unlisted = 'the system lists no such connection';
export const NOT_FOUND: PeerVerdict = { kind: 'unknown', reason: unlisted };

/** @param users by keyOf */
function judge(
  peers: readonly PeerConnection[],
  users: ReadonlyMap<string, number>,
  ours: number,
  notFound = NOT_FOUND,
): PeerVerdict[] {
  return peers.map((peer) => {
    const user = users.get(keyOf(peer));
    if (user === undefined) return notFound;
    if (user === ours) return { kind: 'ours' };
    return { kind: 'other', owner: String(user), reason: `it is user ${user}'s, not user ${ours}'s` };
  });
}

/** A line has 150 characters: this is for 400,000 sockets, and a bound for a program that opens more. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** Takes about 10 ms. */
const TURN_BYTES = 1024 * 1024;
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/** @param uid ours */
export function linuxPeers(uid: number, tables: readonly string[] = TABLES): FindPeers {
  return async (peers) => {
    const wanted = rowsOf(peers);
    const count = new Set(wanted.values()).size;
    const users = new Map<string, number>();
    let notFound = NOT_FOUND;
    for (const table of tables) {
      if (users.size === count) break;
      try {
        await eachChunk(table, (text) => readTable(text, wanted, users));
      } catch (error) {
        // A machine without IPv6 has no tcp6.
        notFound = { kind: 'unknown', reason: `${unlisted} (${String(error)})` };
      }
    }
    return judge(peers, users, uid, notFound);
  };
}

/** How the tables write each connection, with its key: `0100007F:CC94 0100007F:1538`; tcp6 writes IPv4 as mapped. */
export function rowsOf(peers: readonly PeerConnection[], order = endianness()): Map<string, string> {
  const rows = new Map<string, string>();
  for (const peer of peers) {
    const { local, remote } = peer;
    const [from, to] = [hexOf(local.address, order), hexOf(remote.address, order)];
    const [fromPort, toPort] = [local, remote].map(
      ({ port }) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`,
    );
    rows.set(`${from}${fromPort} ${to}${toPort}`, keyOf(peer));
    if (isIPv4(local.address) && isIPv4(remote.address))
      rows.set(`${from.slice(-8)}${fromPort} ${to.slice(-8)}${toPort}`, keyOf(peer));
  }
  return rows;
}

/** As an IPv6 address, in 32-bit words of the machine's order. */
function hexOf(address: string, order: 'LE' | 'BE'): string {
  const [head = [], tail = []] = (isIPv4(address) ? '::ffff:0:0' : address.replace(/%.*/, ''))
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.from(
    [...head, ...zeros, ...tail].map((word) => word.padStart(4, '0')).join(''),
    'hex',
  );
  if (isIPv4(address)) bytes.set(address.split('.').map(Number), 12);
  return (order === 'LE' ? bytes.swap32() : bytes).toString('hex').toUpperCase();
}

/**
 * Established rows (state 01) with an inode, whose owner is certain: a socket that its program has closed shows uid 0.
 * `  0: 0100007F:CC94 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 24901 ...`
 */
const ROW = /^ *\d+: (\S+ \S+) 01 \S+ \S+ +\S+ +(\d+) +\d+ +(?!0 )\d+ /gm;

export function readTable(
  text: string,
  wanted: ReadonlyMap<string, string>,
  users: Map<string, number>,
): void {
  for (const [, ends = '', uid] of text.matchAll(ROW)) {
    const key = wanted.get(ends);
    if (key !== undefined) users.set(key, Number(uid));
  }
}

/**
 * Whole lines, in pieces: the table of a busy machine has megabytes. Read synchronously, for the kernel has it in memory: a
 * turn of the event loop for each piece would be slow just when a storm of connections fills the turns.
 */
async function eachChunk(path: string, take: (text: string) => void): Promise<void> {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    let rest = '';
    for (let sizeBytes = 0; sizeBytes <= MAX_TABLE_BYTES;) {
      const bytesRead = readSync(file, buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      if (Math.floor((sizeBytes + bytesRead) / TURN_BYTES) > Math.floor(sizeBytes / TURN_BYTES))
        await nextTurn();
      sizeBytes += bytesRead;
      const text = rest + buffer.toString('latin1', 0, bytesRead);
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      take(text.slice(0, end));
    }
  } finally {
    closeSync(file);
  }
}
