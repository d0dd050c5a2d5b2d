// macOS: the user of a socket, from lsof, which shows an ordinary user only that user's own programs.
// Tested on lines written in lsof's documented format (lsof(8), OUTPUT FOR OTHER PROGRAMS); not run on a Mac yet.

import type { RunTool } from '../runTool.ts';
import type { FindPeers, PeerVerdict } from './peer.ts';
import { NOT_FOUND, keyOf, unmapped } from './peer.ts';

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
