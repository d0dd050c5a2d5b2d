// The page's side of the relay: connect, disconnect and messages of API Gateway's WebSocket API. A connection is nobody until its
// subscription has a valid token: browsers cannot send one with the connection, and in the URL it would be in access logs.

import type { Access } from '../broker/access.ts';
import { verified } from '../broker/access.ts';
import { RateLimit } from '../broker/rateLimit.ts';
import { parseJson, Refusal } from '../http/lambda.ts';
import type { Log } from '../http/log.ts';
import { MAX_MESSAGE_BYTES, pageMessageSchema, type RelayMessage, type Subscription } from './messages.ts';
import type { RelayStore } from './store.ts';

/** The parts of API Gateway's WebSocket events that are used. */
export interface SocketEvent {
  readonly requestContext: {
    readonly eventType: 'CONNECT' | 'DISCONNECT' | 'MESSAGE';
    readonly connectionId: string;
  };
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

export interface SocketResult {
  readonly statusCode: number;
}

/** Sends to a page. @returns false: the connection is gone */
export type Push = (connectionId: string, message: RelayMessage) => Promise<boolean>;

export interface SocketParts {
  readonly access: Access;
  readonly store: RelayStore;
  readonly push: Push;
  /** Pages that may connect, e.g. `https://acme.my.connect.aws`; empty: any, because the token decides. */
  readonly origins: readonly string[];
  readonly log: Log;
  readonly now?: () => number;
}

/** API Gateway ends a connection after two hours. */
const LONGEST_MS = 2 * 60 * 60 * 1000;

export function createSockets(parts: SocketParts): (event: SocketEvent) => Promise<SocketResult> {
  const { access, store, push, origins, log, now = Date.now } = parts;
  const limit = new RateLimit({ perSecond: 2, burst: 60 });

  async function subscribe(connectionId: string, asked: Subscription): Promise<RelayMessage> {
    const { agentArn, instanceArn, contacts } = asked;
    const { claims, isOwn } = await verified(access, asked.token, asked, (who) => {
      const seconds = limit.take(who);
      if (seconds > 0) throw new Refusal(429, 'TOO_MANY_REQUESTS', `Try again in ${seconds} s.`, seconds);
    });
    if (!isOwn) throw new Refusal(403, 'OTHER_AGENT', 'The token belongs to another agent.');
    const expiresAt = Math.min(claims.exp * 1000, now() + LONGEST_MS);
    // First the desk, then what is wanted: a request does both the other way round, so one of them sees the other.
    await store.subscribe({ connectionId, agentArn, instanceArn, contacts, expiresAt });
    const wanted = await store.wantedOf(
      instanceArn,
      contacts.map(({ contactId }) => contactId),
    );
    log({ event: 'desk-subscribed', agentArn, connectionId, contacts: contacts.length });
    return { type: 'subscribed', expiresAt: new Date(expiresAt).toISOString(), wanted };
  }

  async function message(connectionId: string, body: string): Promise<void> {
    const parsed =
      Buffer.byteLength(body) <= MAX_MESSAGE_BYTES && pageMessageSchema.safeParse(parseJson(body));
    if (parsed === false || !parsed.success) {
      log({ event: 'refused', path: 'message', code: 'INVALID_REQUEST', connectionId });
      await push(connectionId, {
        type: 'refused',
        code: 'INVALID_REQUEST',
        message: 'The message is not valid.',
      });
      return;
    }
    const { data } = parsed;
    switch (data.type) {
      case 'subscribe':
        await push(connectionId, await subscribe(connectionId, data));
        return;
      case 'acknowledge':
        // Otherwise anyone who can open a connection could fill the table.
        if (await store.isSubscribed(connectionId))
          await store.acknowledge(data.requestId, connectionId, data.outcome);
        return;
      case 'ping':
        await push(connectionId, { type: 'pong' });
    }
  }

  return async ({ requestContext, headers = {}, body = '' }) => {
    const { eventType, connectionId } = requestContext;
    switch (eventType) {
      case 'CONNECT': {
        // API Gateway keeps the case of WebSocket headers.
        const origin = Object.entries(headers).find(([name]) => name.toLowerCase() === 'origin')?.[1] ?? '';
        if (origins.length === 0 || origins.includes(origin)) return { statusCode: 200 };
        log({ event: 'refused', path: 'connect', code: 'ORIGIN_NOT_ALLOWED', origin: origin.slice(0, 256) });
        return { statusCode: 403 };
      }
      case 'DISCONNECT':
        await store.forget(connectionId);
        return { statusCode: 200 };
      case 'MESSAGE':
        try {
          await message(connectionId, body);
        } catch (error) {
          const { code, message: text } =
            error instanceof Refusal ? error : new Refusal(503, 'INTERNAL', 'Try again later.');
          log({ event: 'refused', path: 'message', code, connectionId });
          await push(connectionId, { type: 'refused', code, message: text });
        }
        return { statusCode: 200 };
    }
  };
}
