// Writes one zip entry by entry: to a temporary file beside the target, readable by its owner only, renamed when complete. A
// failure leaves no file behind.

import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { renameOver, syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';

export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string;
  /** Read one entry after the other. Must not throw. */
  readonly contents: () => AsyncIterable<string>;
}

/**
 * @returns its size in bytes
 * @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN
 */
export async function writeZip(path: string, entries: readonly ZipEntry[], mtime: Date): Promise<number> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    if ((await stat(path).catch(() => null))?.isDirectory() === true) throw new Error('it is a folder');
    const file = await open(temporary, 'wx', 0o600);
    try {
      await writeEntries(file, entries, mtime);
      await file.sync();
      const { size } = await file.stat();
      await file.close();
      await renameOver(temporary, path);
      await syncFolder(dirname(path));
      return size;
    } finally {
      await file.close().catch(() => undefined);
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw zipError(path, error);
  }
}

async function writeEntries(file: FileHandle, entries: readonly ZipEntry[], mtime: Date): Promise<void> {
  const { ZipFile } = await import('yazl');
  const zip = new ZipFile();
  const failed = new Promise<never>((_, reject) => zip.on('error', reject));
  failed.catch(() => undefined); // it may follow an error of the disk
  for (const { name, contents } of entries) {
    zip.addReadStreamLazy(name, { mtime, mode: 0o100600 }, (give) =>
      give(null, Readable.from(contents(), { objectMode: false })),
    );
  }
  zip.end();
  const written = (async () => {
    for await (const bytes of zip.outputStream) await file.writeFile(bytes);
  })();
  await Promise.race([written, failed]);
}

function zipError(path: string, error: unknown): SightlineError {
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const what = `The disk is full: ${path} could not be written. Free some space, or name a file on another disk with --out.`;
    return new SightlineError('DISK_FULL', what, { cause: error });
  }
  const what = `The diagnostics could not be written to ${path}: ${errorMessage(error)}. Name a file in an existing folder that this user may write to.`;
  return new SightlineError('BUNDLE_NOT_WRITTEN', what, { cause: error });
}
