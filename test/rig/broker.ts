// A broker of credentials as a customer would run it: a POST with an agent's token is answered with a short-lived key of
// the S3 stand-in. It keeps what it was asked, and says no when it is told to.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3AccessKey, S3Server } from './s3Server.ts';

export interface Broker {
  readonly url: string;
  /** What it was asked, in order. */
  readonly requests: { token: string; body: Record<string, unknown> }[];
  /** The keys that it gave out. */
  readonly given: S3AccessKey[];
  /** How long the next keys live. */
  livesMs: number;
  /** Answers with this status, while it is one. */
  refuseWith: number | null;
  close(): Promise<void>;
}

export async function startBroker(s3: S3Server, tokens: readonly string[]): Promise<Broker> {
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
    broker.requests.push({ token, body });
    if (broker.refuseWith !== null) return { status: broker.refuseWith, body: { message: 'no' } };
    if (!tokens.includes(token)) return { status: 401, body: { message: 'who are you?' } };
    const expiresAtMs = Date.now() + broker.livesMs;
    const key: S3AccessKey = {
      accessKeyId: `ASIABROKER${String(broker.given.length).padStart(10, '0')}`,
      secretAccessKey: `broker-secret-${broker.given.length}`,
      sessionToken: `broker-session-${broker.given.length}`,
      expiresAtMs,
    };
    broker.given.push(key);
    s3.accessKeys = [...s3.accessKeys, key];
    const { accessKeyId, secretAccessKey, sessionToken } = key;
    const expiration = new Date(expiresAtMs).toISOString();
    return { status: 200, body: { accessKeyId, secretAccessKey, sessionToken, expiration } };
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const broker: Broker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/credentials`,
    requests: [],
    given: [],
    livesMs: 3_600_000,
    refuseWith: null,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return broker;
}
