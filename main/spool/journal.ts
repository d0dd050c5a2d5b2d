// The journal of one spool session: what happened, one sealed entry a line (journalLines.ts), fsynced before what it
// announces is done. What tears at its end when the power goes is expected and dropped; what is missing although it had
// been synced (witness.ts says so) is reported, and everything else is read. What cannot be written is retried
// (writeQueue.ts).

import { open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import type { JournalEntry } from './journalEntry.ts';
import { journalEntrySchema } from './journalEntry.ts';
import type { FoundLines, MissingLines, SessionKeys } from './journalLines.ts';
import { JOURNAL_VERSION, LineSeal, headerLine, readLines } from './journalLines.ts';
import type { Statement } from './statement.ts';
import { emptyStatement } from './statement.ts';
import type { NoStatement } from './witness.ts';
import { WITNESS_BYTES, Witness } from './witness.ts';
import { WriteQueue } from './writeQueue.ts';

export type { JournalEntry } from './journalEntry.ts';
export type { SessionKeys } from './journalLines.ts';
export { JOURNAL_VERSION } from './journalLines.ts';

export const JOURNAL_FILE = 'journal.ndjson';
/** Exists beside a journal as long as the journal has everything: see `WriteQueue`. */
export const COMPLETE_FILE = 'complete';

export interface JournalOptions {
  /** Makes the folder of a new journal; called again after a failure. */
  readonly makeFolder?: () => Promise<void>;
  /** Called once when writing begins to fail, and with null when everything has been written after all. */
  readonly onTrouble?: (error: SightlineError | null) => void;
}

/** A journal that an earlier process has left. */
export interface ResumedJournal {
  readonly journal: Journal;
  readonly entries: readonly { readonly line: number; readonly entry: JournalEntry }[];
  /** Lines that had been synced and are gone or changed, those of earlier recoveries included. */
  readonly missing: readonly MissingLines[];
  /** What the witness has stated, or why nothing. */
  readonly witness: Statement | NoStatement | 'older-version';
  /** Whether an entry may be missing that was never written: a write had failed, or the last line is torn. */
  readonly incomplete: boolean;
}

interface JournalFile {
  readonly handle: FileHandle;
  readonly dataKey: Buffer;
  readonly seal: LineSeal;
  /** Bytes of whole lines; what a failed attempt left behind them is cut off. */
  goodBytes: number;
  /** The number of the next line. */
  lines: number;
  /** null: an older version's journal, or the witness cannot be believed (`renewWitness`). */
  witness: Witness | null;
}

export class Journal {
  private readonly queue: WriteQueue<JournalEntry | 'header'>;
  private readonly marker: string;

  private constructor(
    readonly path: string,
    private readonly keys: SessionKeys,
    private readonly options: JournalOptions,
    private file: JournalFile | null,
    incomplete: boolean,
  ) {
    this.marker = join(dirname(path), COMPLETE_FILE);
    this.queue = new WriteQueue<JournalEntry | 'header'>(
      {
        write: (items) => this.write(items),
        markIncomplete: (isIncomplete) => this.markIncomplete(isIncomplete),
        toError: (error) => spoolError(error, path),
        onTrouble: (error) => options.onTrouble?.(error),
      },
      incomplete,
      !incomplete,
    );
  }

  /** A new journal with a new key. Its file is made in the background, and again after a failure. */
  static create(path: string, keys: SessionKeys, options: JournalOptions = {}): Journal {
    const journal = new Journal(path, keys, options, null, false);
    void journal.queue.append('header');
    return journal;
  }

  /**
   * Continues a journal that an earlier process has left. One that is incomplete stays marked so until `allowComplete`.
   * @throws SightlineError SPOOL_UNREADABLE for another version, a key that cannot be unlocked, or a file that was emptied
   */
  static async resume(
    path: string,
    keys: SessionKeys,
    options: JournalOptions = {},
  ): Promise<ResumedJournal> {
    const handle = await open(path, 'r+');
    let witness: Witness | null = null;
    try {
      const bytes = await handle.readFile();
      const found = await readLines(bytes, path, keys, parseEntry);
      if (found === null) {
        await handle.close();
        return await Journal.resumeEmpty(path, keys, options);
      }
      const stated = await resumeWitness(found, path, keys);
      const { statement } = stated;
      witness = stated.witness;
      const missing = missingLines(found, statement);
      const incomplete =
        bytes.byteLength > found.goodBytes || !(await exists(join(dirname(path), COMPLETE_FILE)));
      // Damaged lines stay for an investigation; what was never synced is removed.
      const goodBytes = missing.length > 0 ? found.wholeBytes : found.goodBytes;
      await handle.truncate(goodBytes);
      const { dataKey, entries } = found;
      const seal = new LineSeal(found.version, path, dataKey);
      const lines = Math.max(found.next, ...missing.map((one) => one.line + one.lines));
      const file = { handle, dataKey, seal, goodBytes, lines, witness };
      const journal = new Journal(path, keys, options, file, incomplete);
      return { journal, entries, missing, witness: statement, incomplete };
    } catch (error) {
      await witness?.close().catch(() => undefined);
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  /** The process ended before there was a whole line; or somebody has emptied the file. */
  private static async resumeEmpty(
    path: string,
    keys: SessionKeys,
    options: JournalOptions,
  ): Promise<ResumedJournal> {
    const resumed = await Witness.resume(dirname(path), keys);
    if (typeof resumed !== 'string') {
      await resumed.witness.close();
      if (resumed.statement.lines > 0) throw emptied(path, resumed.statement.lines);
    }
    const journal = Journal.create(path, keys, options);
    return { journal, entries: [], missing: [], witness: emptyStatement, incomplete: false };
  }

  /** Of the whole session: its run files are sealed with it, too. @throws SightlineError before the file is there */
  get dataKey(): Buffer {
    if (this.file !== null) return this.file.dataKey;
    throw this.trouble ?? new SightlineError('SPOOL_UNREADABLE', `${this.path} is not there yet.`);
  }

  /** Whether the file is there: without it nothing of the session is on the disk. */
  get isOpen(): boolean {
    return this.file !== null;
  }

  /** Entries that come now, or had not been written when it was closed, are given up. */
  get isClosed(): boolean {
    return this.queue.isClosed;
  }

  /** Why entries cannot be written at present; null: they can. */
  get trouble(): SightlineError | null {
    return this.queue.trouble;
  }

  /** Of the whole lines, and of the witness. */
  get sizeBytes(): number {
    if (this.file === null) return 0;
    return this.file.goodBytes + (this.file.witness === null ? 0 : WITNESS_BYTES);
  }

  /**
   * Resolves when the entry is on the disk, however long that takes. Entries are written in the order of the calls.
   *
   * @param onFailure called at the first failed attempt, or at once while writing fails; the entry is retried all the same
   */
  append(entry: JournalEntry, onFailure?: (error: SightlineError) => void): Promise<void> {
    return this.queue.append(entry, onFailure);
  }

  /**
   * Resolves once a later process cannot miss what has been appended so far: it is on the disk, or the journal is marked
   * as incomplete. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE when neither could be done
   */
  guard(): Promise<void> {
    return this.queue.guard();
  }

  /** The doubt about what an earlier process could not write has been resolved by entries appended since. */
  allowComplete(): void {
    this.queue.allowComplete();
  }

  /**
   * States the end of a journal anew whose witness could not be believed; the journal says so by now. Where the disk does
   * not take it the next process finds none again. Never rejects.
   */
  async renewWitness(): Promise<void> {
    const { file } = this;
    if (file === null || file.witness !== null) return;
    try {
      const found = await readLines(await readFile(this.path), this.path, this.keys, parseEntry);
      if (found?.version === JOURNAL_VERSION)
        file.witness = await Witness.create(dirname(this.path), this.keys, found.entries);
    } catch {
      // As said above.
    }
  }

  /** So much of a run file is on the disk. @param lengthMs from its first picture to its newest; null: none yet */
  runSynced(file: string, chunks: number, lengthMs: number | null): void {
    this.file?.witness?.synced(file, chunks, lengthMs);
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.file?.witness?.close();
    await this.file?.handle.close();
  }

  /** All of them with one sync: what is urgent does not wait for one sync for each entry before it. */
  private async write(items: readonly (JournalEntry | 'header')[]): Promise<void> {
    const file = (this.file ??= await this.begin());
    const entries = items.filter((item) => item !== 'header');
    if (entries.length === 0) return;
    const bytes = Buffer.concat(entries.map((entry, index) => file.seal.close(file.lines + index, entry)));
    try {
      let done = 0;
      while (done < bytes.byteLength) {
        const at = file.goodBytes + done;
        done += (await file.handle.write(bytes, done, bytes.byteLength - done, at)).bytesWritten;
      }
      await file.handle.datasync();
    } catch (error) {
      // Half a line would damage the next one; when even this fails the reader drops the torn end.
      await file.handle.truncate(file.goodBytes).catch(() => undefined);
      throw error;
    }
    file.goodBytes += bytes.byteLength;
    for (const entry of entries) {
      file.lines += 1;
      void file.witness?.wrote(entry, file.lines);
    }
    await file.witness?.settled();
  }

  private async begin(): Promise<JournalFile> {
    const { path, keys } = this;
    await this.options.makeFolder?.();
    // Before the header: a journal of this version that has no witness has lost it.
    const witness = await Witness.create(dirname(path), keys);
    try {
      const { dataKey, key } = await keys.create();
      const line = headerLine(key);
      // Not 'wx': an attempt that failed may have made the file.
      const handle = await open(path, 'w', 0o600);
      try {
        await handle.writeFile(line);
        await handle.sync();
        await this.markIncomplete(false);
      } catch (error) {
        await handle.close();
        throw error;
      }
      const seal = new LineSeal(JOURNAL_VERSION, path, dataKey);
      return { handle, dataKey, seal, goodBytes: line.byteLength, lines: 0, witness };
    } catch (error) {
      await witness.close();
      throw error;
    }
  }

  private async markIncomplete(isIncomplete: boolean): Promise<void> {
    if (isIncomplete) await rm(this.marker, { force: true });
    else await (await open(this.marker, 'w', 0o600)).close();
    await syncFolder(dirname(this.path));
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

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
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
  return new SightlineError('SPOOL_UNREADABLE', `The spool cannot be used: ${errorMessage(error)}`, {
    cause: error,
  });
}
