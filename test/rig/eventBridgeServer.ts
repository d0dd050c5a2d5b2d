// A stand-in for Amazon EventBridge on loopback: PutEvents over AWS's JSON 1.1 protocol, as strict as the real one
// (signature, limits, rights), with faults on demand. It keeps what it has accepted, in order.
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { SigningKey } from './eventBridgeSignature.ts';
import { signatureRefusal } from './eventBridgeSignature.ts';

export interface EventBridgeServerOptions {
  region?: string;
  /** The one bus that the key may put events on. */
  bus?: string;
  key?: SigningKey;
}

export type Fault =
  | 'error-500'
  | 'throttling'
  | 'access-denied'
  | 'expired-token'
  | 'reset'
  /** The events are taken, the answer never arrives. */
  | 'lost-answer'
  /** No answer until the client goes away. */
  | 'stall'
  /** These places of the request fail with this code. */
  | { readonly partial: readonly number[]; readonly code: string };

export interface ReceivedEvent {
  readonly eventId: string;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly detail: Readonly<Record<string, unknown>> & { eventDeduplicationId: string };
}

export interface EventBridgeServer {
  readonly endpoint: string;
  readonly region: string;
  readonly bus: string;
  /** The key that is taken now; another one may be put here. */
  key: SigningKey;
  /** Everything accepted, in order, with duplicates. */
  readonly received: readonly ReceivedEvent[];
  /** How each request ended: `200`, a code, or a fault's name. */
  readonly outcomes: readonly string[];
  /** One fault for each of the next requests. */
  fail(...faults: Fault[]): void;
  /** For each request until told null. */
  failAlways(fault: Fault | null): void;
  /** Resolves once it holds, now or later. */
  until(holds: (server: EventBridgeServer) => boolean): Promise<void>;
  /** Nobody listens any more; up() takes the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export const testKey: SigningKey = {
  accessKeyId: 'AKIDSIGHTLINETEST',
  secretAccessKey: 'a secret/of+the tests',
  sessionToken: 'a session token==',
};

/** A recorder's environment with that key, and nothing else of AWS. @param home a folder without AWS's files */
export function keyEnvironment(home: string): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: testKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testKey.secretAccessKey,
    AWS_SESSION_TOKEN: testKey.sessionToken ?? '',
    AWS_CONFIG_FILE: join(home, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;

const entrySchema = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().max(128).optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string().max(2048)).optional(),
  Time: z.number().optional(),
  EventBusName: z.string().min(1).optional(),
});
type Entry = z.infer<typeof entrySchema>;
const bodySchema = z.strictObject({ Entries: z.array(entrySchema).min(1) });

type EntryResult = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export async function startEventBridgeServer(
  options: EventBridgeServerOptions = {},
): Promise<EventBridgeServer> {
  const { region = 'eu-central-1', bus = 'sightline-test', key = testKey } = options;
  const received: ReceivedEvent[] = [];
  const outcomes: string[] = [];
  const faults: Fault[] = [];
  const watchers = new Set<() => void>();
  let always: Fault | null = null;
  let port = 0;
  let server: Server;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fault = faults.shift() ?? always;
    try {
      const entries = parse(request, body);
      if (fault !== null) refuseBy(fault);
      const results = entries.map((entry, index) => take(entry, index, fault));
      if (fault === 'lost-answer') throw new Dropped(fault);
      const FailedEntryCount = results.filter((result) => 'ErrorCode' in result).length;
      answer(response, 200, { FailedEntryCount, Entries: results });
      outcomes.push('200');
    } catch (error) {
      if (error instanceof Refusal) {
        answer(response, error.status, { __type: error.code, message: error.message });
        outcomes.push(error.code);
      } else if (error instanceof Dropped) {
        if (error.message !== 'stall') request.socket.resetAndDestroy();
        outcomes.push(error.message);
      } else throw error;
    }
    for (const look of [...watchers]) look();
  }

  function parse(request: IncomingMessage, body: Buffer): Entry[] {
    if (request.method !== 'POST' || request.url !== '/')
      throw new Refusal(404, 'UnknownOperationException', `${request.method} ${request.url}`);
    if (request.headers['content-type'] !== 'application/x-amz-json-1.1')
      throw new Refusal(400, 'SerializationException', 'content-type');
    if (request.headers['x-amz-target'] !== 'AWSEvents.PutEvents')
      throw new Refusal(400, 'UnknownOperationException', String(request.headers['x-amz-target']));
    const refused = signatureRefusal(request, body, { key: self.key, region, now: Date.now() });
    if (refused !== null) throw new Refusal(400, refused.code, refused.message);
    let parsed: z.infer<typeof bodySchema>;
    try {
      parsed = bodySchema.parse(JSON.parse(body.toString('utf8')));
    } catch (error) {
      throw new Refusal(400, 'SerializationException', String(error));
    }
    const { Entries: entries } = parsed;
    if (entries.length > MAX_ENTRIES)
      throw new Refusal(400, 'ValidationException', `${entries.length} entries; at most ${MAX_ENTRIES}`);
    if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES)
      throw new Refusal(
        400,
        'ValidationException',
        'Total size of the entries in the request is over the limit.',
      );
    for (const { EventBusName = 'default' } of entries)
      if (EventBusName !== bus)
        throw new Refusal(
          400,
          'AccessDeniedException',
          `not authorized to perform: events:PutEvents on resource: ${EventBusName}`,
        );
    return entries;
  }

  function take(entry: Entry, index: number, fault: Fault | null): EntryResult {
    if (fault !== null && typeof fault === 'object' && fault.partial.includes(index))
      return { ErrorCode: fault.code, ErrorMessage: 'asked for by the test' };
    const { Source, DetailType, Detail, Resources = [], Time } = entry;
    if (!Source || !DetailType || !Detail)
      return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Source, DetailType and Detail are required.' };
    if (Source.startsWith('aws.'))
      return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: `Not authorized for ${Source}` };
    let detail: unknown;
    try {
      detail = JSON.parse(Detail);
    } catch {
      detail = null;
    }
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
      return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    const eventId = randomUUID();
    received.push({
      eventId,
      bus,
      source: Source,
      detailType: DetailType,
      resources: Resources,
      time: Time === undefined ? Date.now() : Math.round(Time * 1000),
      detail: detail as ReceivedEvent['detail'],
    });
    return { EventId: eventId };
  }

  async function listen(): Promise<void> {
    server = createServer((request, response) => void handle(request, response).catch(() => undefined));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }

  async function close(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  const self: EventBridgeServer = {
    get endpoint() {
      return `http://127.0.0.1:${port}`;
    },
    region,
    bus,
    key,
    received,
    outcomes,
    fail: (...more) => void faults.push(...more),
    failAlways: (fault) => (always = fault),
    until: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!holds(self)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    down: close,
    up: listen,
    stop: () => (server.listening ? close() : Promise.resolve()),
  };
  await listen();
  return self;
}

/** Thrown where the client is to get no answer; the message is the fault's name. */
class Dropped extends Error {}

function refuseBy(fault: Fault): void {
  switch (fault) {
    case 'error-500':
      throw new Refusal(500, 'InternalException', 'asked for by the test');
    case 'throttling':
      throw new Refusal(400, 'ThrottlingException', 'Rate exceeded');
    case 'access-denied':
      throw new Refusal(400, 'AccessDeniedException', 'not authorized to perform: events:PutEvents');
    case 'expired-token':
      throw new Refusal(
        400,
        'ExpiredTokenException',
        'The security token included in the request is expired',
      );
    case 'reset':
    case 'stall':
      throw new Dropped(fault);
    case 'lost-answer':
      return;
    default:
      return;
  }
}

/** As AWS counts it: 14 for the time, the rest in UTF-8. */
function sizeOf({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes + (Time === undefined ? 0 : 14);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}
