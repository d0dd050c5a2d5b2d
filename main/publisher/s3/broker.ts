// Credentials from a broker of the customer's: desktops hold no lasting ones. A POST with the token of the agent's page is
// answered with short-lived ones for one recording's objects. They are kept in memory only, and are asked for again before
// they expire. Token and credentials are in no message and no log.

import { z } from 'zod';
import { DeliveryError } from '../deliveryError.ts';

export interface BrokerRequest {
  readonly recordingId: string;
  readonly contactId: string;
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly bucket: string;
  /** What the credentials must allow to put: objects whose keys begin so. */
  readonly keyPrefix: string;
}

/** As the SDK takes them. */
export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

const answerSchema = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1),
  expiration: z.iso.datetime({ offset: true }),
});

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** @param token of the agent's page; null when none has come since the start */
export async function askBroker(
  url: string,
  token: string | null,
  request: BrokerRequest,
): Promise<TemporaryCredentials> {
  if (token === null) {
    throw new DeliveryError(
      'CLIENT_AUTH_ERROR',
      'The broker must be asked with the token of an agent’s page, and none has come since the start. The recording is kept ' +
        'in the spool until an agent signs on.',
      false,
    );
  }
  // What no header can carry would come back in the words of an error.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new DeliveryError(
      'CLIENT_AUTH_ERROR',
      'The token of the agent’s page has other than visible ASCII characters, and no broker was asked. Mend the page.',
      false,
    );
  }
  const text = await post(url, token, request);
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the answer').join(', ');
    throw new DeliveryError(
      'CLIENT_AUTH_ERROR',
      `The broker ${url} answered something else than credentials (see ${where}). Mend the broker.`,
      true,
    );
  }
  return { ...parsed.data, expiration: new Date(parsed.data.expiration) };
}

async function post(url: string, token: string, request: BrokerRequest): Promise<string> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      // The token is for this address and no other.
      redirect: 'error',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    text = await textOf(response);
  } catch (error) {
    throw new DeliveryError(
      'CLIENT_CONNECTION_ERROR',
      `The broker ${url} cannot be reached: ${reasonOf(error)}. The recording is kept in the spool.`,
      false,
    );
  }
  if (status === 200) return text;
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  throw new DeliveryError(
    isRefusal ? 'CLIENT_AUTH_ERROR' : 'SERVICE_ISSUE',
    `The broker ${url} answered ${status}. The recording is kept in the spool.`,
    // 401 and 403 pass when the agent signs on anew.
    isRefusal && status !== 401,
  );
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    const bytes = part as Uint8Array;
    length += bytes.byteLength;
    if (length > MAX_ANSWER_BYTES) throw new Error('its answer is too long');
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
