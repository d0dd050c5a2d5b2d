// One question to the endpoint that knows which tokens of pages are good (docs/auth.md): a POST, and what its answer
// comes to. The token goes to this address and nowhere else: no redirect is followed, no answer and no system error is
// passed on in its own words.

import { z } from 'zod';
import { ask, whyNoAnswer } from '../platform/ask.ts';

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
  try {
    const { status, type, body } = await ask(url, {
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
    if (!/^application\/json *(?:;|$)/i.test(type))
      return unavailable('it answered something else than JSON');
    return judge(body, question);
  } catch (error) {
    return unavailable(whyNoAnswer(error));
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
