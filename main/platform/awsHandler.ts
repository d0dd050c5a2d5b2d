// The AWS SDK's way to the network, within limits: each answer up to a size, each request up to a time from its first byte to
// the last of its answer, and nothing of what a request carried in secret in what the SDK reads. The one place for S3 and
// EventBridge, and for the services that the SDK asks for credentials.

import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { withDeadline } from './deadline.ts';
import { MAX_ANSWER_BYTES, wholeAnswer, withoutEcho } from './limits.ts';
import type { Network, NetworkRequest } from './network/network.ts';

export interface AwsLimits {
  /** How long nothing may move on a connection. */
  readonly idleTimeoutMs: number;
  /** For a whole request, without the time that its body takes at the slowest accepted rate. */
  readonly requestTimeoutMs: number;
}

/** The SDK's HttpRequest, as far as it is used here. */
interface Request {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: NetworkRequest['body'];
}

/** The SDK's HttpResponse: it looks at the fields, not at the class. */
interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

interface Options {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout?: number;
}

/** 32 kbit/s. A connection that is slower for a whole part is as good as none. */
const SLOWEST_BYTES_PER_MS = 4;
/** A sign-on or a program that is asked for credentials. */
const CREDENTIALS_TIMEOUT_MS = 60_000;

/** For the `requestHandler` of a client. A request's own `requestTimeout` takes the place of the usual one. */
export function awsHandler(
  network: Network,
  limits: AwsLimits,
): NonNullable<S3ClientConfig['requestHandler']> {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: Request, options: Options = {}) => ({
      response: await limited(network, request, options, limits),
    }),
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  } as NonNullable<S3ClientConfig['requestHandler']>;
}

async function limited(
  network: Network,
  request: Request,
  { abortSignal, requestTimeout }: Options,
  { idleTimeoutMs, requestTimeoutMs }: AwsLimits,
): Promise<Response> {
  const { method, headers, body } = request;
  const late = new AbortController();
  const allowedMs = allowance(request, requestTimeout ?? requestTimeoutMs, network.maxBufferedBytes);
  const stop = abortAfter(late, allowedMs);
  const signal = abortSignal === undefined ? late.signal : AbortSignal.any([abortSignal, late.signal]);
  try {
    const answer = await network.send({ url: urlOf(request), method, headers, body, signal, idleTimeoutMs });
    const whole = await wholeAnswer(answer.body, MAX_ANSWER_BYTES);
    const told = Readable.from([withoutEcho(whole, secretsOf(request))]);
    return { statusCode: answer.status, headers: answer.headers, body: told };
  } catch (error) {
    if (!late.signal.aborted) throw error;
    throw named('TimeoutError', `no whole answer within ${Math.round(allowedMs() / 1000)} s`);
  } finally {
    stop();
  }
}

/** The path is encoded as it was signed; a name in the query without a value has no "=". */
function urlOf({ protocol, hostname, port, path, query = {} }: Request): URL {
  const encoded = (text: string): string =>
    encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) =>
      `%${one.charCodeAt(0).toString(16)}`.toUpperCase(),
    );
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    values === null ? [encoded(name)] : [values].flat().map((value) => `${encoded(name)}=${encoded(value)}`),
  );
  const host = `${hostname}${port === undefined ? '' : `:${port}`}`;
  return new URL(`${protocol}//${host}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`);
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
function allowance({ body, headers }: Request, timeoutMs: number, maxBufferedBytes: number): () => number {
  const startedAt = performance.now();
  const sizeBytes = Number(headers['content-length'] ?? 0);
  let handedOnMs: number | null = null;
  if (body instanceof Readable) body.once('end', () => (handedOnMs = performance.now() - startedAt));
  return () => {
    const waitedMs = body instanceof Readable && 'waitedMs' in body ? body.waitedMs() : 0;
    const wholeMs = timeoutMs + waitedMs + sizeBytes / SLOWEST_BYTES_PER_MS;
    if (handedOnMs === null) return wholeMs;
    const bufferedMs = Math.min(sizeBytes, maxBufferedBytes) / SLOWEST_BYTES_PER_MS;
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
