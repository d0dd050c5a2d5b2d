// Stand-ins on 127.0.0.1 for what the network's checks meet: TLS hosts with certificates of a made authority, proxies that
// open, refuse or break, a port that swallows connections, a STUN server. No test ever reaches a real host.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request as requestHttp } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTool, endWithUs, runOrThrow } from './process.ts';

export interface StandIn {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface Authority {
  /** PEM */
  readonly root: string;
  readonly rootFile: string;
  readonly issue: (host: string, options?: { expired?: boolean }) => Promise<Identity>;
}

/** As an administrator adds it to the system's store, for a Chromium with this home folder. */
export async function trustInHome(home: string, { rootFile }: Authority): Promise<void> {
  const der = `${rootFile}.der`;
  const openssl = findTool(['openssl'], 'Install openssl.');
  await runOrThrow(openssl, ['x509', '-in', rootFile, '-outform', 'der', '-out', der]);
  const script = fileURLToPath(new URL('trustRoot.py', import.meta.url));
  await runOrThrow(findTool(['python3'], 'Install Python 3.'), [script, home, der]);
}

/** An authority whose certificates name `organisation` as their issuer's. */
export async function makeAuthority(folder: string, organisation: string): Promise<Authority> {
  const openssl = findTool(['openssl'], 'Install openssl.');
  const prefix = join(folder, createHash('sha256').update(organisation).digest('hex').slice(0, 8));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const root = `${prefix}-root.pem`;
  const rootKey = `${prefix}-root.key`;
  await runOrThrow(openssl, [
    ...['req', '-x509', ...key, '-keyout', rootKey, '-out', root, '-days', '2'],
    ...['-subj', `/O=${organisation}/CN=${organisation} Test Root`],
  ]);
  let serial = 0;
  return {
    root: await readFile(root, 'utf8'),
    rootFile: root,
    issue: async (host, { expired = false } = {}) => {
      serial += 1;
      const at = `${prefix}-${serial}`;
      await writeFile(`${at}.ext`, `subjectAltName=${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}\n`);
      await runOrThrow(openssl, [
        ...['req', '-new', ...key, '-keyout', `${at}.key`, '-out', `${at}.csr`, '-subj', '/CN=host'],
      ]);
      await runOrThrow(openssl, [
        ...['x509', '-req', '-in', `${at}.csr`, '-CA', root, '-CAkey', rootKey, '-CAcreateserial'],
        ...['-out', `${at}.pem`, '-days', expired ? '-1' : '2', '-extfile', `${at}.ext`],
      ]);
      return { key: await readFile(`${at}.key`), cert: await readFile(`${at}.pem`) };
    },
  };
}

type Upgrade = 'accept' | 'refuse' | 'wrong key' | 'cut' | 'silent';

/** An https host that answers an upgrade as told. */
export async function startTlsHost(identity: Identity, upgrade: Upgrade = 'accept'): Promise<StandIn> {
  const server = createHttpsServer(identity, (_, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket) => {
    const suffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key'] ?? ''}${suffix}`)
      .digest('base64');
    const switched = (key: string) =>
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`;
    switch (upgrade) {
      case 'accept':
        socket.write(switched(accept));
        break;
      case 'wrong key':
        socket.write(switched('AAAA'));
        break;
      case 'refuse':
        socket.end('HTTP/1.1 404 Not Found\r\nServer: stand-in\r\nContent-Length: 0\r\n\r\n');
        break;
      case 'cut':
        socket.destroy();
        break;
      case 'silent':
        break;
    }
  });
  return listen(server);
}

/** A middlebox that opens TLS with its own certificate and passes requests on without the headers of one hop. */
export async function startTlsOpener(identity: Identity): Promise<StandIn> {
  const upstream = await listen(
    createHttpServer((_, response) => response.writeHead(426, { Server: 'upstream' }).end()),
  );
  // No listener for 'upgrade': to Node, as to such a box, that is a request like any other.
  const server = createHttpsServer(identity, (request, response) => {
    const { upgrade: _, connection: __, ...headers } = request.headers;
    const onward = requestHttp({ port: upstream.port, host: '127.0.0.1', path: request.url, headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, Via: '1.1 box' });
      answer.pipe(response);
    });
    onward.end();
  });
  const { port, stop } = await listen(server);
  return {
    port,
    stop: async () => {
      await stop();
      await upstream.stop();
    },
  };
}

/** Accepts, and answers with text that is no TLS; or hangs up at once. */
export function startPlainHost(answer: string | null): Promise<StandIn> {
  return listen(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => (answer === null ? socket.resetAndDestroy() : socket.end(answer)));
    }),
  );
}

export interface ProxyStandIn extends StandIn {
  /** `host:port` of each CONNECT, with the credentials that came along. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[];
}

/** @param answer for each target a port on loopback to lead it to, or the status of a refusal */
export async function startProxy(
  answer: (target: string) => { port: number } | { status: number },
): Promise<ProxyStandIn> {
  const asked: ProxyStandIn['asked'] = [];
  const server = createHttpServer();
  server.on('connect', (request, socket: Socket) => {
    const target = request.url ?? '';
    asked.push({ target, authorization: request.headers['proxy-authorization'] });
    const how = answer(target);
    socket.on('error', () => undefined);
    if ('status' in how) {
      const scheme = how.status === 407 ? 'Proxy-Authenticate: Negotiate, Basic realm="x"\r\n' : '';
      socket.end(`HTTP/1.1 ${how.status} No\r\n${scheme}Content-Length: 0\r\n\r\n`);
      return;
    }
    const onward = connect(how.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  return { ...(await listen(server)), asked };
}

/** A port that drops connection requests, as a firewall does: its queue is full, and nobody takes from it. */
export async function startBlackhole(): Promise<StandIn> {
  const program = `const s = require('node:net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, s.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  // The queue holds backlog + 1; what is beyond it never connects.
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
  return {
    port,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export interface StunStandIn extends StandIn {
  readonly requests: Buffer[];
}

/** Swallows the first `lose` requests; Infinity: all. Before each answer come packets that are none. */
export async function startStunHost(
  lose: number,
  kind: 'success' | 'error' = 'success',
): Promise<StunStandIn> {
  const socket = createSocket('udp4');
  const requests: Buffer[] = [];
  socket.on('message', (packet, from) => {
    requests.push(packet);
    if (requests.length <= lose) return;
    socket.send('no STUN at all', from.port, from.address);
    const value = Buffer.alloc(8);
    if (kind === 'success') {
      value.writeUInt16BE(1, 0);
      value.writeUInt16BE(from.port ^ 0x2112, 2);
      from.address.split('.').forEach((part, at) => {
        value.writeUInt8(Number(part) ^ [0x21, 0x12, 0xa4, 0x42][at]!, 4 + at);
      });
    } else {
      value.writeUInt8(4, 2);
      value.writeUInt8(1, 3);
    }
    const answer = Buffer.concat([Buffer.alloc(8), packet.subarray(8, 20), Buffer.alloc(4), value]);
    answer.writeUInt16BE(kind === 'success' ? 0x0101 : 0x0111, 0);
    answer.writeUInt16BE(12, 2);
    answer.writeUInt32BE(0x2112a442, 4);
    answer.writeUInt16BE(kind === 'success' ? 0x0020 : 0x0009, 20);
    answer.writeUInt16BE(8, 22);
    const foreign = Buffer.from(answer);
    foreign.writeUInt8(foreign.readUInt8(8) ^ 1, 8);
    socket.send(foreign, from.port, from.address);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    requests,
    stop: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** On a port of 127.0.0.1, a free one unless told. */
export async function listen(server: Server, at = 0): Promise<StandIn> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
