// The audit log: one file, appended to and never changed. `add` resolves when its line is on the disk; whoever serves data
// waits for it. Lines have the order of the calls; those that arrive during a write go out together with the next one.
// After a failed write the file is read again before the next one, because nobody knows how much of it arrived. A file that somebody
// else has changed or moved meanwhile is not written to any more: an administrator has to look at it first.

import { constants, type Stats } from 'node:fs';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lockDataFolder, lockHolder } from '../../../../main/platform/instanceLock.ts';
import type { Logger } from '../../../../main/platform/log.ts';
import { errno, errorMessage } from '../../../../main/shared/errors.ts';
import { ReviewFailure } from '../../failure.ts';
import {
  FIRST_PREVIOUS,
  MAX_LINE_BYTES,
  afterTornLine,
  formatLine,
  hashOf,
  parseLine,
  type AuditFact,
  type AuditLine,
  type ChainEnd,
} from './line.ts';

const LF = 10;
const MAX_WAITING = 10_000;
const APPEND_TO_EXISTING = constants.O_RDWR | constants.O_APPEND;

interface Waiting {
  readonly fact: AuditFact;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class AuditLog {
  #file: FileHandle | null = null;
  #end: ChainEnd = { number: 0, sha256: FIRST_PREVIOUS };
  #size = 0;
  /** Which file it is: null before the first opening. */
  #identity: string | null = null;
  /** What was being written when a write failed: any part of it may be in the file. */
  #unconfirmed: Buffer = Buffer.alloc(0);
  /** The next line says that the one before it is not complete. */
  #afterTornLine = false;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;
  #isClosed = false;

  private constructor(
    readonly path: string,
    private readonly unlock: () => void,
    private readonly log: Logger,
    private readonly now: () => number,
  ) {}

  /** @throws Error that says, for an administrator, why the file cannot be used */
  static async open(path: string, log: Logger, now: () => number = Date.now): Promise<AuditLog> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const audit = new AuditLog(path, lockFor(path), log, now);
    try {
      await audit.#reopen();
      return audit;
    } catch (error) {
      audit.unlock();
      throw error;
    }
  }

  get end(): ChainEnd {
    return this.#end;
  }

  /** Resolves when the line is on the disk. @throws ReviewFailure AUDIT_UNAVAILABLE */
  add(fact: AuditFact): Promise<void> {
    if (this.#isClosed || this.#waiting.length >= MAX_WAITING) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fact, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = null));
    });
  }

  /** When all lines are written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#file?.close();
    this.#file = null;
    this.unlock();
  }

  async #write(): Promise<void> {
    // All calls of this turn go out together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, 200);
      try {
        await this.#append(batch.map(({ fact }) => fact));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        await this.#file?.close().catch(() => undefined);
        this.#file = null;
        this.log.error('the audit log cannot be written; nothing is shown until it can', {
          file: this.path,
          reason: errorMessage(error),
        });
        for (const { reject } of batch) reject(unavailable(error));
      }
    }
  }

  async #append(facts: readonly AuditFact[]): Promise<void> {
    if (this.#file === null) await this.#reopen();
    const file = this.#file;
    if (file === null) throw new Error('not open');
    await this.#insistOnOurs(file);
    let end = this.#end;
    let text = '';
    const time = new Date(this.now()).toISOString();
    for (const [index, fact] of facts.entries()) {
      const noted = index === 0 && this.#afterTornLine;
      const whole = noted ? { ...fact, details: { ...fact.details, afterTornLine: true } } : fact;
      const line = formatLine(whole, end, time);
      end = { number: end.number + 1, sha256: hashOf(line) };
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text);
    this.#unconfirmed = bytes;
    await file.appendFile(bytes);
    await file.datasync();
    this.#unconfirmed = Buffer.alloc(0);
    this.#end = end;
    this.#size += bytes.length;
    this.#afterTornLine = false;
  }

  /** Somebody else's change, or a file that was moved away, would leave a chain that only seems to be whole. */
  async #insistOnOurs(file: FileHandle): Promise<void> {
    const [ours, there] = await Promise.all([file.stat(), stat(this.path).catch(() => null)]);
    if (there === null || identityOf(there) !== this.#identity) throw changed();
    if (ours.size !== this.#size) throw changed();
  }

  /** After the last line that is known to be there, only what was being written may follow. */
  async #insistOnUnconfirmed(file: FileHandle, found: Stats): Promise<void> {
    const more = found.size - this.#size;
    if (identityOf(found) !== this.#identity || more < 0 || more > this.#unconfirmed.length) throw changed();
    const { buffer } = await file.read(Buffer.alloc(more), 0, more, this.#size);
    if (!buffer.equals(this.#unconfirmed.subarray(0, more))) throw changed();
  }

  /** Finds the end of the chain. A last line that is not complete stays, and the next line continues from it. */
  async #reopen(): Promise<void> {
    // Not made again when it was there before.
    const file = await open(this.path, this.#identity === null ? 'a+' : APPEND_TO_EXISTING, 0o600);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new Error('it is no file');
      if (this.#identity !== null) await this.#insistOnUnconfirmed(file, found);
      const { end, torn, missingBreak } = await readEnd(file, found.size);
      if (torn > 0)
        this.log.warn(
          'the last line of the audit log is not complete; it is kept, and the next line says so',
          {
            file: this.path,
            lines: torn,
          },
        );
      if (missingBreak) {
        await file.appendFile('\n');
        await file.datasync();
      }
      this.#file = file;
      this.#identity = identityOf(found);
      this.#unconfirmed = Buffer.alloc(0);
      this.#size = found.size + (missingBreak ? 1 : 0);
      this.#afterTornLine = torn > 0;
      this.#end = end;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

function identityOf({ ino, dev }: Stats): string {
  return `${dev} ${ino}`;
}

function changed(): Error {
  return new Error(
    'the file was changed, moved or replaced while the server runs. Look into it, then start the server again',
  );
}

interface FoundEnd {
  readonly end: ChainEnd;
  /** How many lines at the end cannot be read. */
  readonly torn: number;
  readonly missingBreak: boolean;
}

/** @throws Error when it is something else than an audit log */
async function readEnd(file: FileHandle, size: number): Promise<FoundEnd> {
  if (size === 0) return { end: { number: 0, sha256: FIRST_PREVIOUS }, torn: 0, missingBreak: false };
  const length = Math.min(size, 4 * MAX_LINE_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const tail = buffer.subarray(0, bytesRead);
  const missingBreak = tail.at(-1) !== LF;
  const lines: Buffer[] = [];
  let begin = 0;
  for (let at = tail.indexOf(LF); at !== -1; at = tail.indexOf(LF, begin)) {
    lines.push(tail.subarray(begin, at));
    begin = at + 1;
  }
  if (missingBreak) lines.push(tail.subarray(begin));
  // A crash or a full disk leaves lines that are not complete: after the last one that is, never in between.
  let whole = lines.length - 1;
  while (whole >= 0 && parsed(lines[whole]) === null) whole -= 1;
  if (whole < 0 && size > length) throw new Error('it is no audit log of Sightline, or its end is damaged');
  const [line, number] = [lines[whole], parsed(lines[whole])?.number ?? 0];
  let end: ChainEnd = { number, sha256: line === undefined ? FIRST_PREVIOUS : hashOf(line) };
  const torn = lines.slice(whole + 1);
  for (const raw of torn) end = afterTornLine(end, raw);
  return { end, torn: torn.length, missingBreak };
}

function parsed(raw: Buffer | undefined): AuditLine | null {
  return raw === undefined ? null : parseLine(raw.toString('utf8'));
}

/** One server for each file: two would write two chains into it. @throws Error that names the other process */
function lockFor(path: string): () => void {
  const folder = `${path}.lock`;
  try {
    return lockDataFolder(folder);
  } catch (error) {
    const other = lockHolder(folder);
    if (other === null) throw error;
    throw new Error(
      `another \`sightline review\` (process ${other}) uses it. End that one, or name another file with --audit-log`,
      { cause: error },
    );
  }
}

function unavailable(cause?: unknown): ReviewFailure {
  const why = errno(cause) === 'ENOSPC' ? ' The disk is full.' : '';
  return new ReviewFailure(
    'AUDIT_UNAVAILABLE',
    `The audit log cannot be written, so nothing can be shown now.${why} Ask the administrator of the review server.`,
    { cause },
  );
}
