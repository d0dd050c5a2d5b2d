// The journal of one spool session: what happened, one sealed entry a line (journalLines.ts), fsynced before what it
// announces is done. A torn end after a power cut is expected and dropped; what is missing although it had been synced
// (witness.ts states it) is reported, and everything else is read. What cannot be written is retried (writeQueue.ts).

import { access, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import type { JournalEntry } from './journalEntry.ts';
import type { FoundLines, MissingLines, SessionKeys } from './journalLines.ts';
import { JOURNAL_VERSION, LineSeal, headerLine, readLines } from './journalLines.ts';
import { AppendFile } from './seal.ts';
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
  readonly entries: FoundLines['entries'];
  /** Lines that had been synced and are gone or changed, those of earlier recoveries included. */
  readonly missing: readonly MissingLines[];
  /** What the witness has stated, or why nothing. */
  readonly witness: Statement | NoStatement | 'older-version';
  /** Whether an entry may be missing that was never written: a write had failed, or the last line is torn. */
  readonly incomplete: boolean;
}

interface JournalFile {
  /** Ends after the last whole line. */
  readonly lines: AppendFile;
  readonly dataKey: Buffer;
  readonly seal: LineSeal;
  /** The number of the next line. */
  nextLine: number;
  /** null: an older version's journal, or the witness cannot be believed (`renewWitness`). */
  witness: Witness | null;
}

export class Journal {
  private readonly queue: WriteQueue<JournalEntry | 'header'>;

  private constructor(
    readonly path: string,
    private readonly keys: SessionKeys,
    private readonly options: JournalOptions,
    private file: JournalFile | null,
    incomplete: boolean,
  ) {
    this.queue = new WriteQueue<JournalEntry | 'header'>(
      {
        write: (items) => this.write(items),
        markIncomplete: (isIncomplete) => this.markIncomplete(isIncomplete),
        toError: (error) => spoolError(error, path),
        onTrouble: (error) => options.onTrouble?.(error),
      },
      incomplete,
    );
  }

  /** A new journal with a new key. Its file is created in the background, and again after a failure. */
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
    let witness: Witness | NoStatement = 'missing';
    try {
      const bytes = await handle.readFile();
      const found = await readLines(bytes, path, keys);
      witness = await Witness.resume(dirname(path), keys);
      if (found === null) {
        // The process ended before there was a whole line, or the file was emptied.
        if (typeof witness !== 'string' && witness.statement.lines > 0)
          throw emptied(path, witness.statement.lines);
        await handle.close();
        if (typeof witness !== 'string') await witness.close();
        const journal = Journal.create(path, keys, options);
        return { journal, entries: [], missing: [], witness: emptyStatement, incomplete: false };
      }
      const { dataKey, entries, version } = found;
      const isOlder = witness === 'missing' && version !== JOURNAL_VERSION;
      const stated = typeof witness === 'string' ? (isOlder ? 'older-version' : witness) : witness.statement;
      const missing = missingLines(found, stated);
      const incomplete =
        bytes.byteLength > found.goodBytes || !(await exists(join(dirname(path), COMPLETE_FILE)));
      // Damaged lines stay for an investigation; what was never synced is removed.
      const endBytes = missing.length > 0 ? found.wholeBytes : found.goodBytes;
      await handle.truncate(endBytes);
      if (typeof witness !== 'string') witness.catchUp(entries);
      const file = {
        lines: new AppendFile(handle, endBytes),
        ...{ dataKey, seal: new LineSeal(version, path, dataKey) },
        nextLine: Math.max(found.next, ...missing.map((one) => one.line + one.lines)),
        witness: typeof witness === 'string' ? null : witness,
      };
      const journal = new Journal(path, keys, options, file, incomplete);
      return { journal, entries, missing, witness: stated, incomplete };
    } catch (error) {
      if (typeof witness !== 'string') await witness.close().catch(() => undefined);
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  /** Of the whole session: its run files are sealed with it as well. @throws SightlineError before the file exists */
  get dataKey(): Buffer {
    if (this.file !== null) return this.file.dataKey;
    throw this.trouble ?? new SightlineError('SPOOL_UNREADABLE', `${this.path} does not exist yet.`);
  }

  /** Whether the file exists: without it nothing of the session is on the disk. */
  get isOpen(): boolean {
    return this.file !== null;
  }

  /** Entries that are appended now, or had not been written when it was closed, are given up. */
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
    return this.file.lines.sizeBytes + (this.file.witness === null ? 0 : WITNESS_BYTES);
  }

  /** Resolves when the entry is on the disk, however long that takes. See `WriteQueue.append`. */
  append(entry: JournalEntry, onFailure?: (error: SightlineError) => void): Promise<void> {
    return this.queue.append(entry, onFailure);
  }

  /** See `WriteQueue.guard`. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  guard(): Promise<void> {
    return this.queue.guard();
  }

  /** See `WriteQueue.allowComplete`. */
  allowComplete(): void {
    this.queue.allowComplete();
  }

  /**
   * Restates the end of a journal whose witness could not be believed; the journal says so by now. If the disk does not
   * accept it the next process finds none again. Never rejects.
   */
  async renewWitness(): Promise<void> {
    const { file } = this;
    if (file === null || file.witness !== null) return;
    try {
      const found = await readLines(await readFile(this.path), this.path, this.keys);
      if (found?.version === JOURNAL_VERSION)
        file.witness = await Witness.create(dirname(this.path), this.keys, found.entries);
    } catch {
      // As said above.
    }
  }

  /** So much of a run file is on the disk. @param lengthMs from its first frame to its newest; null: none yet */
  runSynced(file: string, chunks: number, lengthMs: number | null): void {
    this.file?.witness?.synced(file, chunks, lengthMs);
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.file?.witness?.close();
    await this.file?.lines.handle.close();
  }

  /** All of them with one sync: an urgent entry does not wait for a sync of each entry before it. */
  private async write(items: readonly (JournalEntry | 'header')[]): Promise<void> {
    const file = (this.file ??= await this.begin());
    const entries = items.filter((item) => item !== 'header');
    if (entries.length === 0) return;
    const lines = entries.map((entry, index) => file.seal.close(file.nextLine + index, entry));
    await file.lines.append(Buffer.concat(lines), { sync: true });
    for (const entry of entries) {
      file.nextLine += 1;
      void file.witness?.wrote(entry, file.nextLine);
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
      // Not 'wx': an attempt that failed may have created the file.
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
      return { lines: new AppendFile(handle, line.byteLength), dataKey, seal, nextLine: 0, witness };
    } catch (error) {
      await witness.close();
      throw error;
    }
  }

  private async markIncomplete(isIncomplete: boolean): Promise<void> {
    const folder = dirname(this.path);
    const marker = join(folder, COMPLETE_FILE);
    if (isIncomplete) await rm(marker, { force: true });
    else await (await open(marker, 'w', 0o600)).close();
    await syncFolder(folder);
  }
}

/**
 * Reads a journal without changing it: its readable entries, and the number of unreadable lines. null when it has no
 * whole line yet. @throws SightlineError SPOOL_UNREADABLE
 */
export async function readJournal(
  path: string,
  keys: SessionKeys,
): Promise<{ dataKey: Buffer; entries: JournalEntry[]; unreadable: number } | null> {
  const found = await readLines(await readFile(path), path, keys);
  if (found === null) return null;
  const { dataKey, entries, missing, badAtEnd } = found;
  const unreadable = missing.reduce((sum, { lines }) => sum + lines, badAtEnd);
  return { dataKey, entries: entries.map(({ entry }) => entry), unreadable };
}

/** Lines at the end that the witness does not know of were never synced, and so never acted on. */
function missingLines(
  { missing, next, badAtEnd }: FoundLines,
  witness: ResumedJournal['witness'],
): MissingLines[] {
  const lines = typeof witness === 'string' ? badAtEnd : witness.lines - next;
  return lines > 0 ? [...missing, { line: next, lines }] : [...missing];
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function emptied(path: string, lines: number): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `${path} is empty, although ${lines} lines had been written to it: the disk is faulty, or another program has emptied ` +
      'it. The folder is kept unchanged.',
  );
}

export function spoolError(error: unknown, path: string): SightlineError {
  if (error instanceof SightlineError) return error;
  const isFull = ['ENOSPC', 'EDQUOT'].includes(errno(error) ?? '');
  return new SightlineError(
    isFull ? 'SPOOL_FULL' : 'SPOOL_UNREADABLE',
    isFull
      ? `The disk under ${path} is full. Free some space; recording then continues automatically.`
      : `The spool cannot be used: ${errorMessage(error)}`,
    { cause: error },
  );
}
