// What Sightline says with each error code, read off its sources: whoever hears words without a code finds it by them.

import { readFileSync, readdirSync } from 'node:fs';
import type { ErrorCode } from '../../main/shared/errors.ts';
import { errorSources } from '../../main/shared/errors.ts';

const folder = new URL('../../main/', import.meta.url);

/** The makers of one code's errors in main/publisher/s3/s3Errors.ts. */
const makers: Readonly<Record<string, ErrorCode>> = {
  auth: 'CLIENT_AUTH_ERROR',
  refused: 'UPLOAD_FAILED',
  service: 'SERVICE_ISSUE',
  network: 'CLIENT_CONNECTION_ERROR',
};
/** What all of these say is in the texts of main/publisher/uploadError.ts, under the name of the system's error. */
const UPLOAD_FILE = 'publisher/uploadError.ts';

/** By code, in the order of the alphabet; "…" stands for what is put in. Only whole beginnings of sentences. */
export function saidWords(): ReadonlyMap<ErrorCode, readonly string[]> {
  const said = new Map<ErrorCode, Set<string>>();
  const note = (code: ErrorCode, text: string): void => {
    const words = firstSentence(text);
    // Without the words that somebody else's text begins with there is nothing to look up.
    if (words.startsWith('…') && words.length < 25) return;
    const known = said.get(code) ?? new Set<string>();
    said.set(code, known.add(words));
  };
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.ts') || name.endsWith('errors.ts')) continue;
    const source = readFileSync(new URL(name, folder), 'utf8');
    for (const match of source.matchAll(/'([A-Z]+(?:_[A-Z]+)*)',\s+(?:message:\s+)?(?=['"`])/gu))
      if (isCode(match[1])) note(match[1], literalAt(source, match.index + match[0].length));
    if (name === 'publisher/s3/s3Errors.ts')
      for (const match of source.matchAll(/\b(auth|refused|service|network)\(\s*(?=['"`])/gu))
        note(makers[match[1] ?? ''] as ErrorCode, literalAt(source, match.index + match[0].length));
    if (name === 'server/admission.ts')
      for (const match of source.matchAll(/\bthis\.(?:refusal|later)\(\s*(?=['"`])/gu))
        note('CLIENT_AUTH_ERROR', literalAt(source, match.index + match[0].length));
    if (name === UPLOAD_FILE)
      for (const match of source.matchAll(/^ {2}E[A-Z]+:\s+(?=['"`])/gmu))
        note('UPLOAD_FAILED', literalAt(source, match.index + match[0].length));
  }
  return new Map([...said].map(([code, words]) => [code, [...words].sort()]));
}

function isCode(text: string | undefined): text is ErrorCode {
  return text !== undefined && Object.hasOwn(errorSources, text);
}

/** The text of the literal that begins there, and of those that are added to it. */
function literalAt(source: string, start: number): string {
  const quote = source[start] ?? '';
  let text = '';
  let at = start + 1;
  while (at < source.length && source[at] !== quote) {
    if (source[at] === '\\') {
      text += source[at + 1] ?? '';
      at += 2;
    } else if (quote === '`' && source.startsWith('${', at)) {
      at = endOfInsertion(source, at + 2);
      text += '…';
    } else {
      text += source[at] ?? '';
      at += 1;
    }
  }
  const [added] = /^\s*\+\s*(?=['"`])/u.exec(source.slice(at + 1)) ?? [];
  return added === undefined ? text : text + literalAt(source, at + 1 + added.length);
}

function endOfInsertion(source: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; depth > 0 && at < source.length; at += 1) {
    if (source[at] === '{') depth += 1;
    if (source[at] === '}') depth -= 1;
  }
  return at;
}

function firstSentence(text: string): string {
  const [first = ''] = /^.+?(?:\.(?= [A-Z])|$)/u.exec(text.replaceAll(/…+/gu, '…').trim()) ?? [];
  return first.replace(/\.$/u, '');
}
