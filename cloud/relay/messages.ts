// What page and relay say to each other over the websocket, one JSON object a message. ccp/src/relay has the page's side of it, and a
// test compares both.

import { z } from 'zod';
import { contactIdSchema } from '../../main/shared/protocol.ts';

/** The token takes most of it. API Gateway's limit is 32 KiB for a frame. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

const arn = z.string().min(1).max(512);

export const pageMessageSchema = z.discriminatedUnion('type', [
  /** Replaces what the connection said before. */
  z.object({
    type: z.literal('subscribe'),
    token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
    agentArn: arn,
    instanceArn: arn,
    contacts: z
      .array(z.object({ contactId: contactIdSchema, initialContactId: contactIdSchema.optional() }))
      .max(32),
  }),
  z.object({
    type: z.literal('acknowledge'),
    requestId: z.uuid(),
    /** `not-recorded`: the page has no such contact any more. */
    outcome: z.enum(['suspended', 'resumed', 'not-recorded']),
  }),
  /** Keeps the connection open: API Gateway closes one that is idle for ten minutes. */
  z.object({ type: z.literal('ping') }),
]);
export type PageMessage = z.infer<typeof pageMessageSchema>;
export type Subscription = Extract<PageMessage, { type: 'subscribe' }>;
export type Outcome = Extract<PageMessage, { type: 'acknowledge' }>['outcome'];

/** What a flow last asked for. */
export interface Wanted {
  readonly contactId: string;
  readonly suspended: boolean;
  /** When it was asked for, in milliseconds since the epoch: the latest one counts, in whatever order they arrive. */
  readonly requestedAt: number;
}

export type RelayMessage =
  /** Subscribe again before `expiresAt` (RFC 3339). `wanted`: of those contacts that a flow has asked for. */
  | { readonly type: 'subscribed'; readonly expiresAt: string; readonly wanted: readonly Wanted[] }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | (Wanted & { readonly type: 'request'; readonly requestId: string })
  | { readonly type: 'pong' };
