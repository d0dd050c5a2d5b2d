// A Sightline whose port another user's Sightline has: it joins that one, the door, and collects each connection that the door
// offers. The door may be anybody's program: what it offers is served only if this Sightline itself finds that the program at
// the other end is one of its own user.

import { request as requestHttp } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Logger } from '../../platform/log.ts';
import { SightlineError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json.ts';
import type { Connections } from '../connections.ts';
import type { Peers } from '../peer.ts';
import type { Offer, OpenedBy } from './doorProtocol.ts';
import {
  COLLECT_PROTOCOL,
  DOOR_PATH,
  HANDOVER_DEADLINE_MS,
  MAX_HANDED_OVER,
  MAX_OFFER_BYTES,
  offerSchema,
} from './doorProtocol.ts';

export interface GuestOptions {
  readonly port: number;
  readonly peers: Peers;
  readonly connections: Connections;
  readonly onConnection: (socket: Socket) => void;
  /** `system`: no other door will do. */
  readonly openedBy: OpenedBy;
  /** The door is gone, or does not answer. */
  readonly onLost: () => void;
  readonly log: Logger;
}

/** root on Linux; on Windows the session of services, in which no user signs in. */
const SYSTEM = '0';
/** A door that hangs keeps the port, and its connection open. */
const HEARTBEAT_MS = 15_000;

export class Guest {
  /** Of the connections that it has collected, or is collecting. */
  private readonly sockets = new Set<Socket>();
  private heartbeat: NodeJS.Timeout | undefined;
  private isAlive = true;

  private constructor(
    private readonly link: WebSocket,
    private readonly linkSocket: Socket,
    private readonly options: GuestOptions,
  ) {
    link.on('message', (data, isBinary) => {
      // Messages of at most MAX_OFFER_BYTES, in one piece.
      const parsed = isBinary ? null : offerSchema.safeParse(parseJson((data as Buffer).toString('utf8')));
      if (parsed?.success === true) this.collect(parsed.data);
      else link.terminate();
    });
    link.on('pong', () => (this.isAlive = true));
    link.once('close', () => {
      clearInterval(this.heartbeat);
      for (const socket of this.sockets) socket.destroy();
      options.onLost();
    });
    link.resume();
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
  }

  /** @throws when no door has the port, or it refuses this user; a SightlineError when it is not the system's and has to be */
  static async join(options: GuestOptions): Promise<Guest> {
    const { port, peers, openedBy } = options;
    const link = new WebSocket(`ws://127.0.0.1:${port}${DOOR_PATH}`, {
      perMessageDeflate: false,
      maxPayload: MAX_OFFER_BYTES,
      handshakeTimeout: HANDOVER_DEADLINE_MS,
      followRedirects: false,
    });
    const socket = await new Promise<Socket>((resolve, reject) => {
      link.on('error', reject);
      link.once('upgrade', (response) =>
        link.once('open', () => {
          // A door may offer a connection at once, before anyone listens here.
          link.pause();
          resolve(response.socket);
        }),
      );
    });
    const door = openedBy === 'system' ? await peers.judge(socket) : null;
    if (door === null || (door.kind === 'other' && door.owner === SYSTEM))
      return new Guest(link, socket, options);
    link.terminate();
    throw new SightlineError(
      'CLIENT_CONNECTION_ERROR',
      `No page can connect: another user's program has port ${port}. Policy "sharedPort" is "system": have IT end that program, and start "sightline door".`,
    );
  }

  close(): void {
    this.link.terminate();
  }

  private beat(): void {
    if (!this.isAlive) return this.link.terminate();
    this.isAlive = false;
    this.link.ping();
  }

  private collect({ id, peer }: Offer): void {
    const { port, peers, connections, onConnection, log } = this.options;
    const { address, port: at } = peer.remote;
    if (at !== port || !/^(127\.|::1$)/.test(address) || this.sockets.size >= MAX_HANDED_OVER) return;
    const asked = requestHttp({
      ...{ host: '127.0.0.1', port, path: `${DOOR_PATH}/${id}`, agent: false, timeout: HANDOVER_DEADLINE_MS },
      headers: { Connection: 'Upgrade', Upgrade: COLLECT_PROTOCOL },
    });
    asked.on('socket', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('response', (response) => response.destroy());
    // The page has gone, or the door: nothing to serve.
    asked.on('error', (error) => log.debug('a connection could not be collected', { reason: error.message }));
    asked.on('upgrade', (_, socket: Socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      // As Node's own HTTP server has its sockets.
      socket.allowHalfOpen = true;
      socket.on('error', () => socket.destroy());
      if (head.byteLength > 0) socket.unshift(head);
      // A door could name a connection of this very process, which is this user's.
      const isOwn = (): boolean =>
        [this.linkSocket, ...this.sockets].some(({ localPort }) => localPort === peer.local.port);
      peers.setPeer(socket, peer, isOwn);
      if (connections.accept(socket)) onConnection(socket);
    });
    asked.end();
  }
}
