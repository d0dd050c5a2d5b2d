// Programs of other users reach the loopback port too, and may send any Origin. So a connection is served only when the
// program at its other end belongs to this user (Windows: to this session). In doubt it is refused.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/log.ts';
import type { FindPeers, PeerConnection, PeerVerdict } from './peerLookup.ts';
import { NOT_FOUND, linuxPeers, peerOf } from './peerLookup.ts';
import { windowsHelper } from '../platform/windowsHelper.ts';
import { windowsPeers } from './windowsPeers.ts';
import { errorMessage, failure } from '../shared/errors.ts';

/** Connections in one lookup; the others wait for the next one. */
const MAX_AT_ONCE = 1024;

/** The body of the 403. It names no user. */
export const PEER_REFUSED_BODY = JSON.stringify(
  failure(
    'PEER_REFUSED',
    'Sightline only accepts connections from its own user and session. Open the page in the session in which Sightline runs.',
  ),
);

const OWN_CONNECTION: PeerVerdict = { kind: 'unknown', reason: 'Sightline itself opened that connection' };

interface Waiting {
  readonly socket: Socket;
  readonly peer: PeerConnection;
  readonly isRetry: boolean;
  readonly resolve: (verdict: PeerVerdict) => void;
}

/** A connection that another user's Sightline has accepted, and passes on through the socket. */
interface HandedOver {
  readonly peer: PeerConnection;
  /** Whether it is one of this process itself. */
  readonly isOwn: () => boolean;
}

/** One lookup in the system's table at a time answers all waiting connections: a flood of them costs few lookups. */
export class Peers {
  private waiting: Waiting[] = [];
  private isLookingUp = false;
  private restUntil = 0;
  /** A connection's program does not change. */
  private readonly known = new WeakMap<Socket, Promise<PeerVerdict>>();
  private readonly handedOver = new WeakMap<Socket, HandedOver>();

  /** @param log limited (platform/repeats.ts): a flood must not fill it */
  constructor(
    private readonly find: FindPeers,
    private readonly log: Logger,
  ) {}

  /** Never rejects. Logs what is refused. */
  async isOurs(socket: Socket): Promise<boolean> {
    const verdict = await this.judge(socket);
    if (verdict.kind === 'ours') return true;
    const { reason } = verdict;
    this.log.warn('refused a program of another user or session', { code: 'PEER_REFUSED', reason });
    return false;
  }

  /** The program to judge is not the one at the other end of the socket, but at that of a connection handed over through it. */
  setPeer(socket: Socket, peer: PeerConnection, isOwn: () => boolean): void {
    this.handedOver.set(socket, { peer, isOwn });
  }

  /** Never rejects. */
  judge(socket: Socket): Promise<PeerVerdict> {
    let verdict = this.known.get(socket);
    if (verdict === undefined) {
      verdict = this.lookUpPeer(socket);
      this.known.set(socket, verdict);
    }
    return verdict;
  }

  private async lookUpPeer(socket: Socket): Promise<PeerVerdict> {
    const handedOver = this.handedOver.get(socket);
    const peer = handedOver?.peer ?? peerOf(socket);
    const verdict = peer === null ? NOT_FOUND : await this.enqueue(socket, peer, false);
    return handedOver?.isOwn() === true ? OWN_CONNECTION : verdict;
  }

  private enqueue(socket: Socket, peer: PeerConnection, isRetry: boolean): Promise<PeerVerdict> {
    return new Promise((resolve) => {
      this.waiting.push({ socket, peer, isRetry, resolve });
      void this.lookUp();
    });
  }

  private async lookUp(): Promise<void> {
    if (this.isLookingUp) return;
    this.isLookingUp = true;
    while (this.waiting.length > 0) {
      // At most half of the time is spent on lookups, however long the table is; meanwhile more connections come for the next one.
      await sleep(Math.max(0, Math.ceil(this.restUntil - performance.now())));
      const gone = this.waiting.filter(({ socket }) => socket.destroyed);
      this.waiting = this.waiting.filter(({ socket }) => !socket.destroyed);
      for (const { resolve } of gone) resolve(NOT_FOUND);
      // The newest first: in a flood, the oldest are closed before they are answered.
      const now = this.waiting.splice(-MAX_AT_ONCE);
      if (now.length === 0) break;
      const began = performance.now();
      const verdicts = await this.ask(now.map(({ peer }) => peer));
      const ended = performance.now();
      this.restUntil = ended + (ended - began);
      now.forEach((one, index) => this.settle(one, verdicts[index] ?? NOT_FOUND));
    }
    this.isLookingUp = false;
  }

  /** Retries once: the table of a busy system can miss a row while it changes. */
  private settle({ socket, peer, isRetry, resolve }: Waiting, verdict: PeerVerdict): void {
    if (verdict.kind === 'unknown' && !isRetry) void this.enqueue(socket, peer, true).then(resolve);
    else resolve(verdict);
  }

  private async ask(peers: readonly PeerConnection[]): Promise<readonly PeerVerdict[]> {
    try {
      return await this.find(peers);
    } catch (error) {
      return peers.map(() => ({ kind: 'unknown', reason: errorMessage(error) }));
    }
  }
}

export function systemPeers(platform: NodeJS.Platform = process.platform): FindPeers {
  if (platform === 'win32') return windowsPeers(windowsHelper);
  // -1 is no user: a platform without users refuses every program.
  const uid = process.geteuid?.() ?? -1;
  return linuxPeers(uid);
}
