// Windows: the session of the program at the other end, from the helper (resources/windowsHelper/peers.c).

import { z } from 'zod';
import type { WindowsHelper } from '../platform/windowsHelper.ts';
import type { FindPeers, PeerVerdict } from './peerLookup.ts';
import { NOT_FOUND, keyOf } from './peerLookup.ts';

/** One of the helper's answers: `ours`, `none`, `session 2 4711` or `process 4711`. */
export function parsePeer(text: string): PeerVerdict {
  const [word, first, pid] = text.split(' ');
  switch (word) {
    case 'ours':
      return { kind: 'ours' };
    case 'none':
      return NOT_FOUND;
    case 'session':
      return {
        kind: 'other',
        owner: first ?? '?',
        reason: `it is process ${pid ?? '?'} in Windows session ${first ?? '?'}, not in ours`,
      };
    default:
      return { kind: 'unknown', reason: `Windows does not report the session of process ${first ?? '?'}` };
  }
}

export function windowsPeers(helper: Pick<WindowsHelper, 'ask'>): FindPeers {
  return async (peers) => {
    const answers = z.array(z.string()).length(peers.length);
    return (await helper.ask(`peers ${peers.map(keyOf).join(',')}`, answers)).map(parsePeer);
  };
}
