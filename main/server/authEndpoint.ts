// One question to the endpoint that knows which tokens of pages are good (docs/auth.md): a POST, and what its answer
// comes to. The token goes to this address and nowhere else: no redirect is followed, no answer and no system error is
// passed on in its own words.

import { request as overHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import { z } from 'zod';
import { errno } from '../shared/errors.ts';

/** Who says hello, as the endpoint is told. */
export interface AuthQuestion {
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly instanceAlias?: string;
  /** Of the page, as the browser sent it. */
  readonly origin: string;
  readonly appVersion: string;
}

export type AuthOutcome =
  /** `expiresAt`: of the token, where the endpoint tells it. */
  | { readonly kind: 'accepted'; readonly expiresAt: Date | null }
  | { readonly kind: 'refused'; readonly why: string }
  /** Nothing is known of the token. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Unknown fields are ignored, so that an endpoint may say more than today. */
const answerSchema = z.discriminatedUnion('allowed', [
  z.object({
    allowed: z.literal(true),
    agentArn: z.string().optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  }),
  z.object({ allowed: z.literal(false) }),
]);

/** With the start's own 10 s this is the longest that a page may have to wait for its first frame. */
export const AUTH_TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** A header's safe characters (RFC 9110, 5.5), and well below the 16 KiB that servers take for all headers together. */
export function canBeAsked(token: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(token);
}

/** Never rejects. @param token one that canBeAsked */
export async function askEndpoint(
  url: string,
  token: string,
  question: AuthQuestion,
  timeoutMs = AUTH_TIMEOUT_MS,
): Promise<AuthOutcome> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const { status, type, body } = await post(new URL(url), token, JSON.stringify(question), signal);
    if (status === 401 || status === 403) return { kind: 'refused', why: `it answered ${status}` };
    if (status !== 200) return unavailable(`it answered ${status}`);
    if (!/^application\/json *(?:;|$)/i.test(type))
      return unavailable('it answered something else than JSON');
    return judge(body, question);
  } catch (error) {
    if (signal.aborted) return unavailable(`it did not answer within ${timeoutMs / 1000} s`);
    if (error instanceof TooLong) return unavailable('its answer is too long');
    // The code alone: the words of such errors may hold what was sent.
    return unavailable(`it cannot be reached (${errno(error) ?? 'the connection broke'})`);
  }
}

function judge(body: string, { agentArn }: AuthQuestion): AuthOutcome {
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
    return unavailable(`its answer is not of the form in docs/auth.md (see ${fields})`);
  }
  const answer = parsed.data;
  if (!answer.allowed) return { kind: 'refused', why: 'it said no' };
  if (answer.agentArn !== undefined && answer.agentArn !== agentArn) {
    return { kind: 'refused', why: 'the token is another agent’s' };
  }
  return {
    kind: 'accepted',
    expiresAt: answer.expiresAt === undefined ? null : new Date(answer.expiresAt),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  /** Empty unless the status is 200. */
  readonly body: string;
}

class TooLong extends Error {}

/** Not fetch: whether certificates are checked must not depend on a variable of the environment. */
function post(url: URL, token: string, body: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
      },
    };
    const told = (incoming: IncomingMessage): void => {
      const answer = { status: incoming.statusCode ?? 0, type: incoming.headers['content-type'] ?? '' };
      if (answer.status !== 200) {
        // Nothing in it would be looked at.
        outgoing.destroy();
        return resolve({ ...answer, body: '' });
      }
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > MAX_ANSWER_BYTES) outgoing.destroy(new TooLong());
        else chunks.push(chunk);
      });
      incoming.once('error', reject);
      // "end" comes only when all of it has.
      incoming.once('end', () => resolve({ ...answer, body: Buffer.concat(chunks).toString('utf8') }));
    };
    const outgoing: ClientRequest =
      url.protocol === 'https:'
        ? overHttps(url, { ...options, rejectUnauthorized: true }, told)
        : overHttp(url, options, told);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function unavailable(why: string): AuthOutcome {
  return { kind: 'unavailable', why };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
