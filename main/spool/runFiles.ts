// Run files: the spool's frames, encrypted as they arrive. A file is eight bytes of magic and then chunks, each the
// length of what follows (32 bits, big endian) and a sealed piece. Whole fragments go in, one chunk each; a file that was
// truncated by a crash is read up to its last whole chunk, one that was changed up to there. Nothing plain is ever written.

import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { SightlineError, errno } from '../shared/errors.ts';
import { FragmentSplitter, firstSegment } from '../media/fragments.ts';
import { spoolError } from './journal.ts';
import type { SpoolQuota } from './quota.ts';
import { AppendFile, SEAL_BYTES, Seal } from './seal.ts';

export const RUN_FILE_EXTENSION = 'run';
const MAGIC = Buffer.from('SLRUN1\r\n');
const LENGTH_BYTES = 4;
/** How much may be lost in a power cut. */
const SYNC_INTERVAL_MS = 500;
/** A chunk is a fragment of one frame; a greater length is damage. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/** The quota that a run counts towards. */
type RunQuota = Pick<SpoolQuota, 'reserve' | 'adjust'>;

/** Some of what was written is not there as it was written, and will not be. */
export class DamagedRunFile extends SightlineError {
  constructor(message: string, cause?: unknown) {
    super('SPOOL_UNREADABLE', message, { cause });
  }
}

/** Called after each sync. @param lengthMs from the first frame to the newest; null: there is none */
type RunSynced = (chunks: number, lengthMs: number | null) => void;

/** @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
export async function createRunFile(
  path: string,
  dataKey: Buffer,
  quota: RunQuota | null = null,
  onSynced: RunSynced = () => undefined,
): Promise<RunWriter> {
  try {
    const handle = await open(path, 'wx', 0o600);
    const file = new AppendFile(handle, 0);
    try {
      await file.append(MAGIC);
    } catch (error) {
      // On a full disk this is retried every few seconds.
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
    quota?.adjust(MAGIC.byteLength);
    return new RunWriter(file, path, new Seal(dataKey, 'run', basename(path)), quota, onSynced);
  } catch (error) {
    throw spoolError(error, path);
  }
}

/** @throws DamagedRunFile when it was deleted; SightlineError SPOOL_UNREADABLE */
export async function openRunFile(path: string, dataKey: Buffer): Promise<RunReader> {
  try {
    const file = await open(path, 'r');
    return new RunReader(file, path, (await file.stat()).size, new Seal(dataKey, 'run', basename(path)));
  } catch (error) {
    if (errno(error) === 'ENOENT')
      throw new DamagedRunFile(`${path} does not exist: another program deleted it.`, error);
    throw spoolError(error, path);
  }
}

/** The length of a run by its frames' own times. Parses only the chunks that it must. */
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

export class RunWriter {
  private last: Promise<void> = Promise.resolve();
  private chunks = 0;
  private syncedAt = performance.now();
  private readonly clock = new RunClock();
  /** Why an append failed. Frames after a missing one cannot be decoded: nothing more is accepted then. */
  private failed: { readonly error: unknown } | null = null;

  constructor(
    private readonly file: AppendFile,
    private readonly path: string,
    private readonly seal: Seal,
    private readonly quota: RunQuota | null,
    private readonly onSynced: RunSynced,
  ) {}

  /** Resolves when the bytes are in the file (not yet on the platter; see SYNC_INTERVAL_MS). */
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
      await this.file.append(chunk);
    } catch (error) {
      this.quota?.adjust(-chunk.byteLength);
      throw error;
    }
    this.chunks += 1;
    this.clock.wrote(bytes);
    if (performance.now() - this.syncedAt < SYNC_INTERVAL_MS) return;
    await this.file.handle.datasync();
    this.syncedAt = performance.now();
    this.onSynced(this.chunks, this.clock.lengthMs);
  }

  /** Resolves with the file's size in bytes when everything is on the disk. */
  async close(): Promise<number> {
    await this.last;
    const { handle, sizeBytes } = this.file;
    try {
      await handle.truncate(sizeBytes);
      await handle.sync();
      this.onSynced(this.chunks, this.clock.lengthMs);
    } catch (error) {
      throw spoolError(error, this.path);
    } finally {
      await handle.close();
    }
    return sizeBytes;
  }
}

/** Reads a run file from its beginning, also while it is being written. */
export class RunReader {
  /** Where the next whole chunk begins, and its index. */
  private at = 0;
  private index = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    /** Of the file as it was when it was opened. */
    readonly sizeBytes: number,
    private readonly seal: Seal,
  ) {}

  /** How many have been read. */
  get chunks(): number {
    return this.index;
  }

  /**
   * The next bytes of what was appended, about a megabyte; null when there is no more of it for now. A chunk that is
   * truncated at the end is left out.
   * @throws DamagedRunFile at the first chunk that was changed; SightlineError SPOOL_UNREADABLE when the disk does not read
   */
  async next(): Promise<Buffer | null> {
    if (this.at === 0) {
      const magic = await this.read(0, MAGIC.byteLength);
      // A crash truncated the file before its first chunk.
      if (magic.byteLength < MAGIC.byteLength) return null;
      if (!magic.equals(MAGIC)) throw this.damaged('does not begin as a run file does');
      this.at = MAGIC.byteLength;
    }
    for (let wanted = READ_BYTES; ; wanted *= 2) {
      const bytes = await this.read(this.at, wanted);
      const { opened, isDamaged } = this.openChunks(bytes);
      // What comes before a damaged chunk is whole.
      if (opened.length > 0) return Buffer.concat(opened);
      if (isDamaged) throw this.damaged(`was changed in chunk ${this.index}`);
      if (bytes.byteLength < wanted) return null;
    }
  }

  /** All that is left. */
  async *contents(): AsyncGenerator<Uint8Array> {
    for (let bytes = await this.next(); bytes !== null; bytes = await this.next()) yield bytes;
  }

  /** Opens the whole chunks at the beginning of the bytes, up to the first that is damaged. */
  private openChunks(bytes: Buffer): { opened: Buffer[]; isDamaged: boolean } {
    const opened: Buffer[] = [];
    for (let at = 0; bytes.byteLength - at >= LENGTH_BYTES;) {
      const length = bytes.readUInt32BE(at);
      if (length < SEAL_BYTES || length > MAX_CHUNK_BYTES) return { opened, isDamaged: true };
      const end = at + LENGTH_BYTES + length;
      if (bytes.byteLength < end) break;
      const plain = this.seal.open(this.index, bytes.subarray(at + LENGTH_BYTES, end));
      if (plain === null) return { opened, isDamaged: true };
      opened.push(plain);
      this.index += 1;
      this.at += end - at;
      at = end;
    }
    return { opened, isDamaged: false };
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
      `${this.path} ${what}: the disk is faulty, or another program has written to it. It is kept unchanged.`,
    );
  }
}

/** How much of a run is left: up to what a crash, a power cut or damage has put after it. A deleted file counts as empty. */
export async function lengthOf(
  path: string,
  dataKey: Buffer,
): Promise<{ chunks: number; frames: number; lengthMs: number | null; sizeBytes: number }> {
  let reader: RunReader | undefined;
  const splitter = new FragmentSplitter();
  let timescale = 1;
  let first: number | null = null;
  let last = 0;
  let frames = 0;
  try {
    reader = await openRunFile(path, dataKey);
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
    await reader?.close();
  }
  const lengthMs = first === null ? null : ((last - first) / timescale) * 1000;
  return { chunks: reader?.chunks ?? 0, frames, lengthMs, sizeBytes: reader?.sizeBytes ?? 0 };
}
