// The network without Electron: Node's, through the proxy that policy or the environment names, with the system's roots.

import { once } from 'node:events';
import { Agent as HttpAgent, request as overHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as overHttps, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { errno } from '../../shared/errors.ts';
import {
  NetworkError,
  certificateError,
  proxyErrors,
  type Network,
  type NetworkAnswer,
  type NetworkRequest,
  type UploadBody,
} from './network.ts';
import { openTunnel, proxyFromEnvironment, proxyFromPolicy, proxyName, type ProxyRoute } from './proxy.ts';
import { trustedRoots } from './roots.ts';

export interface NetworkPolicy {
  readonly proxyUrl: string | null;
  readonly caFile: string | null;
}

/** For name, connection, proxy and TLS together. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that a server may already have closed must not be used again: what is lost on it is not sent twice. */
const UNUSED_MS = 3_000;
/** It may still be in the buffers of Node and the system. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

export class NodeNetwork implements Network {
  readonly stack = 'Node';
  readonly maxBufferedBytes = MAX_BUFFERED_BYTES;
  private readonly http = new HttpAgent({ keepAlive: true, timeout: UNUSED_MS });
  private readonly https = new SecureAgent(this);
  private roots: { readonly caFile: string | null; readonly context: SecureContext } | null = null;

  /** @param policy read for each connection */
  constructor(
    private readonly policy: NetworkPolicy = { proxyUrl: null, caFile: null },
    private readonly environment: Readonly<Record<string, string | undefined>> = process.env,
  ) {}

  routeTo({ hostname, port }: URL): Promise<ProxyRoute> {
    return Promise.resolve(this.route(bare(hostname), Number(port || 443)));
  }

  private route(host: string, port: number): ProxyRoute {
    if (isLoopback(host)) return { kind: 'direct' };
    return proxyFromPolicy(this.policy.proxyUrl) ?? proxyFromEnvironment(this.environment, host, port);
  }

  /** Made once for a file: it costs some 20 ms. @throws NetworkError */
  private context(): SecureContext {
    const { caFile } = this.policy;
    if (this.roots?.caFile !== caFile)
      this.roots = { caFile, context: createSecureContext({ ca: trustedRoots(caFile) }) };
    return this.roots.context;
  }

  async send({ url, method, headers, body, signal, idleTimeoutMs }: NetworkRequest): Promise<NetworkAnswer> {
    signal.throwIfAborted();
    const isSecure = url.protocol === 'https:';
    const outgoing = (isSecure ? overHttps : overHttp)(url, {
      ...{ method, headers, signal, agent: isSecure ? this.https : this.http },
      ...(idleTimeoutMs === undefined ? {} : { timeout: idleTimeoutMs }),
    });
    // Stays after the answer has begun: what breaks then is reported by the answer's own stream.
    const failed = new Promise<never>((_, reject) => outgoing.on('error', reject));
    // The agent's own time is for connections that are not in use.
    if (idleTimeoutMs !== undefined)
      outgoing.on('timeout', () => {
        const what = `nothing moved for ${idleTimeoutMs / 1000} s`;
        outgoing.destroy(Object.assign(new Error(what), { name: 'TimeoutError' }));
      });
    const answered = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
    if (body instanceof Readable) sendAll(body, outgoing);
    else outgoing.end(body);
    const answer = await Promise.race([answered, failed]);
    const joined = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return {
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(joined) as Record<string, string>,
      body: answer,
    };
  }

  /** A connection to a server whose certificate is verified. @throws NetworkError, or a system error */
  async connect(host: string, port: number): Promise<TLSSocket> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      const what = `no connection within ${CONNECT_TIMEOUT_MS / 1000} s`;
      late.abort(Object.assign(new Error(what), { name: 'TimeoutError', code: 'ETIMEDOUT' }));
    }, CONNECT_TIMEOUT_MS);
    try {
      const secureContext = this.context();
      const socket = await this.reach(host, port, late.signal, secureContext);
      return await secured(socket, host, late.signal, secureContext);
    } catch (error) {
      throw late.signal.aborted && !(error instanceof NetworkError) ? late.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  private async reach(
    host: string,
    port: number,
    signal: AbortSignal,
    secureContext: SecureContext,
  ): Promise<Socket> {
    const route = this.route(host, port);
    if (route.kind === 'unusable') throw proxyErrors.notKnown(route.why);
    if (route.kind === 'direct') {
      const socket = connectTcp({ host, port });
      await settled(socket, 'connect', signal);
      return socket;
    }
    const name = proxyName(route.url);
    const { status, socket } = await openTunnel(route.url, host, port, signal, secureContext).catch(
      (error: unknown) => {
        if (signal.aborted) throw proxyErrors.unreachable(name, 'ETIMEDOUT');
        throw proxyErrors.unreachable(name, errno(error) ?? 'its answer is not HTTP');
      },
    );
    if (socket !== null) return socket;
    throw status === 407
      ? proxyErrors.authRequired(name)
      : proxyErrors.refused(name, `${host}:${port}`, ` (it answered ${status})`);
  }
}

/** Connects as NodeNetwork says. It caches no TLS session: a resumed one would not have its certificate checked again. */
class SecureAgent extends HttpsAgent {
  constructor(private readonly network: NodeNetwork) {
    super({ keepAlive: true, timeout: UNUSED_MS, maxCachedSessions: 0 });
  }

  override createConnection(
    { host, port }: RequestOptions,
    done: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.network.connect(bare(host ?? ''), Number(port ?? 443)).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error as Error, undefined as unknown as Duplex),
    );
  }
}

/** Checked here and not by Node, which keeps no certificate of a refused connection that an error could name. */
async function secured(
  socket: Socket,
  host: string,
  signal: AbortSignal,
  secureContext: SecureContext,
): Promise<TLSSocket> {
  const isName = !/^[\d.]+$|:/.test(host);
  const secure = connectTls({
    ...{ socket, host, secureContext, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
    ...(isName ? { servername: host } : {}),
  });
  await settled(secure, 'secureConnect', signal);
  if (secure.authorized) return secure;
  const { issuer } = secure.getPeerCertificate() as { issuer?: { CN?: string; O?: string } };
  secure.destroy();
  throw certificateError(host, issuer?.CN ?? issuer?.O ?? null, String(secure.authorizationError));
}

/** @throws what ends the socket before */
async function settled(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const closed = once(socket, 'close').then(() => {
    throw Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
  });
  closed.catch(() => undefined);
  try {
    await Promise.race([once(socket, event, { signal }), closed]);
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

function sendAll(body: UploadBody, outgoing: ReturnType<typeof overHttp>): void {
  body.on('data', ({ byteLength }: Uint8Array) => body.onSent(byteLength));
  body.once('error', (error) => outgoing.destroy(error));
  outgoing.once('close', () => body.destroy());
  body.pipe(outgoing);
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
