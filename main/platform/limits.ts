// What every client of a server outside keeps to (S3, EventBridge, the broker, the authentication endpoint): how much it
// reads, how long it waits, and what it quotes. A server may be hostile, broken, or a proxy in its place.

import { redactText } from './redact.ts';

/** Of an answer, headers aside (Node limits those to 16 KiB). The longest that is needed, a page of ListParts, has 400 KB. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

const MAX_QUOTED_CHARACTERS = 200;
const MAX_READ_CHARACTERS = 4096;
const noneKnown = { home: null, hostName: null, secrets: [] };

export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong';

  constructor(limitBytes: number) {
    super(`the answer has more than ${limitBytes} bytes`);
  }
}

/** All of an answer, its connection cut as soon as there is too much of it. @throws AnswerTooLong */
export async function wholeAnswer(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of body) {
    sizeBytes += part.byteLength;
    // Leaving the loop destroys the stream.
    if (sizeBytes > limitBytes) throw new AnswerTooLong(limitBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A server's text as it may appear in logs, pages and events: one short line without secrets. */
export function quoted(text: string): string {
  const read = text.length > MAX_READ_CHARACTERS ? wholeWords(text.slice(0, MAX_READ_CHARACTERS)) : text;
  // Control characters would forge log lines; those that turn the direction of writing would forge what is read.
  const line = redactText(read, noneKnown).replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return line.length > MAX_QUOTED_CHARACTERS
    ? `${line.slice(0, MAX_QUOTED_CHARACTERS - 1).trim()}…`
    : line.trim();
}

/** A server's error code: a name, never a text. */
export function quotedCode(code: string): string {
  return /^[\w.-]{1,64}$/.test(code) ? quoted(code) : 'UnknownCode';
}

/** The host of a URL, without path and query, which may contain secrets. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'no valid address';
}

/** Without the half of a word at its end: half a secret is not recognised. */
function wholeWords(text: string): string {
  return text.replace(/\S*$/, '');
}

/** Takes what a request carried out of its answer. */
export function withoutEcho(answer: Buffer, secrets: readonly string[]): Buffer {
  let text = answer.toString('latin1');
  for (const secret of secrets) if (secret.length >= 8) text = text.replaceAll(secret, '[left-out]');
  return Buffer.from(text, 'latin1');
}
