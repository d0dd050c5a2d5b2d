// The authentication endpoint as docs/auth.md describes it, as a customer would run it: strict about what it is asked, and
// with the faults that such endpoints have. It keeps what it was asked, and what was wrong with that.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

export type AuthFault =
  | { readonly kind: 'status'; readonly status: number }
  /** Answers as it should, so much later; or never. */
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'silent' }
  /** Takes the question and closes the connection. */
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** 200, JSON by its header, and no end. */
  | { readonly kind: 'huge' }
  | { readonly kind: 'body'; readonly body: string; readonly contentType?: string }
  /** 200 and the beginning of a good answer, cut off. */
  | { readonly kind: 'cut-off' };

export interface AuthServer {
  readonly url: string;
  /** Good tokens, and whose they are. */
  readonly tokens: Map<string, { agentArn: string; expiresAt?: string }>;
  /** What it was asked, in order, whatever it answered. */
  readonly questions: { token: string | null; body: unknown }[];
  /** What was not as docs/auth.md says. */
  readonly complaints: string[];
  /** Done to every question, while there is one. */
  fault: AuthFault | null;
  /** Lets go of those that are kept waiting by `slow` and `silent`: they are answered as they should be. */
  release(): void;
  /** Resolves when so many questions have come in all. */
  asked(count: number): Promise<void>;
  close(): Promise<void>;
}

const PATH = '/taps/client/auth';
const questionSchema = z.strictObject({
  agentArn: z.string().startsWith('arn:'),
  instanceArn: z.string().startsWith('arn:'),
  instanceAlias: z.string().optional(),
  origin: z.string().regex(/^https?:\/\/[^/]+$/),
  appVersion: z.string().min(1),
});

/** @param tls of a certificate in PEM; plain HTTP without */
export async function startAuthServer(tls?: { key: string; cert: string }): Promise<AuthServer> {
  const waiting = new Set<() => void>();
  const watchers = new Set<() => void>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
    let body: unknown = text;
    try {
      body = JSON.parse(text);
    } catch {
      server.complaints.push('the body is not JSON');
    }
    server.questions.push({ token, body });
    for (const look of [...watchers]) look();
    const fault = server.fault;
    if (fault !== null && (await misbehave(fault, request, response))) return;
    const [status, said] = judge(request, token, body);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(said));
  };

  /** @returns whether that was the answer */
  async function misbehave(
    fault: AuthFault,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    const json = { 'Content-Type': 'application/json' };
    switch (fault.kind) {
      case 'slow':
      case 'silent':
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
          if (fault.kind === 'slow') setTimeout(resolve, fault.ms).unref();
        });
        return false;
      case 'status':
        response.writeHead(fault.status, json).end('{"allowed":true,"message":"do-not-show"}');
        return true;
      case 'hang-up':
        request.socket.destroy();
        return true;
      case 'redirect':
        response.writeHead(307, { Location: fault.to }).end();
        return true;
      case 'huge':
        response.writeHead(200, json);
        // Ends when the other side has had enough.
        await pipeline(endless(), response).catch(() => undefined);
        return true;
      case 'body':
        response.writeHead(200, { 'Content-Type': fault.contentType ?? 'application/json' }).end(fault.body);
        return true;
      case 'cut-off':
        response.writeHead(200, { ...json, 'Content-Length': '1000' }).write('{"allowed":true}');
        setImmediate(() => request.socket.destroy());
        return true;
    }
  }

  function judge(request: IncomingMessage, token: string | null, body: unknown): [number, unknown] {
    const wrong: string[] = [];
    if (request.url !== PATH) wrong.push(`path ${request.url}`);
    if (request.method !== 'POST') wrong.push(`method ${request.method}`);
    if (request.headers['content-type'] !== 'application/json') wrong.push('content-type');
    if (request.headers.origin !== undefined || request.headers.cookie !== undefined) wrong.push('a browser');
    if (token === null) return [401, { message: 'no token' }];
    const question = questionSchema.safeParse(body);
    if (!question.success) wrong.push(`body: ${question.error.message}`);
    if (!question.success || wrong.length > 0) {
      server.complaints.push(...wrong);
      return [400, { message: wrong.join('; ') }];
    }
    const known = server.tokens.get(token);
    if (known === undefined) return [401, { message: 'unknown token' }];
    if (known.agentArn !== question.data.agentArn) return [200, { allowed: false }];
    return [200, { allowed: true, ...known, more: 'fields of a later version' }];
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response).catch((error: unknown) => server.complaints.push(String(error)));
  const http = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: AuthServer = {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${(http.address() as AddressInfo).port}${PATH}`,
    tokens: new Map(),
    questions: [],
    complaints: [],
    fault: null,
    release() {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
    asked: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (server.questions.length < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async close() {
      http.close();
      http.closeAllConnections();
      await once(http, 'close');
    },
  };
  return server;
}

function* endless(): Generator<string> {
  for (;;) yield `{"allowed":true,"x":"${'x'.repeat(65_536)}`;
}
