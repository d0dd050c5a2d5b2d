// The websocket server: binds to loopback only, lets the guard decide who may connect, parses every frame by its
// schema and hands it to the session. No rule about contacts lives here.

import { createServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { errno } from '../shared/errors.ts';
import type { HealthReply } from '../shared/protocol.ts';
import { HEALTH_PATH, MAX_FRAME_BYTES, PROTOCOL_VERSION, WEBSOCKET_PATH } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import { limitRepeats } from '../platform/repeats.ts';
import type { LimitedLogger } from '../platform/repeats.ts';
import { REQUEST_REFUSED } from '../shared/logEvents.ts';
import { Connections } from './connections.ts';
import type { SystemPeers } from '../platform/peers/systemPeers.ts';
import { systemPeers } from '../platform/peers/systemPeers.ts';
import type { ControlServices } from './control.ts';
import { Control } from './control.ts';
import type { GuardPolicy } from './guard.ts';
import { isAllowedOrigin, judge } from './guard.ts';
import { limitPace } from './pace.ts';
import type { PageServices } from './page.ts';
import { servePage } from './page.ts';
import { PEER_REFUSED_BODY, Peers } from './peer.ts';

export interface ServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Read anew for each request. */
  readonly guard: GuardPolicy;
  readonly appVersion: string;
  readonly page: Omit<PageServices, 'isAllowed' | 'hasRoom' | 'onJoined' | 'log'>;
  readonly control: ControlServices;
  /** Who knows whose program is at the other end; this system unless given. */
  readonly peers?: SystemPeers;
  readonly log: Logger;
}

export interface RunningServer {
  readonly port: number;
  /** Whose origin the guard does not allow any more, is shown out. */
  closeUnallowed(): void;
  close(): Promise<void>;
}

/** Pages ping through the protocol; a peer that vanished without a word is found by this. */
const HEARTBEAT_MS = 30_000;
const GOODBYE_MS = 500;
const CLOSE_GOING_AWAY = 1001;
const MAX_LOGGED_ORIGIN = 300;
/** Lines a minute about the pages of one origin: reloads are few. */
const PAGE_LINES = 30;
/** Browsers send a message of 64 KiB in a few frames; one in endless frames would never end. */
const MAX_FRAGMENTS = 64;

/** @throws the system error of listen(2) (`EADDRINUSE`, `EACCES`), for 127.0.0.1 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    maxFragments: MAX_FRAGMENTS,
    // One frame of a page in each turn of the event loop: another page's suspend is next, however many wait here.
    allowSynchronousEvents: false,
  });
  const refusals = limitRepeats(options.log, 1);
  const pageLog = limitRepeats(options.log, PAGE_LINES);
  const connections = new Connections(refusals);
  const control = new Control(options.control, refusals);
  const system = options.peers ?? systemPeers();
  const peers = new Peers(system.find, options.log);
  const gate = new Gate({ ...options, refusals, pageLog }, sockets, connections, control, peers);
  const v4 = await listen(gate, '127.0.0.1', options.port);
  const { port } = v4.address() as AddressInfo;
  gate.port = port;
  const servers = [v4];
  try {
    servers.push(await listen(gate, '::1', port));
  } catch (error) {
    // A machine without IPv6 is fine; somebody else on the same port of it is worth a word.
    options.log.warn('not listening on [::1]', { reason: errno(error) ?? String(error) });
  }
  await control.open(port);
  const heartbeat = setInterval(() => gate.findDead(), HEARTBEAT_MS);
  return {
    port,
    closeUnallowed: () => gate.closeUnallowed(),
    async close() {
      clearInterval(heartbeat);
      gate.isClosed = true;
      await control.close();
      const gone = [...sockets.clients].map((socket) => sayGoodbye(socket));
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      await Promise.all(gone);
      connections.close();
      for (const server of servers) server.closeAllConnections();
      await Promise.all(closed);
      refusals.flush();
      pageLog.flush();
      system.close();
    },
  };
}

/** A page that does not answer the closing handshake is not waited for. */
function sayGoodbye(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(CLOSE_GOING_AWAY, 'Sightline is shutting down');
  });
}

function listen(gate: Gate, host: string, port: number): Promise<HttpServer> {
  const server = createServer((request, response) => gate.request(request, response));
  server.on('upgrade', (request, socket, head) => gate.upgrade(request, socket, head));
  server.on('connection', (socket) => gate.connections.accept(socket));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: host === '::1', exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

class Gate {
  port = 0;
  isClosed = false;
  private readonly alive = new WeakSet<WebSocket>();
  private readonly pages = new WeakMap<WebSocket, { origin: string; showOut: () => void }>();

  constructor(
    private readonly options: ServerOptions & {
      readonly refusals: LimitedLogger;
      readonly pageLog: LimitedLogger;
    },
    private readonly sockets: WebSocketServer,
    readonly connections: Connections,
    private readonly control: Control,
    private readonly peers: Peers,
  ) {}

  request(request: IncomingMessage, response: ServerResponse): void {
    // An answer is all that a connection is for: the next request brings its own.
    response.shouldKeepAlive = false;
    const isOurs = (): Promise<boolean> => this.peers.isOurs(request.socket);
    if (this.control.isFor(pathOf(request))) {
      const letIn = (): void => this.connections.release(request.socket);
      return this.control.handle(request, response, this.port, { isOurs, letIn });
    }
    const verdict = this.judge(request);
    if (!verdict.allowed) return answer(response, 403, { 'Content-Type': 'text/plain' }, 'Forbidden');
    void isOurs().then((yes) => this.answerPage(request, response, verdict.origin, yes));
  }

  private answerPage(
    request: IncomingMessage,
    response: ServerResponse,
    origin: string,
    isOurs: boolean,
  ): void {
    const cors = {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': 'GET, OPTIONS',
      // For browsers that ask before they let a public page reach this machine (Private Network Access).
      'Access-Control-Allow-Private-Network': 'true',
      Vary: 'Origin',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    const json = { ...cors, 'Content-Type': 'application/json' };
    if (!isOurs) return answer(response, 403, json, PEER_REFUSED_BODY);
    const path = pathOf(request);
    if (path !== HEALTH_PATH) return answer(response, 404, cors, 'Not found');
    if (request.method === 'OPTIONS') return answer(response, 204, cors, '');
    if (request.method !== 'GET')
      return answer(response, 405, { ...cors, Allow: 'GET, OPTIONS' }, 'Method not allowed');
    const health: HealthReply = {
      app: 'sightline',
      version: this.options.appVersion,
      protocol: PROTOCOL_VERSION,
    };
    answer(response, 200, json, JSON.stringify(health));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const verdict = this.judge(request);
    if (!verdict.allowed) return refuseUpgrade(socket, '403 Forbidden');
    if (pathOf(request) !== WEBSOCKET_PATH) return refuseUpgrade(socket, '404 Not Found');
    void this.peers.isOurs(request.socket).then((isOurs) => {
      if (!isOurs) return refuseUpgrade(socket, '403 Forbidden', PEER_REFUSED_BODY);
      this.accept(request, socket, head, verdict.origin);
    });
  }

  private accept(request: IncomingMessage, socket: Duplex, head: Buffer, origin: string): void {
    const { page, guard, pageLog: log } = this.options;
    const isAllowed = (): boolean => isAllowedOrigin(origin, guard);
    // Meanwhile policy may have changed, and Sightline may have begun to end.
    if (this.isClosed || !isAllowed()) return refuseUpgrade(socket, '403 Forbidden');
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.alive.add(webSocket);
      webSocket.on('pong', () => this.alive.add(webSocket));
      this.connections.upgrade(socket, webSocket);
      limitPace(webSocket, socket);
      const services: PageServices = {
        ...{ ...page, log, isAllowed },
        hasRoom: () => this.connections.hasRoomForPage,
        onJoined: () => this.connections.join(webSocket),
      };
      this.pages.set(webSocket, { origin, showOut: servePage(webSocket, origin, services) });
    });
  }

  closeUnallowed(): void {
    for (const socket of this.sockets.clients) {
      const page = this.pages.get(socket);
      if (page !== undefined && !isAllowedOrigin(page.origin, this.options.guard)) page.showOut();
    }
  }

  findDead(): void {
    for (const socket of this.sockets.clients) {
      if (!this.alive.has(socket)) {
        socket.terminate();
        continue;
      }
      this.alive.delete(socket);
      socket.ping();
    }
  }

  private judge(request: IncomingMessage): ReturnType<typeof judge> {
    const verdict = judge(request.headers.host, request.headers.origin, this.port, this.options.guard);
    if (!verdict.allowed) {
      // `sightline doctor` looks for these lines and their origins: a CCP whose domain was forgotten.
      const origin = request.headers.origin?.slice(0, MAX_LOGGED_ORIGIN) ?? null;
      const { reason } = verdict;
      this.options.refusals.warn('refused a request', { event: REQUEST_REFUSED, reason, origin });
    }
    return verdict;
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }).end(body);
}

function refuseUpgrade(socket: Duplex, status: string, json = ''): void {
  const type = json === '' ? '' : 'Content-Type: application/json\r\n';
  const length = `Content-Length: ${Buffer.byteLength(json)}\r\n`;
  const answer = `HTTP/1.1 ${status}\r\nConnection: close\r\n${type}${length}\r\n${json}`;
  // A peer that keeps its half open would keep the descriptor.
  socket.end(answer, () => socket.destroy());
}
