// The Sightline that has the port. It serves the connections of its own user (Windows: session), hands those of another user to
// that user's Sightline where one has joined, and leaves the rest to the guard, which refuses them. It reads nothing of what it
// hands over but the first bytes, which tell a page's request from a guest's.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Logger } from '../../platform/log.ts';
import { errno, errorMessage } from '../../shared/errors.ts';
import type { Connections } from '../connections.ts';
import { refuseUpgrade } from '../connections.ts';
import { isLoopbackHost } from '../guard.ts';
import type { Peers } from '../peer.ts';
import { peerOf } from '../peerLookup.ts';
import type { Offer } from './doorProtocol.ts';
import { COLLECT_PROTOCOL, DOOR_PATH, HANDOVER_DEADLINE_MS, MAX_HANDED_OVER } from './doorProtocol.ts';

export interface DoorOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly peers: Peers;
  readonly connections: Connections;
  readonly onConnection: (socket: Socket) => void;
  readonly log: Logger;
  /** Limited: any program may cause its lines. */
  readonly refusals: Logger;
}

/** Users (Windows: sessions) of one host. */
const MAX_GUESTS = 256;
const FIRST_BYTES = Buffer.from(`GET ${DOOR_PATH}`);

export class Door {
  private readonly guests = new Map<string, GuestLink>();
  private readonly servers: Server[] = [];
  /** A guest only listens. */
  private readonly links = new WebSocketServer({ noServer: true, maxPayload: 1, perMessageDeflate: false });

  private constructor(private readonly options: DoorOptions) {}

  /** @throws the system's error when 127.0.0.1 cannot be listened on */
  static async open(options: DoorOptions): Promise<Door> {
    const door = new Door(options);
    await door.listen('127.0.0.1', options.port);
    // Normal without IPv6; otherwise another program uses the port there.
    await door
      .listen('::1', door.port)
      .catch((error: unknown) =>
        options.log.warn('not listening on [::1]', { reason: errno(error) ?? errorMessage(error) }),
      );
    return door;
  }

  get port(): number {
    return (this.servers[0]?.address() as AddressInfo).port;
  }

  /** Frees the port at once, so that a guest takes it over while this Sightline is still finishing its own work. */
  close(): void {
    for (const server of this.servers) server.close();
    for (const guest of this.guests.values()) guest.close();
  }

  /** A request below DOOR_PATH. Every refusal looks the same. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refusal = await this.admit(request, socket, head);
    if (refusal === null) return;
    this.options.refusals.warn('refused to hand over connections', { reason: refusal });
    refuseUpgrade(socket, '403 Forbidden');
  }

  /** @returns why not; null: it was admitted */
  private async admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<string | null> {
    const { host, origin } = request.headers;
    // DNS rebinding, and pages of any kind: browsers send Origin with every websocket (RFC 6455, 4.1).
    if (!isLoopbackHost(host, this.port)) return 'Host is not a loopback name or address with our port';
    if (origin !== undefined) return 'Origin is present: a page sent it';
    const verdict = await this.options.peers.judge(request.socket);
    if (verdict.kind === 'ours') return 'this user already has a Sightline: this one';
    if (verdict.kind === 'unknown') return verdict.reason;
    const { url = '' } = request;
    if (url === DOOR_PATH) return this.welcome(verdict.owner, request, socket, head);
    return this.handOver(verdict.owner, url.slice(DOOR_PATH.length + 1), socket, head);
  }

  private listen(host: string, port: number): Promise<void> {
    // As Node's own HTTP server has its sockets.
    const server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (socket) => void this.connected(socket),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: host === '::1', exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', () => undefined);
        this.servers.push(server);
        resolve();
      });
    });
  }

  private async connected(socket: Socket): Promise<void> {
    const { connections, peers, onConnection } = this.options;
    socket.on('error', () => socket.destroy());
    if (!connections.accept(socket)) return;
    // Usually the guard judges a connection once its request has come.
    if (this.guests.size > 0 || connections.isCrowded) {
      const verdict = await peers.judge(socket);
      const guest = verdict.kind === 'other' ? this.guests.get(verdict.owner) : undefined;
      if (guest !== undefined && !(await isForDoor(socket))) {
        connections.release(socket);
        guest.offer(socket);
        return;
      }
      // A storm: no room is left for strangers to hear why they are refused.
      if (guest === undefined && verdict.kind !== 'ours' && connections.isCrowded) {
        connections.drop(socket);
        return;
      }
    }
    onConnection(socket);
  }

  private welcome(owner: string, request: IncomingMessage, socket: Duplex, head: Buffer): string | null {
    if (this.guests.has(owner)) return 'this user already has a Sightline behind this one';
    if (this.guests.size >= MAX_GUESTS) return `${MAX_GUESTS} other users already have a Sightline`;
    const { connections, log } = this.options;
    this.links.handleUpgrade(request, socket, head, (link) => {
      connections.release(socket);
      const guest = new GuestLink(link);
      this.guests.set(owner, guest);
      log.info("another user's Sightline has joined", { owner });
      link.once('close', () => {
        this.guests.delete(owner);
        guest.close();
        log.info("another user's Sightline has left", { owner });
      });
    });
    return null;
  }

  private handOver(owner: string, id: string, socket: Duplex, head: Buffer): string | null {
    const page = this.guests.get(owner)?.collect(id);
    if (page === undefined) return 'no such connection is offered to this user';
    this.options.connections.release(socket);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${COLLECT_PROTOCOL}\r\n\r\n`,
    );
    if (head.byteLength > 0) socket.unshift(head);
    join(page, socket);
    return null;
  }
}

/** The door's side of one guest. */
class GuestLink {
  private readonly offered = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();
  private readonly sockets = new Set<Socket>();

  constructor(private readonly link: WebSocket) {
    link.on('error', () => link.terminate());
  }

  offer(socket: Socket): void {
    const peer = peerOf(socket);
    if (peer === null || this.sockets.size >= MAX_HANDED_OVER) {
      socket.destroy();
      return;
    }
    const id = randomBytes(16).toString('base64url');
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.collect(id);
    });
    this.offered.set(id, { socket, timer: setTimeout(() => socket.destroy(), HANDOVER_DEADLINE_MS) });
    this.link.send(JSON.stringify({ type: 'connection', id, peer } satisfies Offer));
  }

  /** Once for each. */
  collect(id: string): Socket | undefined {
    const found = this.offered.get(id);
    clearTimeout(found?.timer);
    this.offered.delete(id);
    return found?.socket;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.link.terminate();
  }
}

/** Passes bytes on as they come; pipe() waits where the other side does not read. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    // What was passed on before is still sent.
    from.once('close', () => to.end(() => to.destroy()));
  }
}

/** Whether a guest sent it, by its first bytes, which stay in the socket. A page cannot send such a request without Origin. */
function isForDoor(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) seen = Buffer.concat([seen, chunk]);
      const length = Math.min(seen.byteLength, FIRST_BYTES.byteLength);
      const isSame = seen.subarray(0, length).equals(FIRST_BYTES.subarray(0, length));
      if (isSame && length < FIRST_BYTES.byteLength && !socket.readableEnded && !socket.destroyed) return;
      for (const event of ['readable', 'end', 'close']) socket.off(event, look);
      if (seen.byteLength > 0 && !socket.readableEnded) socket.unshift(seen);
      // Not before the stream has noticed that nobody waits for 'readable' any more.
      setImmediate(() => resolve(isSame && length === FIRST_BYTES.byteLength));
    };
    for (const event of ['readable', 'end', 'close']) socket.on(event, look);
    look();
  });
}
