// The diagnostics bundle: reads parts one after the other, redacts them, limits their size, and writes them into one zip. A
// part that cannot be read contains its error, which the README repeats; the other parts are complete.

import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import { withDeadline } from '../platform/deadline.ts';
import { redactText, redactValue, type Redaction } from '../platform/redact.ts';
import { SightlineError, errno, errorMessage, toFailure, type Failure } from '../shared/errors.ts';

export interface BundlePart {
  /** In the zip. */
  readonly name: string;
  /** For the README, which lists parts with the same description once. */
  readonly about: string;
  /**
   * A document, also as a promise; or as an AsyncIterable lines: texts as they are, other values as JSON. Bytes are included as they
   * are, without redaction.
   */
  readonly read: () => unknown;
}

export interface BundleProblem extends Failure {
  readonly part: string;
}

export interface BundleOptions {
  /** The zip; an existing file is replaced. */
  readonly out: string;
  readonly parts: readonly BundlePart[];
  readonly redaction: Redaction;
  readonly now: Date;
  readonly appVersion: string;
  /** For one document. */
  readonly deadlineMs?: number;
  /** Of all parts, before compression. */
  readonly maxBytes?: number;
}

export interface WrittenBundle {
  readonly file: string;
  readonly sizeBytes: number;
  readonly problems: readonly BundleProblem[];
}

const DEADLINE_MS = 60_000;
const MAX_PART_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 32 * 1024 * 1024;
/** Sightline's own lines are shorter. */
const MAX_LINE_CHARACTERS = 64 * 1024;

/** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
export async function writeBundle(options: BundleOptions): Promise<WrittenBundle> {
  const { out, parts, redaction, now, deadlineMs = DEADLINE_MS, maxBytes = MAX_BYTES } = options;
  const problems: BundleProblem[] = [];
  let leftBytes = maxBytes;

  async function contentOf(part: BundlePart): Promise<Buffer> {
    const texts: (string | Buffer)[] = [];
    let partBytes = Math.min(MAX_PART_BYTES, leftBytes);
    const add = (text: string | Buffer): void => {
      const bytes = Buffer.byteLength(text);
      if (bytes > partBytes) throw new Error('The part exceeds the size limit and is truncated here.');
      partBytes -= bytes;
      leftBytes -= bytes;
      texts.push(text);
    };
    try {
      const found = part.read();
      if (isIterable(found)) {
        for await (const line of found) add(lineOf(line));
      } else {
        const late = () => new Error(`no answer within ${deadlineMs / 1000} s`);
        const value = await withDeadline(Promise.resolve(found), deadlineMs, late);
        if (Buffer.isBuffer(value)) add(value);
        else add(`${JSON.stringify(redactValue(value, redaction), null, 2)}\n`);
      }
    } catch (error) {
      const { code, message, source } = toFailure(error);
      const problem = { part: part.name, code, message: redactText(message, redaction), source };
      problems.push(problem);
      texts.push(`${JSON.stringify({ problem })}\n`);
    }
    return Buffer.concat(texts.map((text) => (typeof text === 'string' ? Buffer.from(text) : text)));
  }

  /** A line that is too long is left out before the patterns of redaction would search it. */
  function lineOf(line: unknown): string {
    const isText = typeof line === 'string';
    const tooLong = isText && line.length > MAX_LINE_CHARACTERS;
    const text = !isText
      ? JSON.stringify(redactValue(line, redaction))
      : tooLong
        ? line
        : redactText(line, redaction);
    return text.length <= MAX_LINE_CHARACTERS
      ? `${text}\n`
      : `${JSON.stringify({ leftOut: 'a line that is too long', characters: text.length })}\n`;
  }

  try {
    const { ZipFile } = await import('yazl');
    const zip = new ZipFile();
    zip.on('error', (error: Error) => zip.outputStream.emit('error', error));
    const add = (name: string, content: Buffer): void =>
      zip.addBuffer(content, name, { mtime: now, mode: 0o100600 });
    // Each part is compressed before the next one is read, so that not all of them are in memory.
    for (const part of parts) add(part.name, await contentOf(part));
    add('README.txt', Buffer.from(redactText(readmeOf(options, problems), redaction))); // last, because it lists the problems
    zip.end();
    const bytes = await buffer(zip.outputStream);
    await access(dirname(out)); // a mistyped folder is not created
    if ((await stat(out).catch(() => null))?.isDirectory() === true) throw new Error('it is a folder');
    await writeFileAtomically(out, bytes, 0o600);
    return { file: out, sizeBytes: bytes.byteLength, problems };
  } catch (error) {
    throw notWritten(out, error);
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function notWritten(path: string, cause: unknown): SightlineError {
  if (['ENOSPC', 'EDQUOT'].includes(errno(cause) ?? '')) {
    const what = `The disk is full: ${path} could not be written. Free some space, or name a file on another disk with --out.`;
    return new SightlineError('DISK_FULL', what, { cause });
  }
  const what = `The diagnostics could not be written to ${path}: ${errorMessage(cause)}. Name a file in an existing folder that this user may write to.`;
  return new SightlineError('BUNDLE_NOT_WRITTEN', what, { cause });
}

function readmeOf({ parts, now, appVersion }: BundleOptions, problems: readonly BundleProblem[]): string {
  const contents = [...new Set(parts.map(({ about }) => about))].map((about) => {
    const names = parts.filter((part) => part.about === about).map(({ name }) => name);
    const more = names.length > 1 ? ` (and ${names.length - 1} similar files)` : '';
    return `${names[0] ?? ''}${more}\n    ${about}\n`;
  });
  const wrong = problems.map(({ part, code, message }) => `${part}: ${code}: ${message}\n`);
  return `Diagnostics of Sightline ${appVersion}, ${now.toISOString()}

Contents

${contents.join('')}
Parts that could not be read

${wrong.join('') || 'None.\n'}
Always left out

Frames of the screen and the files that contain them. Contact attributes, queues, the reasons that a page gave for a
suspension, the agent's user name. Keys (spool.key), control.json, tokens, passwords, credentials, the environment
(except the names of variables that Sightline, AWS and proxies use). User info and queries of URLs.
Home folders are written ~, the name of the computer as a hash, addresses as private-address or public-address.
[left-out] marks removed text. Crash dumps are included only if the person who exports this says so; data-folder.json lists
those that exist.

Included: ids of contacts and recordings, ARNs of agent and instance, allowed domains, names of
buckets, folders and monitors, and when recordings began, were suspended or paused, and ended.
`;
}
