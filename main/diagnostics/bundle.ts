// The diagnostics bundle: reads parts one after the other, redacts them, limits their size, and writes them into one zip. A
// part that cannot be read contains its error, which the README repeats; the other parts are complete.

import { toFailure } from '../shared/errors.ts';
import type { Failure } from '../shared/errors.ts';
import type { Redaction } from '../platform/redact.ts';
import { redactText, redactValue } from '../platform/redact.ts';
import { within } from './deadline.ts';
import { writeZip } from './zipFile.ts';

interface PartNames {
  /** In the zip. */
  readonly name: string;
  /** For the README, which lists parts with the same description once. */
  readonly about: string;
}
export type BundlePart =
  /** One JSON document. */
  | (PartNames & { readonly kind: 'value'; readonly read: () => Promise<unknown> })
  /** Texts as they are, other values as lines of JSON. */
  | (PartNames & { readonly kind: 'lines'; readonly read: () => AsyncIterable<unknown> });

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
  let roomBytes = maxBytes;

  async function* contentsOf(part: BundlePart): AsyncGenerator<string> {
    let partBytes = Math.min(MAX_PART_BYTES, roomBytes);
    const fits = (text: string): boolean => {
      const bytes = Buffer.byteLength(text);
      if (bytes > partBytes) return false;
      partBytes -= bytes;
      roomBytes -= bytes;
      return true;
    };
    try {
      for await (const text of part.kind === 'value' ? documentOf(part) : linesOf(part)) {
        if (!fits(text)) throw new Error('The part exceeds the size limit and is truncated here.');
        yield text;
      }
    } catch (error) {
      const { code, message, source } = toFailure(error);
      const problem = { part: part.name, code, message: redactText(message, redaction), source };
      problems.push(problem);
      yield `${JSON.stringify({ problem })}\n`;
    }
  }

  async function* documentOf(part: BundlePart & { kind: 'value' }): AsyncGenerator<string> {
    const value = await within(deadlineMs, null, () => part.read());
    yield `${JSON.stringify(redactValue(value, redaction), null, 2)}\n`;
  }

  async function* linesOf(part: BundlePart & { kind: 'lines' }): AsyncGenerator<string> {
    for await (const line of part.read()) {
      if (typeof line !== 'string') yield lineWithin(JSON.stringify(redactValue(line, redaction)));
      else yield lineWithin(line.length > MAX_LINE_CHARACTERS ? line : redactText(line, redaction));
    }
  }

  const readme = async function* (): AsyncGenerator<string> {
    yield await Promise.resolve(redactText(readmeOf(options, problems), redaction));
  };
  const entries = [
    ...parts.map((part) => ({ name: part.name, contents: () => contentsOf(part) })),
    { name: 'README.txt', contents: readme }, // last, because it lists the problems
  ];
  return { file: out, sizeBytes: await writeZip(out, entries, now), problems };
}

function lineWithin(text: string): string {
  return text.length <= MAX_LINE_CHARACTERS
    ? `${text}\n`
    : `${JSON.stringify({ leftOut: 'a line that is too long', characters: text.length })}\n`;
}

function readmeOf({ parts, now, appVersion }: BundleOptions, problems: readonly BundleProblem[]): string {
  const about = new Map<string, string[]>();
  for (const part of parts) about.set(part.about, [...(about.get(part.about) ?? []), part.name]);
  const contents = [...about].map(([text, names]) => {
    const more = names.length > 1 ? ` (and ${names.length - 1} similar files)` : '';
    return `${names[0] ?? ''}${more}\n    ${text}\n`;
  });
  const wrong = problems.map(({ part, code, message }) => `${part}: ${code}: ${message}\n`);
  return [
    `Diagnostics of Sightline ${appVersion}, ${now.toISOString()}\n`,
    '\nContents\n\n',
    ...contents,
    '\nParts that could not be read\n\n',
    ...(wrong.length === 0 ? ['None.\n'] : wrong),
    '\nAlways left out\n\n',
    'Frames of the screen and the files that contain them. Contact attributes, queues, the reasons that a page gave for a\n',
    "suspension, the agent's user name. Keys (spool.key), control.json, tokens, passwords, credentials, the environment\n",
    '(except the names of variables that Sightline, AWS and proxies use). User info and queries of URLs.\n',
    'Home folders are written ~, the name of the computer as a hash, addresses as private-address or public-address.\n',
    '[left-out] marks removed text.\n',
    '\nIncluded: ids of contacts and recordings, ARNs of agent and instance, allowed domains, names of\n',
    'buckets, folders and monitors, and when recordings began, were suspended or paused, and ended.\n',
  ].join('');
}
