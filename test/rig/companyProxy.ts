// The proxy of a company between a desk and AWS: opens tunnels, asks for a password, inspects TLS with certificates of its own
// authority, refuses, misbehaves, dies and comes back. Names lead to ports on 127.0.0.1 here: with a proxy, the proxy resolves.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { TLSSocket, connect as connectTls, createSecureContext } from 'node:tls';
import { listen, type Authority, type Identity, type StandIn } from './networkHosts.ts';

/** What it does to each CONNECT instead of a tunnel. */
export type ProxyFault =
  /** Asks for a password again and again, whatever is sent. */
  | 'always 407'
  | 'refuse'
  | 'redirect'
  /** A head without an end. */
  | 'endless head'
  /** 407, and a body without an end. */
  | 'endless body'
  | 'silent'
  | 'not HTTP';

export interface CompanyProxyOptions {
  /** By name, port 443. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Speaks TLS itself. */
  readonly identity?: Identity;
  /** The authority of the certificates that it makes, and that of the servers'. */
  readonly inspect?: { readonly authority: Authority; readonly upstream: Authority };
}

export interface CompanyProxy {
  readonly address: string;
  readonly port: number;
  /** `user:password`, or null: none is asked for. */
  required: string | null;
  fault: ProxyFault | null;
  inspects: boolean;
  /** Each CONNECT: where to, with which credentials, and how it went. */
  readonly asked: { readonly target: string; readonly credentials: string | null; outcome: string }[];
  /** Bytes from the desk, of all tunnels. */
  sentBytes: number;
  /** Dies after so many more bytes from the desk. */
  dieAfter(bytes: number): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCompanyProxy(options: CompanyProxyOptions): Promise<CompanyProxy> {
  const { hosts, identity, inspect } = options;
  const tunnels = new Set<{ destroy(): unknown }>();
  let standIn: StandIn | null = null;
  let dying: { leftBytes: number; died: () => void } | null = null;

  const onConnect = (request: IncomingMessage, socket: Socket, early: Buffer): void => {
    tunnels.add(socket.on('close', () => tunnels.delete(socket)).on('error', () => undefined));
    const target = request.url ?? '';
    const [, encoded] = /^Basic (.+)$/.exec(request.headers['proxy-authorization'] ?? '') ?? [];
    const credentials = encoded === undefined ? null : Buffer.from(encoded, 'base64').toString();
    const entry = { target, credentials, outcome: 'tunnel' };
    proxy.asked.push(entry);
    const port = hosts[target.replace(/:443$/, '')];
    const refusal =
      proxy.fault ??
      (proxy.required !== null && credentials !== proxy.required ? 'always 407' : null) ??
      (port === undefined ? 'refuse' : null);
    if (refusal !== null) {
      entry.outcome = refusal;
      misbehave(refusal, socket);
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (early.length > 0) socket.unshift(early);
    if (proxy.inspects && inspect !== undefined) void openUp(target.replace(/:443$/, ''), socket, port!);
    else join(socket, connect(port!, '127.0.0.1'));
  };

  function join(desk: Socket, server: Socket): void {
    tunnels.add(server.on('close', () => tunnels.delete(server)));
    for (const [one, other] of [
      [desk, server],
      [server, desk],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    desk.on('data', ({ byteLength }: Buffer) => {
      proxy.sentBytes += byteLength;
      if (dying === null) return;
      dying.leftBytes -= byteLength;
      if (dying.leftBytes > 0) return;
      const { died } = dying;
      dying = null;
      void down().then(died);
    });
    desk.pipe(server).pipe(desk);
  }

  async function openUp(host: string, socket: Socket, port: number): Promise<void> {
    const { authority, upstream } = inspect!;
    const secureContext = createSecureContext(await issued(authority, host));
    const desk = new TLSSocket(socket, { isServer: true, secureContext });
    join(desk, connectTls({ host: '127.0.0.1', port, servername: host, ca: upstream.root }));
  }

  const certificates = new Map<string, Promise<Identity>>();
  function issued(authority: Authority, host: string): Promise<Identity> {
    const known = certificates.get(host) ?? authority.issue(host);
    certificates.set(host, known);
    return known;
  }

  function misbehave(fault: ProxyFault, socket: Socket): void {
    const endless = (start: string, more: string): void => {
      socket.write(start);
      const write = (): void => {
        while (!socket.destroyed && socket.write(more));
      };
      socket.on('drain', write);
      write();
    };
    switch (fault) {
      case 'always 407':
        socket.write(
          'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="company"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
        );
        socket.end();
        break;
      case 'refuse':
        socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
        break;
      case 'redirect':
        socket.end('HTTP/1.1 302 Found\r\nLocation: https://evil.test.example/\r\nContent-Length: 0\r\n\r\n');
        break;
      case 'endless head':
        endless('HTTP/1.1 200 OK\r\n', `X-More: ${'x'.repeat(4000)}\r\n`);
        break;
      case 'endless body':
        endless('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n', 'x'.repeat(65_536));
        break;
      case 'silent':
        break;
      case 'not HTTP':
        socket.end('SSH-2.0-OpenSSH_9.2\r\n');
        break;
    }
  }

  async function up(at?: number): Promise<void> {
    const server = identity === undefined ? createServer() : createTlsServer(identity);
    server.on('connect', onConnect);
    server.on('request', (_, response) => response.writeHead(405).end());
    standIn = await listen(server, at);
  }

  async function down(): Promise<void> {
    for (const one of tunnels) one.destroy();
    const was = standIn;
    standIn = null;
    await was?.stop();
  }

  await up();
  const { port } = standIn!;
  const proxy: CompanyProxy = {
    address: `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    ...{ required: null, fault: null, inspects: inspect !== undefined, asked: [], sentBytes: 0 },
    dieAfter: (bytes) => new Promise((died) => (dying = { leftBytes: bytes, died })),
    up: () => up(port),
    stop: down,
  };
  return proxy;
}

/** The hosts that it was asked for, but for Chromium's own: a new session looks for a dictionary. */
export function targetsOf({ asked }: CompanyProxy): string[] {
  const targets = asked.map(({ target }) => target).filter((one) => !one.startsWith('redirector.gvt1.com'));
  return [...new Set(targets)].sort();
}

/** An address with `user:password`. */
export function withUser(address: string, user: string): string {
  const url = new URL(address);
  [url.username, url.password] = user.split(':').map(encodeURIComponent) as [string, string];
  return url.href;
}

/** TLS before a server that speaks plain HTTP. */
export async function startTlsFront(identity: Identity, port: number): Promise<StandIn> {
  const { createServer: createSecureServer } = await import('node:tls');
  const server = createSecureServer(identity, (desk) => {
    const plain = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [desk, plain],
      [plain, desk],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    desk.pipe(plain).pipe(desk);
  });
  return listen(server);
}

/** Serves a proxy script on loopback. */
export async function startPacServer(script: () => string): Promise<StandIn & { readonly url: string }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/x-ns-proxy-autoconfig' }).end(script());
  });
  const standIn = await listen(server);
  return { ...standIn, url: `http://127.0.0.1:${standIn.port}/proxy.pac` };
}
