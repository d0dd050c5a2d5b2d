// Credentials from a broker of the customer's: desktops hold no lasting ones. A POST with the token of the agent's page is
// answered with short-lived ones for one recording's objects. They are kept in memory only, and are asked for again before
// they expire. Token, credentials and the rest of the broker's address (its query may hold a secret) are in no message and no log.

import { z } from 'zod';
import { ask, whyNoAnswer } from '../../platform/ask.ts';
import { hostOf } from '../../platform/limits.ts';
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
      `The broker ${hostOf(url)} answered something else than credentials (see ${where}). Correct the broker’s answer.`,
      true,
    );
  }
  return { ...parsed.data, expiration: new Date(parsed.data.expiration) };
}

async function post(url: string, token: string, request: BrokerRequest): Promise<string> {
  const answer = await ask(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    timeoutMs: TIMEOUT_MS,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }).catch((error: unknown) => {
    throw new DeliveryError(
      'CLIENT_CONNECTION_ERROR',
      `The broker ${hostOf(url)} gave no answer: ${whyNoAnswer(error)}. The recording is kept in the spool.`,
      false,
    );
  });
  const { status } = answer;
  if (status === 200) return answer.body;
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  throw new DeliveryError(
    isRefusal ? 'CLIENT_AUTH_ERROR' : 'SERVICE_ISSUE',
    `The broker ${hostOf(url)} answered ${status}. The recording is kept in the spool.`,
    // 401 and 403 pass when the agent signs on anew.
    isRefusal && status !== 401,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
