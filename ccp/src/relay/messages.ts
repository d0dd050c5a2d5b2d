// What page and relay say to each other; cloud/relay/messages.ts has the other side of it.

export interface Wanted {
  readonly contactId: string;
  readonly suspended: boolean;
  readonly requestedAt: number;
}

export type PageMessage =
  | {
      readonly type: 'subscribe';
      readonly token: string;
      readonly agentArn: string;
      readonly instanceArn: string;
      readonly contacts: readonly { readonly contactId: string; readonly initialContactId?: string }[];
    }
  | {
      readonly type: 'acknowledge';
      readonly requestId: string;
      readonly outcome: 'suspended' | 'resumed' | 'not-recorded';
    }
  | { readonly type: 'ping' };

export type RelayMessage =
  | { readonly type: 'subscribed'; readonly expiresAt: string; readonly wanted: readonly Wanted[] }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | (Wanted & { readonly type: 'request'; readonly requestId: string })
  | { readonly type: 'pong' };

const MAX_WANTED = 64;

/** null: it is none, and is ignored. */
export function parseRelayMessage(data: unknown): RelayMessage | null {
  if (typeof data !== 'string') return null;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isRecord(message)) return null;
  const { type } = message;
  if (type === 'pong') return { type };
  if (type === 'request' && isWanted(message) && typeof message['requestId'] === 'string')
    return { ...wantedOf(message), type, requestId: message['requestId'] };
  if (type === 'refused' && typeof message['code'] === 'string' && typeof message['message'] === 'string')
    return { type, code: message['code'], message: message['message'] };
  const { expiresAt, wanted } = message;
  if (type === 'subscribed' && typeof expiresAt === 'string' && Array.isArray(wanted))
    return { type, expiresAt, wanted: wanted.slice(0, MAX_WANTED).filter(isWanted).map(wantedOf) };
  return null;
}

function isWanted(value: unknown): value is Wanted & Record<string, unknown> {
  return (
    isRecord(value) &&
    typeof value['contactId'] === 'string' &&
    typeof value['suspended'] === 'boolean' &&
    typeof value['requestedAt'] === 'number'
  );
}

function wantedOf({ contactId, suspended, requestedAt }: Wanted): Wanted {
  return { contactId, suspended, requestedAt };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
