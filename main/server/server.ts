// The websocket server: binds to loopback only, lets the guard decide which requests are allowed, and connects pages to
// the session. No rule about contacts lives here.

import { createServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { errno, errorMessage } from '../shared/errors.ts';
import type { HealthReply } from '../shared/protocol.ts';
import { HEALTH_PATH, MAX_FRAME_BYTES, PROTOCOL_VERSION, WEBSOCKET_PATH } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import { limitRepeats } from '../platform/repeats.ts';
import type { LimitedLogger } from '../platform/repeats.ts';
import { REQUEST_REFUSED } from '../shared/logEvents.ts';
import { Connections } from './connections.ts';
import type { ControlServices } from './control.ts';
import { Control } from './control.ts';
import type { GuardPolicy } from './guard.ts';
import { isAllowedOrigin, judge } from './guard.ts';
import { answer } from './httpAnswer.ts';
import { limitPace } from './pace.ts';
import type { PageServices } from './page.ts';
import { servePage } from './page.ts';
import type { SystemPeers } from './peer.ts';
import { PEER_REFUSED_BODY, Peers, systemPeers } from './peer.ts';

export interface ServerOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Read anew for each request. */
  readonly guard: GuardPolicy;
  readonly appVersion: string;
  readonly page: Omit<PageServices, 'isAllowed' | 'hasRoom' | 'onJoined' | 'log'>;
  readonly control: ControlServices;
  /** Identifies the program at the other end; the system's own tables unless given. */
  readonly peers?: SystemPeers;
  readonly log: Logger;
}

export interface RunningServer {
  readonly port: number;
  /** Disconnects pages whose origin policy no longer allows. Does nothing while anything is being recorded. */
  disconnectUnallowed(): void;
  close(): Promise<void>;
}

/** Finds peers that vanished without closing their connection. */
const HEARTBEAT_MS = 30_000;
const CLOSE_DEADLINE_MS = 500;
const CLOSE_GOING_AWAY = 1001;
const MAX_LOGGED_ORIGIN = 300;
/** Log lines a minute about the pages of one origin. */
const PAGE_LINES = 30;
/** Browsers send a message of 64 KiB in a few fragments; one of endless fragments would never end. */
const MAX_FRAGMENTS = 64;

/** @throws the system error of listen(2) (`EADDRINUSE`, `EACCES`), for 127.0.0.1 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    maxFragments: MAX_FRAGMENTS,
    // One frame of each page in each turn of the event loop: no page's frames delay another page's suspend.
    allowSynchronousEvents: false,
  });
  const refusals = limitRepeats(options.log, 1);
  const pageLog = limitRepeats(options.log, PAGE_LINES);
  const connections = new Connections(refusals);
  const control = new Control(options.control, refusals);
  const system = options.peers ?? systemPeers();
  const peers = new Peers(system.find, refusals);
  const gate = new Gate({ ...options, refusals, pageLog }, sockets, connections, control, peers);
  const v4 = await listen(gate, '127.0.0.1', options.port);
  const { port } = v4.address() as AddressInfo;
  gate.port = port;
  const servers = [v4];
  try {
    servers.push(await listen(gate, '::1', port));
  } catch (error) {
    // Normal without IPv6; otherwise another program uses the port there.
    options.log.warn('not listening on [::1]', { reason: errno(error) ?? errorMessage(error) });
  }
  await control.open(port);
  const heartbeat = setInterval(() => gate.findDead(), HEARTBEAT_MS);
  return {
    port,
    disconnectUnallowed: () => gate.disconnectUnallowed(),
    async close() {
      clearInterval(heartbeat);
      gate.isClosed = true;
      await control.close();
      const gone = [...sockets.clients].map((socket) => closeSocket(socket));
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

/** A page that does not answer the closing handshake is terminated. */
function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_DEADLINE_MS);
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
  private readonly pages = new WeakMap<WebSocket, { origin: string; disconnect: () => void }>();

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
    // One request per connection.
    response.shouldKeepAlive = false;
    const isOurs = (): Promise<boolean> => this.peers.isOurs(request.socket);
    if (this.control.isFor(pathOf(request))) {
      const onAccepted = (): void => this.connections.release(request.socket);
      return this.control.handle(request, response, this.port, { isOurs, onAccepted });
    }
    const verdict = this.judge(request);
    if (!verdict.allowed) return answer(response, 403, 'Forbidden', { 'Content-Type': 'text/plain' });
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
      // For browsers that send a preflight before a public page may reach this machine (Private Network Access).
      'Access-Control-Allow-Private-Network': 'true',
      Vary: 'Origin',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    const json = { ...cors, 'Content-Type': 'application/json' };
    if (!isOurs) return answer(response, 403, PEER_REFUSED_BODY, json);
    const path = pathOf(request);
    if (path !== HEALTH_PATH) return answer(response, 404, 'Not found', cors);
    if (request.method === 'OPTIONS') return answer(response, 204, '', cors);
    if (request.method !== 'GET')
      return answer(response, 405, 'Method not allowed', { ...cors, Allow: 'GET, OPTIONS' });
    const health: HealthReply = {
      app: 'sightline',
      version: this.options.appVersion,
      protocol: PROTOCOL_VERSION,
    };
    answer(response, 200, JSON.stringify(health), json);
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
    // Since the request arrived, policy may have changed, or Sightline may have begun to shut down.
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
      this.pages.set(webSocket, { origin, disconnect: servePage(webSocket, origin, services) });
    });
  }

  disconnectUnallowed(): void {
    if (!this.options.page.session.isQuiet) return;
    for (const socket of this.sockets.clients) {
      const page = this.pages.get(socket);
      if (page !== undefined && !isAllowedOrigin(page.origin, this.options.guard)) page.disconnect();
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
      // `sightline doctor` reads these lines to find a CCP whose domain is missing in policy.
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

function refuseUpgrade(socket: Duplex, status: string, json = ''): void {
  const type = json === '' ? '' : 'Content-Type: application/json\r\n';
  const length = `Content-Length: ${Buffer.byteLength(json)}\r\n`;
  const answer = `HTTP/1.1 ${status}\r\nConnection: close\r\n${type}${length}\r\n${json}`;
  // A peer that keeps its side open would keep the file descriptor in use.
  socket.end(answer, () => socket.destroy());
}
