// Whose program is at the other end of a loopback connection: the user of its socket on Linux (/proc/net/tcp and tcp6,
// proc(5), the sockets of our network namespace) and macOS (lsof, which shows an ordinary user only that user's own
// programs; tested on lines in its documented format, not run on a Mac yet), its session on Windows (windowsPeers.ts).

import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import type { RunTool } from '../platform/runTool.ts';

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

/** A line has 150 characters: this is for 400,000 sockets, and a bound for who opens more. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

export interface SocketRow {
  /** As keyOf makes it. */
  readonly key: string;
  readonly uid: number;
}

/** `  0: 0100007F:CC94 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 24901 ...` */
const ROW =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) 01 \S+ \S+ +\S+ +(\d+) +\d+ +(\d+) /;

/**
 * The connections in such a table whose owner is certain. Only established ones (state 01) with an inode: a socket that
 * its program has closed shows uid 0, whoever it belonged to.
 *
 * @param isWanted by its ports, before anything else of a line is looked at
 * @param remotePorts where given, of these only
 */
export function parseProcNetTcp(
  text: string,
  isWanted: (local: number, remote: number) => boolean = () => true,
  order: 'LE' | 'BE' = endianness(),
  remotePorts: readonly number[] = [],
): SocketRow[] {
  const rows: SocketRow[] = [];
  const marks = remotePorts.map((port) => `:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `);
  for (const line of text.split('\n')) {
    // After a flood nearly all of a long table are connections that have ended.
    if (marks.length > 0 && !marks.some((mark) => line.includes(mark))) continue;
    const match = ROW.exec(line);
    if (match === null) continue;
    const [, from = '', fromPort = '', to = '', toPort = '', uid, inode] = match;
    const [local, remote] = [parseInt(fromPort, 16), parseInt(toPort, 16)];
    if (inode === '0' || !isWanted(local, remote)) continue;
    const key = keyOf({
      local: { address: addressOf(from, order), port: local },
      remote: { address: addressOf(to, order), port: remote },
    });
    rows.push({ key, uid: Number(uid) });
  }
  return rows;
}

/** `0100007F`: words of 32 bits in the order of the machine. */
function addressOf(hex: string, order: 'LE' | 'BE'): string {
  const bytes = Buffer.from(hex, 'hex');
  if (order === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const isMapped = words.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
  if (isMapped) return unmapped(`::ffff:${bytes.subarray(12).join('.')}`);
  // As Node writes it: the URL parser shortens an address in the same way (RFC 5952).
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** @param uid ours */
export function linuxPeers(
  uid: number,
  tables: readonly string[] = ['/proc/net/tcp', '/proc/net/tcp6'],
): FindPeers {
  return async (peers) => {
    const wanted = new Map<string, PeerVerdict>(peers.map((peer) => [keyOf(peer), NOT_FOUND]));
    const ports = new Set(peers.map(({ local, remote }) => `${local.port} ${remote.port}`));
    const isWanted = (local: number, remote: number): boolean => ports.has(`${local} ${remote}`);
    const remotePorts = [...new Set(peers.map(({ remote }) => remote.port))];
    let unread: string | null = null;
    for (const table of tables) {
      if (![...wanted.values()].includes(NOT_FOUND)) break;
      try {
        await eachRow(table, isWanted, remotePorts, (row) => {
          if (wanted.has(row.key)) wanted.set(row.key, verdictOf(row.uid, uid));
        });
      } catch (error) {
        // A machine without IPv6 has no tcp6.
        unread = String(error);
      }
    }
    return peers.map((peer) => {
      const verdict = wanted.get(keyOf(peer)) ?? NOT_FOUND;
      if (verdict.kind !== 'unknown' || unread === null) return verdict;
      return { kind: 'unknown', reason: `${verdict.reason} (${unread})` };
    });
  };
}

function verdictOf(uid: number, ours: number): PeerVerdict {
  return uid === ours
    ? { kind: 'ours' }
    : { kind: 'other', reason: `it is user ${uid}'s, not user ${ours}'s` };
}

/** In pieces: the table of a busy machine has megabytes. */
async function eachRow(
  path: string,
  isWanted: (local: number, remote: number) => boolean,
  remotePorts: readonly number[],
  take: (row: SocketRow) => void,
): Promise<void> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    let rest = '';
    for (let sizeBytes = 0; sizeBytes <= MAX_TABLE_BYTES;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      sizeBytes += bytesRead;
      const text = rest + buffer.toString('latin1', 0, bytesRead);
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      for (const row of parseProcNetTcp(text.slice(0, end), isWanted, endianness(), remotePorts)) take(row);
    }
  } finally {
    await file.close();
  }
}

/**
 * The user of each connection in what `lsof -F pun` prints (lsof(8), OUTPUT FOR OTHER PROGRAMS): a line is a field, `u` for
 * a process and `n` for one of its files, such as `n127.0.0.1:52344->127.0.0.1:5431` or `n[::1]:52345->[::1]:5431`.
 */
export function parseLsof(text: string): Map<string, number> {
  const users = new Map<string, number>();
  let uid: number | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('p')) uid = null;
    if (/^u\d+$/.test(line)) uid = Number(line.slice(1));
    const match = /^n\[?([\d.:a-f]+?)\]?:(\d+)->\[?([\d.:a-f]+?)\]?:(\d+)$/i.exec(line);
    if (match === null || uid === null) continue;
    const [, local = '', localPort, remote = '', remotePort] = match;
    const key = keyOf({
      local: { address: unmapped(local), port: Number(localPort) },
      remote: { address: unmapped(remote), port: Number(remotePort) },
    });
    users.set(key, uid);
  }
  return users;
}

/** @param uid ours */
export function macPeers(uid: number, run: RunTool): FindPeers {
  return async (peers) => {
    const ports = [...new Set(peers.map(({ remote }) => remote.port))].join(',');
    const text = await run('/usr/sbin/lsof', ['-nP', `-iTCP:${ports}`, '-sTCP:ESTABLISHED', '-F', 'pun']);
    const users = parseLsof(text);
    return peers.map((peer): PeerVerdict => {
      const user = users.get(keyOf(peer));
      if (user === undefined) return NOT_FOUND;
      return user === uid
        ? { kind: 'ours' }
        : { kind: 'other', reason: `it is user ${user}'s, not user ${uid}'s` };
    });
  };
}
