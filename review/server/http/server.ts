// The review server: a port, limits of its connections, the guard in front of everything, and the application behind it.

import { getRequestListener } from '@hono/node-server';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { reviewErrorCodes } from '../../contract.ts';
import { reviewApp } from './app.ts';
import { Once } from './audit/once.ts';
import { Refusals } from './audit/refusals.ts';
import type { Parts } from './context.ts';
import { judgeRequest, type Expected } from './guard.ts';
import { bareHeaders } from './headers.ts';
import { Identity, type SignIn } from './identity.ts';
import { OpenStreams, RateLimits, type RateName, type Rate, type StreamLimits } from './limits.ts';
import { readPageFiles } from './pageFiles.ts';
import { Sessions, type SessionLimits } from './sessions.ts';

export interface ServerLimits {
  /** From the first byte of a request to the last one of its headers, and of its body. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** A connection on which nothing moves, such as that of a player that is paused. */
  readonly stallMs: number;
  readonly connections: number;
  /** Of one address; a proxy has all of them. */
  readonly connectionsPerAddress: number;
  readonly streams: StreamLimits;
  readonly session: SessionLimits;
  readonly rates?: Readonly<Record<RateName, Rate>>;
}

const MINUTE_MS = 60_000;
export const serverLimits: ServerLimits = {
  ...{ headersMs: 10_000, requestMs: 30_000, stallMs: 5 * MINUTE_MS },
  ...{ connections: 2048, connectionsPerAddress: 512 },
  // A browser opens six connections to a host; a proxy's HTTP/2 more.
  streams: { perUser: 24, total: 512 },
  session: { idleMs: 30 * MINUTE_MS, absoluteMs: 12 * 60 * MINUTE_MS, perUser: 10, total: 2000 },
};
/** For the one user of a local server, who would have to go back to the terminal. */
export const localSession: SessionLimits = {
  ...{ idleMs: 12 * 60 * MINUTE_MS, absoluteMs: 24 * 60 * MINUTE_MS, perUser: 10, total: 10 },
};

const ONE_LINE_EVERY_MS = 60 * MINUTE_MS;
const SWEEP_EVERY_MS = 2000;
const MAX_HEADER_BYTES = 16 * 1024;
const CLOSE_WITHIN_MS = 2000;

export interface ServerOptions extends Pick<
  Parts,
  'library' | 'audit' | 'notes' | 'mayDownload' | 'appVersion' | 'log'
> {
  readonly signIn: SignIn;
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Under which browsers reach it; null: by 127.0.0.1 and localhost, with its port. */
  readonly publicUrl: URL | null;
  readonly pageFolder: string;
  /** Whether a connection is that of a program of this user; null: that cannot be known, or everybody may connect. */
  readonly isOurs: ((socket: Socket) => Promise<boolean>) | null;
  readonly limits?: ServerLimits;
}

export interface ReviewServer {
  readonly port: number;
  readonly origin: string;
  readonly hasPage: boolean;
  close(): Promise<void>;
}

/** @throws a Node error when the port or the certificate cannot be used */
export async function startServer(options: ServerOptions): Promise<ReviewServer> {
  const { signIn, host, port: wanted, tls, publicUrl, isOurs, limits = serverLimits, log } = options;
  const sessions = new Sessions(limits.session);
  const identity = new Identity(signIn, sessions);
  const refusals = new Refusals(options.audit);
  const files = await readPageFiles(options.pageFolder);
  const server = makeServer(tls, limits);
  await listen(server, wanted, host);
  const { port } = server.address() as AddressInfo;
  const isHttps = publicUrl === null ? tls !== null : publicUrl.protocol === 'https:';
  const expected = expectedOf(publicUrl, tls !== null, port, signIn);
  const parts: Parts = {
    ...options,
    ...{ sessions, identity, isHttps, once: new Once(ONE_LINE_EVERY_MS) },
    cookieName: isHttps ? '__Host-sightline-review' : `sightline-review-${port}`,
    limits: new RateLimits(limits.rates),
    streams: new OpenStreams(limits.streams),
    verifications: new OpenStreams({ perUser: 2, total: 4 }),
  };
  const app = reviewApp(parts, { files, refusals });
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  server.on('request', (request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerBadRequest(error, socket));
  const perAddress = countPerAddress(server, limits, signIn);
  const sweeping = setInterval(() => void identity.sweep(), SWEEP_EVERY_MS);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Another user of this computer: the link's token can be seen among the arguments of the browser that was started.
    if (isOurs !== null && !(await isOurs(request.socket))) {
      bare(response, 'NOT_ALLOWED');
      return;
    }
    const verdict = judgeRequest(request, expected);
    if (verdict.allowed) return answer(request, response);
    const { code, reason } = verdict;
    bare(response, code);
    if (code === 'NOT_FOUND' && !/%|\\|\.\./.test(request.url ?? '')) return;
    const address = identity.addressOf(request);
    await refusals.add({ user: '', role: null, action: 'refused', address, details: { code, reason } });
  }

  return {
    port,
    origin: publicUrl?.origin ?? `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    hasPage: files !== null,
    async close() {
      clearInterval(sweeping);
      perAddress.clear();
      sessions.endAll();
      await closeServer(server);
      log.info('the review server has ended');
    },
  };
}

function makeServer(tls: ServerOptions['tls'], limits: ServerLimits): Server {
  const settings = {
    ...{ headersTimeout: limits.headersMs, requestTimeout: limits.requestMs, keepAliveTimeout: 15_000 },
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    ...{ maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false, requireHostHeader: true },
  };
  const server =
    tls === null
      ? createServer(settings)
      : createHttpsServer({ ...settings, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 });
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 100;
  server.setTimeout(limits.stallMs);
  return server;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // Node's own limits of descriptors must not end the server.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function expectedOf(publicUrl: URL | null, isTls: boolean, port: number, signIn: SignIn): Expected {
  const proxyHeaders =
    signIn.kind === 'proxy'
      ? [signIn.proxy.secretHeader, signIn.proxy.userHeader, signIn.proxy.groupsHeader, 'x-forwarded-for']
      : [];
  if (publicUrl !== null)
    return { hosts: new Set([publicUrl.host]), origins: new Set([publicUrl.origin]), proxyHeaders };
  const scheme = isTls ? 'https' : 'http';
  const urls = ['127.0.0.1', 'localhost'].map((name) => new URL(`${scheme}://${name}:${port}`));
  return {
    hosts: new Set(urls.map((url) => url.host)),
    origins: new Set(urls.map((url) => url.origin)),
    proxyHeaders,
  };
}

/** One address must not take all connections. A proxy has those of all users. */
function countPerAddress(server: Server, limits: ServerLimits, signIn: SignIn): Map<string, number> {
  const counts = new Map<string, number>();
  if (signIn.kind === 'proxy') return counts;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (counts.get(address) ?? 0) + 1;
    if (count > limits.connectionsPerAddress) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
  return counts;
}

const bareMessages = {
  INVALID_REQUEST: 'The request is not valid.',
  NOT_FOUND: 'There is nothing at this address.',
  FOREIGN_REQUEST: 'The request did not come from the review page. Open its own address.',
  NOT_ALLOWED: 'This server answers only to the user who started it.',
} as const;

function bare(response: ServerResponse, code: keyof typeof bareMessages): void {
  const body = JSON.stringify({ code, message: bareMessages[code] });
  // Whatever else is on this connection is not read.
  response.writeHead(reviewErrorCodes[code], { ...bareHeaders, connection: 'close' }).end(body);
}

/** What Node's parser refuses: its own text would name it. */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS).unref();
  });
}
