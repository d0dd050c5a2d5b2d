// Another user of this machine reaches our port too, and may write any Origin. So a connection is served only when the
// program at its other end is this user's (Windows: this session's). In doubt it is refused.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/log.ts';
import type { FindPeers, PeerConnection, PeerVerdict } from '../platform/peers/peer.ts';
import { NOT_FOUND, peerOf } from '../platform/peers/peer.ts';
import { failure } from '../shared/errors.ts';

/** So many are looked up at once; the others wait for the next look. */
const MAX_AT_ONCE = 1024;
const LOG_AT_MOST_EVERY_MS = 60_000;

/** What is refused gets, with status 403. It says nothing of who is refused, and of whom the others are. */
export const PEER_REFUSED_BODY = JSON.stringify(
  failure(
    'PEER_REFUSED',
    'This Sightline serves programs of its own user and session only. Open the page in the session in which Sightline runs.',
  ),
);

interface Waiting {
  readonly socket: Socket;
  readonly peer: PeerConnection;
  readonly isRetry: boolean;
  readonly resolve: (verdict: PeerVerdict) => void;
}

/** One look at the system's table at a time answers all who wait: a flood of connections costs no flood of looks. */
export class Peers {
  private waiting: Waiting[] = [];
  private isLooking = false;
  /** A connection's program does not change (Linux: what a descriptor is handed on to does not show). */
  private readonly known = new WeakMap<Socket, Promise<PeerVerdict>>();

  private logAgainAt = 0;
  private unlogged = 0;

  constructor(
    private readonly find: FindPeers,
    private readonly log: Logger,
  ) {}

  /** Never rejects. Whoever is refused is logged. */
  async isOurs(socket: Socket): Promise<boolean> {
    const verdict = await this.judge(socket);
    if (verdict.kind === 'ours') return true;
    this.refused(verdict.reason);
    return false;
  }

  /** A flood of them is not to fill the log. */
  private refused(reason: string): void {
    const now = performance.now();
    if (now < this.logAgainAt) {
      this.unlogged += 1;
      return;
    }
    this.log.warn('refused a program that is not of this user and session', {
      code: 'PEER_REFUSED',
      reason,
      ...(this.unlogged === 0 ? {} : { moreSinceTheLastLine: this.unlogged }),
    });
    this.logAgainAt = now + LOG_AT_MOST_EVERY_MS;
    this.unlogged = 0;
  }

  private judge(socket: Socket): Promise<PeerVerdict> {
    let verdict = this.known.get(socket);
    if (verdict === undefined) {
      const peer = peerOf(socket);
      verdict = peer === null ? Promise.resolve(NOT_FOUND) : this.enqueue(socket, peer, false);
      this.known.set(socket, verdict);
    }
    return verdict;
  }

  private enqueue(socket: Socket, peer: PeerConnection, isRetry: boolean): Promise<PeerVerdict> {
    return new Promise((resolve) => {
      this.waiting.push({ socket, peer, isRetry, resolve });
      void this.look();
    });
  }

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    while (this.waiting.length > 0) {
      const began = performance.now();
      const gone = this.waiting.filter(({ socket }) => socket.destroyed);
      this.waiting = this.waiting.filter(({ socket }) => !socket.destroyed);
      for (const { resolve } of gone) resolve(NOT_FOUND);
      // The newest first: of a flood the oldest are closed before they are answered.
      const now = this.waiting.splice(-MAX_AT_ONCE);
      if (now.length === 0) break;
      const verdicts = await this.ask(now.map(({ peer }) => peer));
      now.forEach((one, index) => this.settle(one, verdicts[index] ?? NOT_FOUND));
      // Half of the time at most is spent on this, however long the table is.
      if (this.waiting.length > 0) await sleep(Math.ceil(performance.now() - began));
    }
    this.isLooking = false;
  }

  /** The table of a busy system can miss a line while it changes. */
  private settle({ socket, peer, isRetry, resolve }: Waiting, verdict: PeerVerdict): void {
    if (verdict.kind === 'unknown' && !isRetry) void this.enqueue(socket, peer, true).then(resolve);
    else resolve(verdict);
  }

  private async ask(peers: readonly PeerConnection[]): Promise<readonly PeerVerdict[]> {
    try {
      return await this.find(peers);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return peers.map(() => ({ kind: 'unknown', reason }));
    }
  }
}
