// How many looks at the system's table a flood of connections costs, and what becomes of doubts.
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FindPeers, PeerVerdict } from '../../../main/server/peerLookup.ts';
import { limitRepeats } from '../../../main/platform/repeats.ts';
import { Peers } from '../../../main/server/peer.ts';
import { keepingLogger } from '../support/logs.ts';

/** As accepted at our port: Node's own class, with the four names that a connection has. */
function socketAt(remotePort: number): Socket {
  const names = { localAddress: '127.0.0.1', localPort: 5431, remoteAddress: '127.0.0.1', remotePort };
  return Object.defineProperties(
    new Socket(),
    Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { value }])),
  );
}

const ours: PeerVerdict = { kind: 'ours' };
const unknown: PeerVerdict = { kind: 'unknown', reason: 'not listed' };

describe('connections that wait to be judged', () => {
  it('share a look: a thousand at once cost five, one at a time', async () => {
    let now = 0;
    let most = 0;
    const sizes: number[] = [];
    const find: FindPeers = async (peers) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      sizes.push(peers.length);
      return peers.map(() => ours);
    };
    const peers = new Peers(find, keepingLogger().log);
    const asked = Array.from({ length: 1000 }, (_, port) => peers.isOurs(socketAt(port + 1)));
    expect((await Promise.all(asked)).every(Boolean)).toBe(true);
    expect(most).toBe(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1000);
    expect(sizes.length).toBeLessThanOrEqual(5);
  });

  it('are judged once for each connection, however many requests come by it', async () => {
    let looks = 0;
    const peers = new Peers((all) => Promise.resolve(all.map(() => (looks++, ours))), keepingLogger().log);
    const socket = socketAt(40_000);
    expect(await Promise.all([peers.isOurs(socket), peers.isOurs(socket)])).toEqual([true, true]);
    expect(await peers.isOurs(socket)).toBe(true);
    expect(looks).toBe(1);
  });

  it('are looked up again once where the table missed them, and then refused', async () => {
    const answers = [unknown, ours, unknown, unknown];
    const peers = new Peers((all) => Promise.resolve(all.map(() => answers.shift()!)), keepingLogger().log);
    expect(await peers.isOurs(socketAt(1))).toBe(true);
    expect(await peers.isOurs(socketAt(2))).toBe(false);
    expect(answers).toEqual([]);
  });

  it.each([
    ['cannot be looked up', () => Promise.reject(new Error('no table'))],
    ['get no answer', () => Promise.resolve([])],
    ['are another user’s', () => Promise.resolve([{ kind: 'other' as const, owner: '7', reason: 'user 7' }])],
  ])('that %s are refused', async (_, find: FindPeers) => {
    const peers = new Peers(find, keepingLogger().log);
    expect(await peers.isOurs(socketAt(1))).toBe(false);
  });

  it('that are gone are refused without a look', async () => {
    const peers = new Peers(() => Promise.reject(new Error('asked')), keepingLogger().log);
    expect(await peers.isOurs(new Socket())).toBe(false);
  });

  it('are logged once a minute at most when they are refused', async () => {
    const { log, lines } = keepingLogger();
    const limited = limitRepeats(log, 1);
    const peers = new Peers(
      (all) => Promise.resolve(all.map(() => ({ kind: 'other', owner: '7', reason: 'user 7' }))),
      limited,
    );
    for (let port = 1; port <= 500; port += 1) await peers.isOurs(socketAt(port));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ fields: { code: 'PEER_REFUSED', reason: 'user 7' } });
    limited.flush();
    expect(lines[1]).toMatchObject({ fields: { code: 'PEER_REFUSED', count: 499 } });
  });
});
