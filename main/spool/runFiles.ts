// Run files: the spool's pictures. Plain for now; everything else sees only these two interfaces, so that the bytes
// on the disk can become encrypted chunks without anybody noticing. Whole fragments go in; a file that was cut off
// by a crash is read up to wherever it ends.

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { spoolError } from './journal.ts';

/** How much may be lost when the power goes. */
const SYNC_INTERVAL_MS = 1000;

export interface RunWriter {
  /** Resolves when the bytes are in the file (not yet on the platter; see SYNC_INTERVAL_MS). */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves with the file's size in bytes when everything is on the disk. */
  close(): Promise<number>;
}

export interface RunReader {
  readonly sizeBytes: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface RunFiles {
  /** @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  create(path: string): Promise<RunWriter>;
  /** A view of the file as it is now: what is appended later is not seen. */
  open(path: string): Promise<RunReader>;
}

export const plainRunFiles: RunFiles = {
  async create(path) {
    try {
      return new PlainWriter(await open(path, 'wx', 0o600), path);
    } catch (error) {
      throw spoolError(error, path);
    }
  },
  async open(path) {
    try {
      const file = await open(path, 'r');
      return new PlainReader(file, (await file.stat()).size);
    } catch (error) {
      throw spoolError(error, path);
    }
  },
};

class PlainWriter implements RunWriter {
  private last: Promise<void> = Promise.resolve();
  private sizeBytes = 0;
  private syncedAt = performance.now();

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {}

  append(bytes: Uint8Array): Promise<void> {
    // Written at the place where the last good append ended, so that a failed one leaves no hole.
    const written = this.last.then(() => this.write(bytes));
    this.last = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      throw spoolError(error, this.path);
    });
  }

  private async write(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesWritten } = await this.file.write(
        bytes,
        done,
        bytes.byteLength - done,
        this.sizeBytes + done,
      );
      done += bytesWritten;
    }
    this.sizeBytes += done;
    if (performance.now() - this.syncedAt < SYNC_INTERVAL_MS) return;
    await this.file.datasync();
    this.syncedAt = performance.now();
  }

  async close(): Promise<number> {
    await this.last;
    try {
      await this.file.truncate(this.sizeBytes);
      await this.file.sync();
    } catch (error) {
      throw spoolError(error, this.path);
    } finally {
      await this.file.close();
    }
    return this.sizeBytes;
  }
}

class PlainReader implements RunReader {
  constructor(
    private readonly file: FileHandle,
    readonly sizeBytes: number,
  ) {}

  async read(start: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, this.sizeBytes) - start));
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesRead } = await this.file.read(bytes, done, bytes.byteLength - done, start + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
