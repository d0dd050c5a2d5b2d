// Credentials from the customer's broker, so that desktops store no long-term ones. A POST with the agent's page token returns
// short-lived credentials for one recording's objects. They stay in memory and are renewed before they expire. Token,
// credentials and the broker's path and query (which may contain a secret) appear in no message and no log.

import { z } from 'zod';
import { ask, whyNoAnswer } from '../../platform/ask.ts';
import { hostOf } from '../../platform/limits.ts';
import type { Network } from '../../platform/network/network.ts';
import { parseJson } from '../../shared/json.ts';
import type { SinkOrder } from '../sink.ts';
import { UploadError } from '../uploadError.ts';

export interface BrokerRequest extends Pick<
  SinkOrder,
  'recordingId' | 'contactId' | 'agentArn' | 'instanceArn'
> {
  readonly bucket: string;
  /** The credentials must permit uploads of objects whose keys begin with it. */
  readonly keyPrefix: string;
}

/** Credentials in the SDK's format. */
const answerSchema = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1),
  expiration: z.iso.datetime({ offset: true }).transform((time) => new Date(time)),
  /** They permit status events on the bus that policy `eventBusName` names as well. */
  mayPutEvents: z.boolean().default(false),
});

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** @param token of the agent's page; null when no page has sent one since the start */
export async function askBroker(
  network: Network,
  url: string,
  token: string | null,
  request: BrokerRequest,
): Promise<z.infer<typeof answerSchema>> {
  if (token === null) {
    throw new UploadError(
      'CLIENT_AUTH_ERROR',
      'The broker needs the token of an agent’s page, and no page has sent one since the start. The recording is kept in the ' +
        'spool until an agent signs in.',
      false,
    );
  }
  // An invalid header value would be quoted in an error message.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UploadError(
      'CLIENT_AUTH_ERROR',
      'The token of the agent’s page has characters other than visible ASCII, so the broker was not asked. Fix the page.',
      false,
    );
  }
  const text = await post(network, url, token, request);
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the response').join(', ');
    throw new UploadError(
      'CLIENT_AUTH_ERROR',
      `The broker ${hostOf(url)} did not return valid credentials (see ${where}). Fix the broker’s response.`,
      true,
    );
  }
  return parsed.data;
}

async function post(network: Network, url: string, token: string, request: BrokerRequest): Promise<string> {
  const answer = await ask(network, url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    timeoutMs: TIMEOUT_MS,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }).catch((error: unknown) => {
    throw new UploadError(
      'CLIENT_CONNECTION_ERROR',
      `The broker ${hostOf(url)} did not respond: ${whyNoAnswer(error)}. The recording is kept in the spool.`,
      false,
    );
  });
  const { status } = answer;
  if (status === 200) return answer.body;
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  throw new UploadError(
    isRefusal ? 'CLIENT_AUTH_ERROR' : 'SERVICE_ISSUE',
    `The broker ${hostOf(url)} answered ${status}. The recording is kept in the spool.`,
    // 401 ends when the agent signs in again.
    isRefusal && status !== 401,
  );
}
