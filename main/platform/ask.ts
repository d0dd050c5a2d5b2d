// One request to a server that policy names (the broker, the authentication endpoint), from its first byte to the last of
// its answer: within one deadline, up to a limit, to this address and no other. What is sent may be a secret.

import { request as overHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';
import { errno } from '../shared/errors.ts';
import { AnswerTooLong, wholeAnswer } from './limits.ts';

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For all of it: name, connection, TLS, question, and the whole answer. */
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

/** Redirects are not followed. Whether certificates are checked is decided in secureTls.ts. @throws as whyNoAnswer explains */
export async function ask(url: string, question: Question): Promise<Answer> {
  const signal = AbortSignal.timeout(question.timeoutMs);
  try {
    const incoming = await send(new URL(url), question, signal);
    const { statusCode: status = 0, headers } = incoming;
    const isRead = status === 200;
    if (!isRead) incoming.destroy();
    const body = isRead ? (await wholeAnswer(incoming, question.maxAnswerBytes)).toString('utf8') : '';
    return { status, type: headers['content-type'] ?? '', date: headers.date ?? null, body };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new NoAnswerInTime(`it did not answer within ${question.timeoutMs / 1000} s`);
  }
}

class NoAnswerInTime extends Error {}

/** Why there is no answer, for the end of a sentence. Never a system's or a server's text, which may contain what was sent. */
export function whyNoAnswer(error: unknown): string {
  if (error instanceof NoAnswerInTime) return error.message;
  if (error instanceof AnswerTooLong) return 'its answer is too long';
  return `it cannot be reached (${errno(error) ?? 'the connection broke'})`;
}

function send(
  url: URL,
  { method, headers, body = '' }: Question,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const sent = { 'Accept-Encoding': 'identity', 'Content-Length': Buffer.byteLength(body), ...headers };
  const start = url.protocol === 'https:' ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const outgoing = start(url, { method, agent: false, signal, headers: sent }, resolve);
    // Stays after the answer has begun: what breaks then is reported by the answer's own stream.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
