// The AWS SDK's way to the network, within limits: each answer up to a size, each request up to a time from its first byte to
// the last of its answer, and nothing of what a request carried in secret in what the SDK reads. The one place for S3 and
// EventBridge, and for the services that the SDK asks for credentials.

import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { Readable } from 'node:stream';
import { withDeadline } from './deadline.ts';
import { MAX_ANSWER_BYTES, wholeAnswer, withoutEcho } from './limits.ts';

export interface AwsLimits {
  /** How long nothing may move on a connection. */
  readonly idleTimeoutMs: number;
  /** For a whole request, without the time that its body takes at the slowest accepted rate. */
  readonly requestTimeoutMs: number;
}

/** A body that waits for its turn (the bandwidth cap) while the server has done nothing wrong. */
export interface PacedBody extends Readable {
  /** How long it has waited in all, by now. */
  readonly waitedMs: () => number;
}

type Handle = NodeHttpHandler['handle'];
type Request = Parameters<Handle>[0];
type Answered = Awaited<ReturnType<Handle>>;

const CONNECT_TIMEOUT_MS = 10_000;
/** 32 kbit/s. A connection that is slower for a whole part is as good as none. */
const SLOWEST_BYTES_PER_MS = 4;
/** So much of a body that was passed to the system may still be in its buffers. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** A sign-on or a program that is asked for credentials. */
const CREDENTIALS_TIMEOUT_MS = 60_000;

/** For the `requestHandler` of a client. A request's own `requestTimeout` takes the place of the usual one. */
export async function awsHandler(limits: AwsLimits): Promise<NodeHttpHandler> {
  // Loaded with the SDK, not at the start.
  const { NodeHttpHandler } = await import('@smithy/node-http-handler');
  const inner = new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: limits.idleTimeoutMs,
  });
  const handle = inner.handle.bind(inner);
  inner.handle = (request, { requestTimeout, ...options } = {}) =>
    limited(handle, request, options, requestTimeout ?? limits.requestTimeoutMs);
  return inner;
}

async function limited(
  handle: Handle,
  request: Request,
  options: NonNullable<Parameters<Handle>[1]>,
  timeoutMs: number,
): Promise<Answered> {
  const late = new AbortController();
  const allowedMs = allowance(request, timeoutMs);
  const stop = abortAfter(late, allowedMs);
  const { abortSignal } = options as { abortSignal?: AbortSignal };
  const signal = abortSignal === undefined ? late.signal : AbortSignal.any([abortSignal, late.signal]);
  try {
    const { response } = await handle(request, { ...options, abortSignal: signal });
    const body = await wholeAnswer(response.body as Readable, MAX_ANSWER_BYTES);
    response.body = Readable.from([withoutEcho(body, secretsOf(request))]);
    return { response };
  } catch (error) {
    if (!late.signal.aborted) throw error;
    throw named('TimeoutError', `no whole answer within ${Math.round(allowedMs() / 1000)} s`);
  } finally {
    stop();
  }
}

/** @param allowedMs since now; asked again when it is over, for it may have grown */
function abortAfter(late: AbortController, allowedMs: () => number): () => void {
  const startedAt = performance.now();
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const leftMs = startedAt + allowedMs() - performance.now();
    if (leftMs <= 0) late.abort();
    else timer = setTimeout(look, Math.ceil(leftMs));
  };
  look();
  return () => clearTimeout(timer);
}

/** How long a request may take since now: as asked again, for its body may have to wait, or be on its way already. */
function allowance({ body, headers }: Request, timeoutMs: number): () => number {
  const startedAt = performance.now();
  const sizeBytes = Number(headers['content-length'] ?? 0);
  let handedOnMs: number | null = null;
  if (body instanceof Readable) body.once('end', () => (handedOnMs = performance.now() - startedAt));
  return () => {
    const waitedMs = body instanceof Readable && 'waitedMs' in body ? (body as PacedBody).waitedMs() : 0;
    const wholeMs = timeoutMs + waitedMs + sizeBytes / SLOWEST_BYTES_PER_MS;
    if (handedOnMs === null) return wholeMs;
    const bufferedMs = Math.min(sizeBytes, MAX_BUFFERED_BYTES) / SLOWEST_BYTES_PER_MS;
    return Math.min(wholeMs, handedOnMs + bufferedMs + timeoutMs);
  };
}

/** What is good for more than this one request. */
function secretsOf({ headers }: Request): string[] {
  const names = ['x-amz-security-token', 'x-amz-sso_bearer_token', 'authorization'];
  return names.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [value, value.replace(/^\w+ /, '')];
  });
}

interface AwsClient {
  readonly config: { readonly credentials: () => Promise<unknown> };
  readonly middlewareStack: { add: (middleware: never, options: never) => void };
}

/** Credentials may come from a program that never ends: no request waits for them longer than this. */
export function limitCredentials(client: AwsClient, timeoutMs = CREDENTIALS_TIMEOUT_MS): void {
  const late = () => named('CredentialsProviderError', `no credentials within ${timeoutMs / 1000} s`);
  const wait =
    (next: (args: unknown) => Promise<unknown>) =>
    async (args: unknown): Promise<unknown> => {
      // The SDK keeps them for the request itself.
      await withDeadline(client.config.credentials(), timeoutMs, late);
      return next(args);
    };
  client.middlewareStack.add(wait as never, { step: 'initialize', name: 'credentialsInTime' } as never);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
