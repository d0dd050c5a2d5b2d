// The format of a journal's file. The first line states unencrypted which key store can unlock the session's data key.
// Each of the others is an entry's number and the sealed entry; the number is sealed with it. So a line that was changed,
// moved or removed affects no other line: the others are read, and it is known which are missing.
// (Version 2 had no numbers: a line's number was its place.)

import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { SightlineError } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import type { JournalEntry } from './journalEntry.ts';
import { journalEntrySchema } from './journalEntry.ts';
import { Seal } from './seal.ts';

export const JOURNAL_VERSION = 3;
/** The oldest version that is read, and continued unchanged. It has no witness (witness.ts). */
const OLDEST_VERSION = 2;

export const wrappedKeySchema = z.object({ store: z.string(), wrapped: z.base64() });
/** A key that only its key store can unlock. */
export type WrappedKey = z.infer<typeof wrappedKeySchema>;

const headerSchema = z.object({
  v: z.union([z.literal(OLDEST_VERSION), z.literal(JOURNAL_VERSION)]),
  key: wrappedKeySchema,
});
export type JournalHeader = z.infer<typeof headerSchema>;

/** Makes and unlocks the keys of sessions. */
export interface SessionKeys {
  create(): Promise<{ readonly dataKey: Buffer; readonly key: WrappedKey }>;
  /** @throws SightlineError SPOOL_UNREADABLE */
  unlock(key: WrappedKey): Promise<Buffer>;
}

/** Lines that are gone or were changed, by their numbers. */
export interface MissingLines {
  readonly line: number;
  readonly lines: number;
}

export interface FoundLines {
  readonly version: JournalHeader['v'];
  readonly dataKey: Buffer;
  readonly entries: readonly { readonly line: number; readonly entry: JournalEntry }[];
  /** Before the last line that opens. */
  readonly missing: readonly MissingLines[];
  /** The number of the line after the last that opens. */
  readonly next: number;
  /** The number of whole lines after the last that opens. */
  readonly badAtEnd: number;
  /** Up to the end of the last line that opens. */
  readonly goodBytes: number;
  /** Up to the end of the last whole line. */
  readonly wholeBytes: number;
}

/** Seals and opens the lines of one journal. */
export class LineSeal {
  private readonly seal: Seal;

  /** A journal that was moved to another session's folder, or whose version was changed, does not open. */
  constructor(
    private readonly version: JournalHeader['v'],
    path: string,
    dataKey: Buffer,
  ) {
    const purpose = version === OLDEST_VERSION ? 'journal' : 'numbered journal';
    this.seal = new Seal(dataKey, purpose, basename(dirname(path)));
  }

  /** @returns the line with its newline */
  close(line: number, entry: unknown): Buffer {
    const sealed = this.seal.close(line, Buffer.from(JSON.stringify(entry))).toString('base64');
    return Buffer.from(this.version === OLDEST_VERSION ? `${sealed}\n` : `${line} ${sealed}\n`);
  }

  /** @param place among the lines of the file @returns undefined when the line is not what was written there */
  open(text: string, place: number): { line: number; value: unknown } | undefined {
    const [, number, sealed] = /^(?:(\d{1,15}) )?([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
    if (sealed === undefined || (number === undefined) !== (this.version === OLDEST_VERSION))
      return undefined;
    const line = number === undefined ? place : Number(number);
    const plain = this.seal.open(line, Buffer.from(sealed, 'base64'));
    return plain === null ? undefined : { line, value: parseJson(plain.toString()) };
  }
}

export function headerLine(key: WrappedKey): Buffer {
  const header: JournalHeader = { v: JOURNAL_VERSION, key };
  return Buffer.from(`${JSON.stringify(header)}\n`);
}

/**
 * The unchanged lines of a journal's file. What follows its last newline is an incomplete write.
 * @returns null when it has no whole line yet
 * @throws SightlineError SPOOL_UNREADABLE for another version, or a key that cannot be unlocked
 */
export async function readLines(bytes: Buffer, path: string, keys: SessionKeys): Promise<FoundLines | null> {
  // Not as UTF-8: damaged bytes must not move what follows them.
  const text = bytes.toString('latin1');
  const wholeBytes = text.lastIndexOf('\n') + 1;
  const [first, ...lines] = text.slice(0, wholeBytes).split('\n').slice(0, -1);
  if (first === undefined) return null;
  const { v: version, key } = readHeader(first, path);
  const dataKey = await keys.unlock(key);
  const seal = new LineSeal(version, path, dataKey);
  const entries: { line: number; entry: JournalEntry }[] = [];
  const missing: MissingLines[] = [];
  let next = 0;
  let at = first.length + 1;
  let goodBytes = at;
  let badAtEnd = 0;
  lines.forEach((one, place) => {
    at += one.length + 1;
    badAtEnd += 1;
    const opened = seal.open(one, place);
    const entry = journalEntrySchema.safeParse(opened?.value).data;
    if (opened === undefined || entry === undefined || opened.line < next) return;
    if (opened.line > next) missing.push({ line: next, lines: opened.line - next });
    entries.push({ line: opened.line, entry });
    next = opened.line + 1;
    goodBytes = at;
    badAtEnd = 0;
  });
  return { version, dataKey, entries, missing, next, badAtEnd, goodBytes, wholeBytes };
}

function readHeader(line: string, path: string): JournalHeader {
  const header = headerSchema.safeParse(parseJson(line));
  if (header.success) return header.data;
  throw new SightlineError(
    'SPOOL_UNREADABLE',
    `${path} is not a journal of version ${JOURNAL_VERSION}. The folder is kept unchanged; another version of Sightline may ` +
      'be able to read it.',
  );
}
