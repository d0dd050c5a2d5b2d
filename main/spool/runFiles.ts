// Run files: the spool's pictures, encrypted as they arrive. A file is eight bytes of magic and then chunks, each the
// length of what follows (32 bits, big endian) and a sealed piece. Whole fragments go in, one chunk each; a file that was
// cut off by a crash is read up to its last whole chunk, one that was changed up to there. Nothing plain is ever written.

import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { SightlineError, errno } from '../shared/errors.ts';
import { FragmentSplitter, firstSegment } from '../media/fragments.ts';
import { spoolError } from './journal.ts';
import { SEAL_BYTES, Seal } from './seal.ts';

export const RUN_FILE_EXTENSION = 'run';
const MAGIC = Buffer.from('SLRUN1\r\n');
const LENGTH_BYTES = 4;
/** How much may be lost when the power goes. */
const SYNC_INTERVAL_MS = 500;
/** A chunk is a fragment of one picture; a length beyond this is damage. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

export interface RunWriter {
  /** Resolves when the bytes are in the file (not yet on the platter; see SYNC_INTERVAL_MS). */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves with the file's size in bytes when everything is on the disk. */
  close(): Promise<number>;
}

/** Reads a run file from its beginning on, also while it is still being written. */
export interface RunReader {
  /** Of the file as it was when it was opened. */
  readonly sizeBytes: number;
  /** How many have been read. */
  readonly chunks: number;
  /**
   * What comes next of what was appended, about a megabyte; null when there is no more of it for now. A chunk that is
   * cut off at the end is left out.
   * @throws DamagedRunFile at the first chunk that was changed; SightlineError SPOOL_UNREADABLE when the disk does not read
   */
  next(): Promise<Buffer | null>;
  /** All that is left. */
  contents(): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/** The quota that a run counts towards (spool/quota.ts). */
export interface RunQuota {
  /** @throws SightlineError SPOOL_FULL: the bytes must not be written */
  reserve(bytes: number): Promise<void>;
  /** Written, or, negative, not written after all. */
  adjust(bytes: number): void;
}

/** Some of what was written is not there as it was written, and will not be. */
export class DamagedRunFile extends SightlineError {
  constructor(message: string, cause?: unknown) {
    super('SPOOL_UNREADABLE', message, { cause });
  }
}

/** Told what of a run is on the disk. @param lengthMs from the first picture to the newest; null: there is none */
export type RunSynced = (chunks: number, lengthMs: number | null) => void;

/** @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
export async function createRunFile(
  path: string,
  dataKey: Buffer,
  quota: RunQuota | null = null,
  onSynced: RunSynced = () => undefined,
): Promise<RunWriter> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.write(MAGIC, 0, MAGIC.byteLength, 0);
    } catch (error) {
      // On a full disk this is tried every few seconds.
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
    quota?.adjust(MAGIC.byteLength);
    return new SealedWriter(file, path, new Seal(dataKey, 'run', basename(path)), quota, onSynced);
  } catch (error) {
    throw spoolError(error, path);
  }
}

/** @throws DamagedRunFile when it is gone; SightlineError SPOOL_UNREADABLE */
export async function openRunFile(path: string, dataKey: Buffer): Promise<RunReader> {
  try {
    const file = await open(path, 'r');
    return new SealedReader(file, path, (await file.stat()).size, new Seal(dataKey, 'run', basename(path)));
  } catch (error) {
    if (errno(error) === 'ENOENT')
      throw new DamagedRunFile(`${path} is gone: somebody has deleted it.`, error);
    throw spoolError(error, path);
  }
}

/** What its pictures' own times say of a run's length. Only chunks that must be are looked into. */
class RunClock {
  private timescale: number | null = null;
  private first: number | null = null;
  private newest: Uint8Array = Buffer.alloc(0);

  wrote(chunk: Uint8Array): void {
    this.newest = chunk;
    if (this.first !== null) return;
    const segment = firstSegment(chunk);
    if (segment?.kind === 'initialisation') this.timescale = segment.segment.timescale;
    else this.first = segment?.fragment.decodeTime ?? null;
  }

  get lengthMs(): number | null {
    if (this.timescale === null || this.first === null) return null;
    const segment = firstSegment(this.newest);
    if (segment?.kind !== 'fragment') return null;
    return ((segment.fragment.decodeTime - this.first) / this.timescale) * 1000;
  }
}

class SealedWriter implements RunWriter {
  private last: Promise<void> = Promise.resolve();
  private sizeBytes = MAGIC.byteLength;
  private chunks = 0;
  private syncedAt = performance.now();
  private readonly clock = new RunClock();
  /** Why an append failed. Pictures after a missing one cannot be decoded: nothing more is taken then. */
  private failed: { readonly error: unknown } | null = null;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly seal: Seal,
    private readonly quota: RunQuota | null,
    private readonly onSynced: RunSynced,
  ) {}

  append(bytes: Uint8Array): Promise<void> {
    const written = this.last.then(() => this.write(bytes));
    this.last = written.catch((error: unknown) => {
      this.failed ??= { error };
    });
    return written.catch((error: unknown) => {
      throw spoolError(error, this.path);
    });
  }

  private async write(bytes: Uint8Array): Promise<void> {
    if (this.failed !== null) throw this.failed.error;
    const sealed = this.seal.close(this.chunks, bytes);
    const chunk = Buffer.allocUnsafe(LENGTH_BYTES + sealed.byteLength);
    chunk.writeUInt32BE(sealed.byteLength);
    sealed.copy(chunk, LENGTH_BYTES);
    await this.quota?.reserve(chunk.byteLength);
    try {
      await this.writeChunk(chunk);
    } catch (error) {
      // What came of it is cut off when the file is closed.
      this.quota?.adjust(-chunk.byteLength);
      throw error;
    }
    this.sizeBytes += chunk.byteLength;
    this.chunks += 1;
    this.clock.wrote(bytes);
    if (performance.now() - this.syncedAt < SYNC_INTERVAL_MS) return;
    await this.file.datasync();
    this.syncedAt = performance.now();
    this.onSynced(this.chunks, this.clock.lengthMs);
  }

  private async writeChunk(chunk: Buffer): Promise<void> {
    let done = 0;
    while (done < chunk.byteLength) {
      const at = this.sizeBytes + done;
      done += (await this.file.write(chunk, done, chunk.byteLength - done, at)).bytesWritten;
    }
  }

  async close(): Promise<number> {
    await this.last;
    try {
      await this.file.truncate(this.sizeBytes);
      await this.file.sync();
      this.onSynced(this.chunks, this.clock.lengthMs);
    } catch (error) {
      throw spoolError(error, this.path);
    } finally {
      await this.file.close();
    }
    return this.sizeBytes;
  }
}

class SealedReader implements RunReader {
  /** Where the next whole chunk begins, and which one it is. */
  private at = 0;
  private index = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    readonly sizeBytes: number,
    private readonly seal: Seal,
  ) {}

  get chunks(): number {
    return this.index;
  }

  async next(): Promise<Buffer | null> {
    if (this.at === 0) {
      const magic = await this.read(0, MAGIC.byteLength);
      // A file that a crash cut off before its first chunk.
      if (magic.byteLength < MAGIC.byteLength) return null;
      if (!magic.equals(MAGIC)) throw this.damaged('does not begin as a run file does');
      this.at = MAGIC.byteLength;
    }
    for (let wanted = READ_BYTES; ; wanted *= 2) {
      const bytes = await this.read(this.at, wanted);
      const { opened, used, isDamaged } = this.openChunks(bytes, this.index);
      this.at += used;
      this.index += opened.length;
      // What comes before a damaged chunk is whole.
      if (opened.length > 0) return Buffer.concat(opened);
      if (isDamaged) throw this.damaged(`was changed in chunk ${this.index}`);
      if (bytes.byteLength < wanted) return null;
    }
  }

  async *contents(): AsyncGenerator<Uint8Array> {
    for (let bytes = await this.next(); bytes !== null; bytes = await this.next()) yield bytes;
  }

  /** The whole chunks at the beginning of the bytes, up to the first that does not open. */
  private openChunks(bytes: Buffer, first: number): { opened: Buffer[]; used: number; isDamaged: boolean } {
    const opened: Buffer[] = [];
    let used = 0;
    while (bytes.byteLength - used >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(used);
      if (length < SEAL_BYTES || length > MAX_CHUNK_BYTES) return { opened, used, isDamaged: true };
      const end = used + LENGTH_BYTES + length;
      if (bytes.byteLength < end) break;
      const plain = this.seal.open(first + opened.length, bytes.subarray(used + LENGTH_BYTES, end));
      if (plain === null) return { opened, used, isDamaged: true };
      opened.push(plain);
      used = end;
    }
    return { opened, used, isDamaged: false };
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.file
        .read(bytes, done, length - done, position + done)
        .catch((error: unknown) => {
          throw spoolError(error, this.path);
        });
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  private damaged(what: string): DamagedRunFile {
    return new DamagedRunFile(
      `${this.path} ${what}: the disk is faulty, or somebody has written to it. It is left as it is.`,
    );
  }
}

/** How much of a run is left: up to what a crash, a power cut or damage has put behind it. A file that is gone is empty. */
export async function lengthOf(
  path: string,
  dataKey: Buffer,
): Promise<{ chunks: number; frames: number; lengthMs: number | null; sizeBytes: number }> {
  const left = { chunks: 0, frames: 0, lengthMs: null, sizeBytes: 0 };
  let reader: RunReader;
  try {
    reader = await openRunFile(path, dataKey);
  } catch (error) {
    if (error instanceof DamagedRunFile) return left;
    throw error;
  }
  const splitter = new FragmentSplitter();
  let timescale = 1;
  let first: number | null = null;
  let last = 0;
  let frames = 0;
  try {
    for await (const bytes of reader.contents()) {
      for (const part of splitter.push(bytes)) {
        if (part.kind === 'initialisation') {
          timescale = part.segment.timescale;
        } else {
          frames += 1;
          last = part.fragment.decodeTime;
          first ??= last;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedRunFile)) throw error;
  } finally {
    await reader.close();
  }
  const lengthMs = first === null ? null : ((last - first) / timescale) * 1000;
  return { chunks: reader.chunks, frames, lengthMs, sizeBytes: reader.sizeBytes };
}
