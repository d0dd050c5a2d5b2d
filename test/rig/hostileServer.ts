// A server that does what a hostile or broken one can do to its clients, bounded in bytes and time; while nothing hostile is
// asked of it, it hands on to a server that behaves.
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

export type Hostility =
  /** A message so long, between these words. */
  | {
      readonly kind: 'flood';
      readonly status: number;
      readonly sizeBytes: number;
      readonly around?: [string, string];
    }
  /** The answer's headers, and then a byte so often, so many in all. */
  | { readonly kind: 'drip'; readonly everyMs: number; readonly count: number }
  /** Takes the question and says nothing. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'redirect'; readonly to: string }
  | {
      readonly kind: 'says';
      readonly status: number;
      readonly type?: string;
      readonly body: (request: IncomingMessage) => string;
    };

export interface HostileServer {
  /** `http://127.0.0.1:port`, or https. */
  readonly url: string;
  /** null: hands on. Asked for each request. */
  hostility: (request: IncomingMessage) => Hostility | null;
  /** Changes the headers of an answer that is handed on. */
  change: (request: IncomingMessage, headers: IncomingMessage['headers']) => void;
  /** Each request, in order. */
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Of answers, all of them, as far as the network has taken them. */
  readonly sentBytes: number;
  /** Resolves when so many requests have come in all. */
  asked(count: number): Promise<void>;
  close(): Promise<void>;
}

const CHUNK = Buffer.alloc(64 * 1024, 'x');

/** @param behaving to which requests are handed on: `http://127.0.0.1:port` */
export async function startHostileServer(
  behaving: string | null = null,
  tls?: { key: string; cert: string },
): Promise<HostileServer> {
  const watchers = new Set<() => void>();
  let sentBytes = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const { method = '', url = '', headers } = request;
    hostile.requests.push({ method, url, headers, body: body.toString('latin1') });
    for (const look of [...watchers]) look();
    const act = hostile.hostility(request);
    if (act !== null) await misbehave(act, request, response);
    else if (behaving !== null) await handOn(behaving, request, body, response, hostile.change);
    else response.writeHead(404).end();
  };

  async function misbehave(
    act: Hostility,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const send = async (data: string | Buffer): Promise<void> => {
      if (response.destroyed) throw new Error('cut off');
      sentBytes += data.length;
      if (!response.write(data)) await drained(response);
    };
    switch (act.kind) {
      case 'flood': {
        const [before, behind] = act.around ?? ['', ''];
        response.writeHead(act.status, { 'Content-Type': 'application/xml' });
        await send(before);
        for (let left = act.sizeBytes; left > 0; left -= CHUNK.length) await send(CHUNK);
        response.end(behind);
        return;
      }
      case 'drip':
        response.writeHead(200, { 'Content-Type': 'application/json' });
        for (let left = act.count; left > 0; left -= 1) {
          await send(' ');
          await new Promise((resolve) => setTimeout(resolve, act.everyMs));
        }
        response.end();
        return;
      case 'silent':
        return;
      case 'redirect':
        response.writeHead(307, { Location: act.to }).end();
        return;
      case 'says': {
        const text = act.body(request);
        sentBytes += text.length;
        response.writeHead(act.status, { 'Content-Type': act.type ?? 'application/xml' }).end(text);
      }
    }
  }

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    // Whoever is attacked cuts the connection: that is what is hoped for.
    serve(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hostile: HostileServer = {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hostility: () => null,
    change: () => undefined,
    requests: [],
    get sentBytes() {
      return sentBytes;
    },
    asked: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (hostile.requests.length < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return hostile;
}

/** Or gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** As it came, Host included: signatures cover that. */
async function handOn(
  behaving: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  change: HostileServer['change'],
): Promise<void> {
  const { method, url, headers } = request;
  const { expect: _, ...rest } = headers;
  const outgoing = httpRequest(`${behaving}${url ?? ''}`, { method, headers: rest });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  change(request, incoming.headers);
  response.writeHead(incoming.statusCode ?? 500, incoming.headers);
  await pipeline(incoming, response);
}

/** An error as S3 says it. */
export function s3Error(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}
