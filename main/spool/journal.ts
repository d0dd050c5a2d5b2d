// The journal of one spool session: what happened, one sealed entry a line (journalLines.ts), fsynced before what it
// announces is done. What tears at its end when the power goes is expected and dropped; what is missing although it had
// been synced (witness.ts says so) is told, and everything else is read.

import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import type { JournalEntry } from './journalEntry.ts';
import { journalEntrySchema } from './journalEntry.ts';
import type { FoundLines, MissingLines, SessionKeys } from './journalLines.ts';
import { JOURNAL_VERSION, LineSeal, headerLine, readLines } from './journalLines.ts';
import type { Statement } from './statement.ts';
import { emptyStatement } from './statement.ts';
import type { NoStatement } from './witness.ts';
import { WITNESS_BYTES, Witness } from './witness.ts';

export type { JournalEntry } from './journalEntry.ts';
export type { SessionKeys } from './journalLines.ts';
export { JOURNAL_VERSION } from './journalLines.ts';

/** A journal that an earlier process has left. */
export interface ResumedJournal {
  readonly journal: Journal;
  readonly entries: readonly { readonly line: number; readonly entry: JournalEntry }[];
  /** Lines that had been synced and are gone or changed, those of earlier recoveries included. */
  readonly missing: readonly MissingLines[];
  /** What the witness has stated, or why nothing. */
  readonly witness: Statement | NoStatement | 'older-version';
}

export class Journal {
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    /** Of the whole session: its run files are sealed with it, too. */
    readonly dataKey: Buffer,
    private readonly seal: LineSeal,
    /** Bytes of whole lines; whatever a failed write left behind them is cut off. */
    private goodBytes: number,
    /** The number of the next line. */
    private lines: number,
    /** null: an older version's journal, or the witness cannot be believed (`renewWitness`). */
    private witness: Witness | null,
  ) {}

  /** A new session with a new key. */
  static async create(path: string, keys: SessionKeys): Promise<Journal> {
    return Journal.begin(await open(path, 'wx', 0o600), path, keys);
  }

  /**
   * Goes on in a journal that an earlier process has left.
   * @throws SightlineError SPOOL_UNREADABLE for another version, a key that cannot be unlocked, or a file that was emptied
   */
  static async resume(path: string, keys: SessionKeys): Promise<ResumedJournal> {
    const file = await open(path, 'r+');
    try {
      const found = await readLines(await file.readFile(), path, keys, parseEntry);
      if (found === null) return await Journal.resumeEmpty(file, path, keys);
      const { witness, statement } = await resumeWitness(found, path, keys);
      const missing = missingLines(found, statement);
      // What was damaged stays for whoever looks into it; what was never synced goes.
      const keptBytes = missing.length > 0 ? found.wholeBytes : found.goodBytes;
      await file.truncate(keptBytes);
      const seal = new LineSeal(found.version, path, found.dataKey);
      const next = Math.max(found.next, ...missing.map(({ line, lines }) => line + lines));
      const journal = new Journal(file, path, found.dataKey, seal, keptBytes, next, witness);
      return { journal, entries: found.entries, missing, witness: statement };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The process ended before there was a whole line; or somebody has emptied the file. */
  private static async resumeEmpty(
    file: FileHandle,
    path: string,
    keys: SessionKeys,
  ): Promise<ResumedJournal> {
    const resumed = await Witness.resume(dirname(path), keys);
    if (typeof resumed !== 'string') {
      await resumed.witness.close();
      if (resumed.statement.lines > 0) throw emptied(path, resumed.statement.lines);
    }
    await file.truncate(0);
    const journal = await Journal.begin(file, path, keys);
    return { journal, entries: [], missing: [], witness: emptyStatement };
  }

  private static async begin(file: FileHandle, path: string, keys: SessionKeys): Promise<Journal> {
    try {
      // Before the header: a journal of this version that has no witness has lost it.
      const witness = await Witness.create(dirname(path), keys);
      const { dataKey, key } = await keys.create();
      const line = headerLine(key);
      await file.write(line, 0, line.byteLength, 0);
      await file.sync();
      await syncFolder(dirname(path));
      const seal = new LineSeal(JOURNAL_VERSION, path, dataKey);
      return new Journal(file, path, dataKey, seal, line.byteLength, 0, witness);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** States the end of a journal anew whose witness could not be believed. The journal says so by now. */
  async renewWitness(keys: SessionKeys): Promise<void> {
    const found = await readLines(await readFile(this.path), this.path, keys, parseEntry);
    if (this.witness === null && found?.version === JOURNAL_VERSION)
      this.witness = await Witness.create(dirname(this.path), keys, found.entries);
  }

  /** So much of a run file is on the disk. @param lengthMs from its first picture to its newest; null: none yet */
  runSynced(file: string, chunks: number, lengthMs: number | null): void {
    this.witness?.synced(file, chunks, lengthMs);
  }

  /**
   * Resolves when the entry is on the disk. Entries are written in the order of the calls.
   * @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE
   */
  append(entry: JournalEntry): Promise<void> {
    const written = this.last.then(() => this.write(entry));
    // A failed write must not keep the next one from being tried.
    this.last = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      throw spoolError(error, this.path);
    });
  }

  /** Of the whole lines, and of the witness. */
  get sizeBytes(): number {
    return this.goodBytes + (this.witness === null ? 0 : WITNESS_BYTES);
  }

  private async write(entry: JournalEntry): Promise<void> {
    const line = this.seal.close(this.lines, entry);
    try {
      let done = 0;
      while (done < line.byteLength) {
        const at = this.goodBytes + done;
        done += (await this.file.write(line, done, line.byteLength - done, at)).bytesWritten;
      }
      await this.file.datasync();
      this.goodBytes += line.byteLength;
      this.lines += 1;
      await this.witness?.wrote(entry, this.lines);
    } catch (error) {
      // Half a line would damage the next one; when even this fails the reader drops the torn end.
      await this.file.truncate(this.goodBytes).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.last;
    await this.witness?.close();
    await this.file.close();
  }
}

/**
 * Looks into a journal without touching it: what can be read of it, and how many lines cannot. null when it has no whole
 * line yet.
 * @throws SightlineError SPOOL_UNREADABLE
 */
export async function readJournal(
  path: string,
  keys: SessionKeys,
): Promise<{ dataKey: Buffer; entries: JournalEntry[]; unreadable: number } | null> {
  const found = await readLines(await readFile(path), path, keys, parseEntry);
  if (found === null) return null;
  const { dataKey, entries, missing, badAtEnd } = found;
  const unreadable = missing.reduce((sum, { lines }) => sum + lines, badAtEnd);
  return { dataKey, entries: entries.map(({ entry }) => entry), unreadable };
}

function parseEntry(value: unknown): JournalEntry | undefined {
  return journalEntrySchema.safeParse(value).data;
}

/** Lines at the end that the witness does not know of were never synced, and so never acted on. */
function missingLines(
  { missing, next, badAtEnd }: FoundLines<JournalEntry>,
  witness: ResumedJournal['witness'],
): MissingLines[] {
  const lines = typeof witness === 'string' ? badAtEnd : witness.lines - next;
  return lines > 0 ? [...missing, { line: next, lines }] : [...missing];
}

async function resumeWitness(
  { version, entries }: FoundLines<JournalEntry>,
  path: string,
  keys: SessionKeys,
): Promise<{ witness: Witness | null; statement: ResumedJournal['witness'] }> {
  const resumed = await Witness.resume(dirname(path), keys);
  if (resumed === 'missing' && version !== JOURNAL_VERSION)
    return { witness: null, statement: 'older-version' };
  if (typeof resumed === 'string') return { witness: null, statement: resumed };
  resumed.witness.catchUp(entries);
  return resumed;
}

function emptied(path: string, lines: number): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `${path} is empty, although ${lines} lines had been written to it: the disk is faulty, or somebody has emptied it. The ` +
      'folder is left as it is.',
  );
}

export function spoolError(error: unknown, path: string): SightlineError {
  if (error instanceof SightlineError) return error;
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SightlineError(
      'SPOOL_FULL',
      `The disk under ${path} is full. Free some space; recording goes on then.`,
      {
        cause: error,
      },
    );
  }
  const words = error instanceof Error ? error.message : String(error);
  return new SightlineError('SPOOL_UNREADABLE', `The spool cannot be used: ${words}`, { cause: error });
}
