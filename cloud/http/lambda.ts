// The parts of API Gateway's HTTP API events (payload format 2.0) that the handlers use, and how they answer. Everything from outside
// has a size limit here, before it is parsed.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

import type { z } from 'zod';

export interface HttpEvent {
  readonly rawPath: string;
  /** API Gateway makes the names lower case. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly http: { readonly method: string };
    readonly requestId?: string;
    /** API Gateway sets it after it has verified an IAM signature. No header of a client reaches it. */
    readonly authorizer?: { readonly iam?: { readonly userArn?: string | null } | null };
  };
}

export interface HttpResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpHandler = (event: HttpEvent) => Promise<HttpResult>;

/** An answer other than 200. `code` is stable; `message` tells the reader what to do and has nothing secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/** Below 1 KB in practice; ARNs and names have limits of their own. */
const MAX_BODY_BYTES = 8 * 1024;
/** As the recorder's limit (docs/auth.md). */
const TOKEN = /^Bearer ([\x21-\x7e]{1,8192})$/i;

export function answer(statusCode: number, body: unknown, more: Record<string, string> = {}): HttpResult {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...more },
    body: JSON.stringify(body),
  };
}

/** The answer to a Refusal. @throws any other error */
export function refused(error: unknown): HttpResult {
  if (!(error instanceof Refusal)) throw error;
  const { status, code, message, retryAfterSeconds } = error;
  return answer(
    status,
    { code, message },
    {
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  );
}

/** @throws Refusal 401 */
export function bearerToken({ headers = {} }: HttpEvent): string {
  const token = TOKEN.exec(headers['authorization'] ?? '')?.[1];
  if (token !== undefined) return token;
  throw new Refusal(
    401,
    'TOKEN_MISSING',
    'Send the token of the agent’s page as "Authorization: Bearer <token>".',
  );
}

/** Unknown fields are ignored. @throws Refusal 413 or 400, which quotes nothing of the body */
export function jsonBody<T>(event: HttpEvent, schema: z.ZodType<T>): T {
  const { body = '', isBase64Encoded = false } = event;
  // Base64 is longer than what it encodes, so this limit holds for both.
  if (Buffer.byteLength(body) > MAX_BODY_BYTES)
    throw new Refusal(413, 'TOO_LARGE', `The body has more than ${MAX_BODY_BYTES} bytes.`);
  const parsed = schema.safeParse(parseJson(isBase64Encoded ? Buffer.from(body, 'base64').toString() : body));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole body');
  throw new Refusal(400, 'INVALID_REQUEST', `Not valid: ${[...new Set(fields)].join(', ')}.`);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
