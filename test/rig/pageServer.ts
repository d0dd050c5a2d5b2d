// A loopback web server for the rig's pages and recordings. It answers byte ranges, without which a browser's
// <video> cannot seek and some will not play. It serves what the test lists and nothing else.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

/** A string is an HTML page. */
export type Route =
  | string
  | { file: string; contentType?: string }
  | { body: string | Uint8Array; contentType: string; headers?: Record<string, string> }
  | ((request: IncomingMessage, response: ServerResponse) => void | Promise<void>);

export interface PageServer {
  /** `http://127.0.0.1:port`, a secure context for browsers. */
  readonly origin: string;
  readonly port: number;
  /** May be changed while the server runs. */
  readonly routes: Record<string, Route>;
  stop(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.mp4': 'video/mp4',
  '.png': 'image/png',
};

/** Serves `routes` (path to content) on a free port of 127.0.0.1; start two for two origins. */
export async function startPageServer(options: { routes: Record<string, Route> }): Promise<PageServer> {
  const routes = { ...options.routes };
  const server = createServer((request, response) => {
    answer(routes, request, response).catch((error: unknown) => {
      // The browser closing a video early is no fault; anything else shows as a broken response in the test.
      if (!response.headersSent) response.writeHead(500).end(String(error));
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    routes,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  routes: Record<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
  if (route === undefined) {
    response.writeHead(404).end(`no route ${pathname}`);
  } else if (typeof route === 'function') {
    await route(request, response);
  } else if (typeof route === 'string') {
    await send(request, response, Buffer.from(route), TYPES['.html']!, {});
  } else if ('file' in route) {
    await send(
      request,
      response,
      route.file,
      route.contentType ?? TYPES[extname(route.file)] ?? 'text/plain',
      {},
    );
  } else {
    await send(request, response, Buffer.from(route.body), route.contentType, route.headers ?? {});
  }
}

/** Sends bytes, or a file (a string: its path), whole or the one range asked for (RFC 9110, section 14). */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer | string,
  contentType: string,
  headers: Record<string, string>,
): Promise<void> {
  const size = typeof content === 'string' ? (await stat(content)).size : content.length;
  const range = parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range ? 206 : 200, {
    'content-type': contentType,
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    ...headers,
  });
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  const body =
    typeof content === 'string'
      ? createReadStream(content, { start, end })
      : Readable.from([content.subarray(start, end + 1)]);
  await pipeline(body, response);
}

/** The single range of a Range header; undefined (send everything) for none, several, or one we cannot read. */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length > 0 ? { start: size - length, end: size - 1 } : 'unsatisfiable';
  }
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < start) return undefined;
  return start < size ? { start, end } : 'unsatisfiable';
}
