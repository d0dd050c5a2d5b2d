// The handlers behind HTTP on the loopback, as API Gateway's HTTP API would call them: for tests, demos, and sites without AWS behind a
// proxy of their own that has TLS.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, type HttpEvent, type HttpHandler, type HttpResult } from '../http/lambda.ts';

export interface LocalHttp {
  readonly server: Server;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  close(): Promise<void>;
}

/** The handlers refuse much smaller ones; this is what is read at all. */
const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

/** @param port 0: any free one */
export async function serveHttp(handler: HttpHandler, port = 0): Promise<LocalHttp> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void respond(request).then(({ statusCode, headers, body }) => {
      response.writeHead(statusCode, headers).end(body);
      // What was not read of a body that is too large must not be taken for the next request.
      if (!request.complete) request.destroy();
    });
  });
  async function respond(request: IncomingMessage): Promise<HttpResult> {
    try {
      const event = await toEvent(request);
      if (event === null)
        return answer(413, { code: 'TOO_LARGE', message: 'The body is too large.' }, { connection: 'close' });
      return await handler(event);
    } catch {
      return answer(500, { code: 'INTERNAL', message: 'The request failed.' });
    }
  }
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** null: the body is too large. */
async function toEvent(request: IncomingMessage): Promise<HttpEvent | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return null;
    parts.push(part);
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(',') : value,
  ]);
  return {
    rawPath: url.pathname,
    headers: Object.fromEntries(headers) as Record<string, string | undefined>,
    queryStringParameters: Object.fromEntries(url.searchParams),
    // As API Gateway does it for content types that are no text.
    body: Buffer.concat(parts).toString('base64'),
    isBase64Encoded: true,
    requestContext: { http: { method: request.method ?? 'GET' }, requestId: randomUUID() },
  };
}
