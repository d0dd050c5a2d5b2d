// The websocket server: binds to loopback only, lets the guard decide which requests are allowed, and connects pages to
// the session. No rule about contacts lives here.

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../platform/log.ts';
import { limitRepeats } from '../platform/repeats.ts';
import { appVersion } from '../platform/version.ts';
import type { Failure } from '../shared/errors.ts';
import { REQUEST_REFUSED } from '../shared/names.ts';
import type { HealthReply } from '../shared/protocol.ts';
import { HEALTH_PATH, MAX_FRAME_BYTES, PROTOCOL_VERSION, WEBSOCKET_PATH } from '../shared/protocol.ts';
import { Connections, answer, refuseUpgrade } from './connections.ts';
import type { ControlServices } from './control.ts';
import { Control } from './control.ts';
import type { GuardPolicy } from './guard.ts';
import { isAllowedOrigin, judge } from './guard.ts';
import type { PageServices } from './page.ts';
import { Page } from './page.ts';
import type { FindPeers } from './peerLookup.ts';
import { PEER_REFUSED_BODY, Peers, systemPeers } from './peer.ts';
import { isDoorPath, UPGRADE_REQUIRED, type OpenedBy } from './port/doorProtocol.ts';
import type { DescribePortOwner } from './port/listenError.ts';
import { SharedPort } from './port/sharedPort.ts';

export interface ServerOptions {
  /** 0: any free one, which is not shared with other users' Sightlines. */
  readonly port: number;
  readonly openedBy: OpenedBy;
  /** Why no page can connect any more; null: pages can, again. */
  readonly onProblem: (problem: Failure | null) => void;
  /** Read anew for each request. */
  readonly guard: GuardPolicy;
  readonly page: Omit<PageServices, 'isAllowed' | 'userAgent' | 'hasRoom' | 'onJoined' | 'log'>;
  readonly control: ControlServices;
  readonly describePortOwner: DescribePortOwner;
  /** Identifies the program at the other end; the system's own tables unless given. */
  readonly peers?: FindPeers;
  readonly log: Logger;
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

export class PageServer {
  private isClosed = false;
  private readonly shared: SharedPort;
  /** It does not listen: its connections come from the shared port. */
  private readonly http = createServer((request, response) => this.request(request, response));
  private readonly served = new Set<Socket>();
  private heartbeat: NodeJS.Timeout | undefined;
  private readonly alive = new WeakSet<WebSocket>();
  private readonly pages = new WeakMap<WebSocket, Page>();
  private readonly refusals;
  private readonly pageLog;
  private readonly connections: Connections;
  private readonly control: Control;
  private readonly peers: Peers;
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    maxFragments: MAX_FRAGMENTS,
    // One frame of each page in each turn of the event loop: no page's frames delay another page's suspend.
    allowSynchronousEvents: false,
  });

  constructor(private readonly options: ServerOptions) {
    const { log, control, peers = systemPeers() } = options;
    this.refusals = limitRepeats(log, 1);
    this.pageLog = limitRepeats(log, PAGE_LINES);
    this.connections = new Connections(this.refusals);
    this.control = new Control(control, this.refusals);
    this.peers = new Peers(peers, this.refusals);
    const { port, openedBy, describePortOwner, onProblem } = options;
    this.shared = new SharedPort({
      ...{ port, openedBy, describePortOwner, onProblem, log, refusals: this.refusals },
      ...{ peers: this.peers, connections: this.connections, onConnection: (socket) => this.serve(socket) },
    });
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
  }

  /** Known once the server is open. */
  get port(): number {
    return this.shared.port;
  }

  /** @throws SightlineError CLIENT_CONNECTION_ERROR when the port can be neither opened on 127.0.0.1 nor shared */
  async open(): Promise<void> {
    await this.shared.open();
    await this.control.open(this.port);
    this.heartbeat = setInterval(() => this.findDead(), HEARTBEAT_MS);
  }

  /** Disconnects pages whose origin policy no longer allows. Does nothing while anything is being recorded. */
  disconnectUnallowed(): void {
    if (!this.options.page.session.isQuiet) return;
    for (const socket of this.sockets.clients) this.pages.get(socket)?.disconnectUnlessAllowed();
  }

  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    this.isClosed = true;
    // First of all, so that another user's Sightline can take the port.
    this.shared.close();
    await this.control.close();
    await Promise.all([...this.sockets.clients].map(closeSocket));
    this.connections.close();
    for (const socket of this.served) socket.destroy();
    this.refusals.flush();
    this.pageLog.flush();
  }

  private serve(socket: Socket): void {
    this.served.add(socket);
    socket.once('close', () => this.served.delete(socket));
    this.http.emit('connection', socket);
  }

  private request(request: IncomingMessage, response: ServerResponse): void {
    // One request per connection.
    response.shouldKeepAlive = false;
    const { socket } = request;
    const isOurs = (): Promise<boolean> => this.peers.isOurs(socket);
    if (this.control.isFor(pathOf(request))) {
      const onAccepted = (): void => this.connections.release(socket);
      return this.control.handle(request, response, this.port, { isOurs, onAccepted });
    }
    if (isDoorPath(request.url) && request.headers.origin === undefined)
      return answer(response, UPGRADE_REQUIRED, 'Upgrade required', { 'Content-Type': 'text/plain' });
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
    if (pathOf(request) !== HEALTH_PATH) return answer(response, 404, 'Not found', cors);
    if (request.method === 'OPTIONS') return answer(response, 204, '', cors);
    if (request.method !== 'GET')
      return answer(response, 405, 'Method not allowed', { ...cors, Allow: 'GET, OPTIONS' });
    const health: HealthReply = { app: 'sightline', version: appVersion, protocol: PROTOCOL_VERSION };
    answer(response, 200, JSON.stringify(health), json);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (isDoorPath(request.url)) return this.shared.upgrade(request, socket, head);
    const verdict = this.judge(request);
    if (!verdict.allowed) return refuseUpgrade(socket, '403 Forbidden');
    if (pathOf(request) !== WEBSOCKET_PATH) return refuseUpgrade(socket, '404 Not Found');
    void this.peers.isOurs(request.socket).then((isOurs) => {
      if (!isOurs) return refuseUpgrade(socket, '403 Forbidden', PEER_REFUSED_BODY);
      this.accept(request, socket, head, verdict.origin);
    });
  }

  private accept(request: IncomingMessage, socket: Duplex, head: Buffer, origin: string): void {
    const { page, guard } = this.options;
    const isAllowed = (): boolean => isAllowedOrigin(origin, guard);
    // Since the request arrived, policy may have changed, or Sightline may have begun to shut down.
    if (this.isClosed || !isAllowed()) return refuseUpgrade(socket, '403 Forbidden');
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.alive.add(webSocket);
      webSocket.on('pong', () => this.alive.add(webSocket));
      this.connections.upgrade(socket, webSocket);
      const services: PageServices = {
        ...{ ...page, log: this.pageLog, isAllowed, userAgent: request.headers['user-agent'] },
        hasRoom: () => this.connections.hasRoomForPage,
        onJoined: () => this.connections.join(webSocket),
      };
      this.pages.set(webSocket, new Page(webSocket, origin, services));
    });
  }

  private findDead(): void {
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
      this.refusals.warn('refused a request', { event: REQUEST_REFUSED, reason, origin });
    }
    return verdict;
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
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
