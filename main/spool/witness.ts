// The witness of one spool session: a small file beside the journal that states how much of journal and runs was on the
// disk, so that a truncation is noticed. It is sealed with a separate key: the journal's header opens none of it. Written
// in place after what it states was synced, alternating between two slots, and not synced itself. So it may state less
// than there is (after a power cut, on a full disk), which is normal, and never more: then something has been lost.
// It cannot notice that all files were restored to an older state together.

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { errno } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import type { JournalEntry } from './journalEntry.ts';
import type { SessionKeys, WrappedKey } from './journalLines.ts';
import { wrappedKeySchema } from './journalLines.ts';
import { SEAL_BYTES, Seal } from './seal.ts';
import type { Statement } from './statement.ts';
import { emptyStatement, withRun, statementSchema, withEntry } from './statement.ts';

export const WITNESS_FILE = 'witness';
/** A wrapped key is 100 to 400 bytes. */
const HEAD_BYTES = 1024;
/** Space for about 14 recordings. */
const SLOT_BYTES = 8 * 1024;
const LENGTH_BYTES = 4;
/** Allocated in full at the start, so that it can still be written on a full disk. */
export const WITNESS_BYTES = HEAD_BYTES + 2 * SLOT_BYTES;

const headSchema = z.object({ v: z.literal(1), key: wrappedKeySchema });

/** Why there is no statement. */
export type NoStatement = 'missing' | 'unreadable';

type NumberedEntries = readonly { readonly line: number; readonly entry: JournalEntry }[];

export class Witness {
  private last: Promise<void> = Promise.resolve();
  private isWaiting = false;

  private constructor(
    private readonly file: FileHandle,
    private readonly seal: Seal,
    private current: Statement,
  ) {}

  /** @param entries that the journal contains already @throws the error of the disk or the key store */
  static async create(folder: string, keys: SessionKeys, entries: NumberedEntries = []): Promise<Witness> {
    const { dataKey, key } = await keys.create();
    const file = await open(join(folder, WITNESS_FILE), 'w', 0o600);
    try {
      const witness = new Witness(file, sealOf(folder, dataKey), emptyStatement);
      witness.catchUp(entries);
      await witness.begin(key);
      return witness;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** With what an earlier process has stated. */
  static async resume(folder: string, keys: SessionKeys): Promise<Witness | NoStatement> {
    let file: FileHandle;
    try {
      file = await open(join(folder, WITNESS_FILE), 'r+');
    } catch (error) {
      return errno(error) === 'ENOENT' ? 'missing' : 'unreadable';
    }
    try {
      const bytes = await file.readFile();
      const { key } = headSchema.parse(parseJson(bytes.toString('latin1').split('\n', 1)[0] ?? ''));
      const seal = sealOf(folder, await keys.unlock(key));
      const statements = [0, 1].flatMap((slot) => readSlot(bytes, slot, seal) ?? []);
      const [statement] = statements.sort((a, b) => b.count - a.count);
      if (statement !== undefined) return new Witness(file, seal, statement);
    } catch {
      // Not a witness, or its key is gone.
    }
    await file.close();
    return 'unreadable';
  }

  get statement(): Statement {
    return this.current;
  }

  /** Adds entries that are in the journal but not in the statement. */
  catchUp(entries: NumberedEntries): void {
    for (const { line, entry } of entries)
      if (line >= this.current.lines) this.current = withEntry(this.current, entry, line + 1);
  }

  /** The entry is on the disk. Resolves when that is stated, or could not be; never rejects. */
  wrote(entry: JournalEntry, lines: number): Promise<void> {
    this.current = withEntry(this.current, entry, lines);
    return this.state();
  }

  /** Resolves when everything so far is stated, or could not be. */
  settled(): Promise<void> {
    return this.last;
  }

  /** So many chunks of a run are on the disk. @param lengthMs from the run's first frame to its newest */
  synced(file: string, chunks: number, lengthMs: number | null): void {
    this.current = withRun(this.current, file, chunks, lengthMs);
    void this.state();
  }

  async close(): Promise<void> {
    await this.last;
    await this.file.close();
  }

  /** A waiting write includes everything that is added before it starts. */
  private state(): Promise<void> {
    if (this.isWaiting) return this.last;
    this.isWaiting = true;
    this.last = this.last.then(() => {
      this.isWaiting = false;
      return this.write();
    });
    return this.last;
  }

  private async write(): Promise<void> {
    const statement = { ...this.current, count: this.current.count + 1 };
    const slot = slotOf(statement, this.seal);
    try {
      const at = HEAD_BYTES + (statement.count % 2) * SLOT_BYTES;
      const { bytesWritten } = await this.file.write(slot, 0, slot.byteLength, at);
      // A slot that could not be written whole is reused: the other one is the newest then.
      if (bytesWritten === slot.byteLength) this.current = { ...this.current, count: statement.count };
    } catch {
      // It states less than there is.
    }
  }

  private async begin(key: WrappedKey): Promise<void> {
    const bytes = Buffer.alloc(WITNESS_BYTES);
    bytes.write(`${JSON.stringify({ v: 1, key })}\n`, 0, 'latin1');
    slotOf(this.current, this.seal).copy(bytes, HEAD_BYTES + (this.current.count % 2) * SLOT_BYTES);
    await this.file.write(bytes, 0, bytes.byteLength, 0);
    await this.file.sync();
  }
}

/** The ids of the recordings, readable without a key: a hint, because any program could have changed them. */
export async function hintedRecordings(folder: string): Promise<string[]> {
  const file = await open(join(folder, WITNESS_FILE), 'r').catch(() => null);
  if (file === null) return [];
  try {
    const bytes = Buffer.alloc(WITNESS_BYTES);
    await file.read(bytes, 0, WITNESS_BYTES, 0);
    return [...new Set([0, 1].flatMap((slot) => readHint(bytes, slot)?.hint ?? []))];
  } catch {
    return [];
  } finally {
    await file.close();
  }
}

/** A witness that was moved to another session's folder does not open. */
function sealOf(folder: string, key: Buffer): Seal {
  return new Seal(key, 'witness', basename(folder));
}

/** The recordings' ids precede the statement unencrypted: they reveal nothing, and lead support to the contacts. */
function slotOf(statement: Statement, seal: Seal): Buffer {
  for (let { recordings } = statement; ; recordings = recordings.slice(1)) {
    const hint = Buffer.from(recordings.map(({ recordingId }) => recordingId).join(' '));
    const plain = Buffer.from(JSON.stringify({ ...statement, recordings }));
    const size = 2 * LENGTH_BYTES + hint.byteLength + plain.byteLength + SEAL_BYTES;
    // Ids can be long: without space for all, the oldest recordings are left out.
    if (size > SLOT_BYTES && recordings.length > 0) continue;
    const sealed = seal.close(0, plain);
    const slot = Buffer.alloc(size);
    slot.writeUInt32BE(hint.byteLength, 0);
    hint.copy(slot, LENGTH_BYTES);
    slot.writeUInt32BE(sealed.byteLength, LENGTH_BYTES + hint.byteLength);
    sealed.copy(slot, 2 * LENGTH_BYTES + hint.byteLength);
    return slot.subarray(0, SLOT_BYTES);
  }
}

function readSlot(bytes: Buffer, slot: number, seal: Seal): Statement | null {
  const found = readHint(bytes, slot);
  if (found === null || found.rest.byteLength < LENGTH_BYTES) return null;
  const end = LENGTH_BYTES + found.rest.readUInt32BE(0);
  const plain = end > found.rest.byteLength ? null : seal.open(0, found.rest.subarray(LENGTH_BYTES, end));
  return statementSchema.safeParse(plain === null ? null : parseJson(plain.toString())).data ?? null;
}

function readHint(bytes: Buffer, slot: number): { hint: string[]; rest: Buffer } | null {
  const at = HEAD_BYTES + slot * SLOT_BYTES;
  const all = bytes.subarray(at, at + SLOT_BYTES);
  if (all.byteLength < LENGTH_BYTES) return null;
  const end = LENGTH_BYTES + all.readUInt32BE(0);
  if (end > all.byteLength) return null;
  const hint = all.toString('latin1', LENGTH_BYTES, end).split(' ');
  return { hint: hint.filter((id) => /^[\w.-]{1,100}$/.test(id)), rest: all.subarray(end) };
}
