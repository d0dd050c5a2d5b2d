// One request to a server that policy names (the broker, the authentication endpoint, a collector), from its first byte to the last of
// its answer: within one deadline, up to a limit, to this address and no other. What is sent may be a secret.

import { errno } from '../shared/errors.ts';
import { AnswerTooLong, wholeAnswer } from './limits.ts';
import { NetworkError, type Network } from './network/network.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For all of it: name, connection, proxy, TLS, question, and the whole answer. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Of its Date header. */
  readonly date: string | null;
  /** Empty unless the status is 200: nothing in it would be looked at. */
  readonly body: string;
}

/** @throws as whyNoAnswer explains */
export async function ask(network: Network, url: string, question: Question): Promise<Answer> {
  const { method, body = '', timeoutMs, maxAnswerBytes } = question;
  const signal = AbortSignal.timeout(timeoutMs);
  const length = String(Buffer.byteLength(body));
  const headers = { 'Accept-Encoding': 'identity', 'Content-Length': length, ...question.headers };
  try {
    const answer = await network.send({ url: new URL(url), method, headers, body, signal });
    const { status } = answer;
    const isRead = status === 200;
    if (!isRead) answer.body.destroy();
    const text = isRead ? (await wholeAnswer(answer.body, maxAnswerBytes)).toString('utf8') : '';
    const { 'content-type': type = '', date = null } = answer.headers;
    return { status, type, date, body: text };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new NoAnswerInTime(`it did not answer within ${timeoutMs / 1000} s`);
  }
}

class NoAnswerInTime extends Error {}

/** Why there is no answer, for the end of a sentence. Never a system's or a server's text, which may contain what was sent. */
export function whyNoAnswer(error: unknown): string {
  if (error instanceof NoAnswerInTime || error instanceof NetworkError) return error.message;
  if (error instanceof AnswerTooLong) return 'its answer is too long';
  return `it cannot be reached (${errno(error) ?? 'the connection broke'})`;
}
