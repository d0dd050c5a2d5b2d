// One request to the authentication endpoint (docs/auth.md): a POST with the page's token, and what its answer means. The
// token goes to this address only: no redirect is followed, and no text of an answer or a system error is passed on.

import { z } from 'zod';
import { ask, whyNoAnswer } from '../platform/ask.ts';
import type { Network } from '../platform/network/network.ts';
import { parseJson } from '../shared/json.ts';

/** What the endpoint gets to know about the page. */
export interface AuthQuestion {
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly instanceAlias?: string | undefined;
  /** As the browser sent it. */
  readonly origin: string;
  readonly appVersion: string;
}

export type AuthOutcome =
  /** `expiresAt`: of the token; null: the endpoint gave none. */
  | { readonly kind: 'accepted'; readonly expiresAt: Date | null }
  | { readonly kind: 'refused'; readonly why: string }
  /** The token could not be checked. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** Unknown fields are ignored: a newer endpoint may add some. */
const answerSchema = z.discriminatedUnion('allowed', [
  z.object({
    allowed: z.literal(true),
    agentArn: z.string().optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  }),
  z.object({ allowed: z.literal(false) }),
]);

/** Together with the 10 s of a start, the longest time that a page may wait for its first frame. */
export const AUTH_TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** A header's safe characters (RFC 9110, 5.5), and well below the 16 KiB that servers accept for all headers together. */
export function isSendable(token: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(token);
}

/** Never rejects. @param token one that `isSendable` */
export async function askEndpoint(
  network: Network,
  url: string,
  token: string,
  question: AuthQuestion,
  timeoutMs = AUTH_TIMEOUT_MS,
): Promise<AuthOutcome> {
  try {
    const { status, type, body } = await ask(network, url, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json',
      },
      body: JSON.stringify(question),
      timeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    });
    if (status === 401 || status === 403) return { kind: 'refused', why: `it answered ${status}` };
    if (status !== 200) return unavailable(`it answered ${status}`);
    if (!/^application\/json *(?:;|$)/i.test(type)) return unavailable('its answer is not JSON');
    return judge(body, question);
  } catch (error) {
    return unavailable(whyNoAnswer(error));
  }
}

function judge(body: string, { agentArn }: AuthQuestion): AuthOutcome {
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole answer').join(', ');
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

function unavailable(why: string): AuthOutcome {
  return { kind: 'unavailable', why };
}
