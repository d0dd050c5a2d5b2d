// The folder sink: a local folder or a mounted share. The MP4 grows under a hidden name in its final folder, is read
// back and compared, and only then gets its name; nobody ever sees half a file under a recording's name.

import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errno } from '../shared/errors.ts';
import { renameOver, syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import { groupOf, openToGroup } from '../platform/privateFiles.ts';
import type { Mp4Head } from './mp4Head.ts';
import type { Sink, SinkObject, SinkOrder, SinkReceipt } from './sink.ts';
import { longerKey, manifestKey } from './sink.ts';

const READ_BYTES = 1024 * 1024;

export class FolderSink implements Sink {
  readonly takesLive = false;

  constructor(private readonly root: string) {}

  async begin(order: SinkOrder): Promise<SinkObject> {
    const freeKey = await this.freeKey(order);
    const path = join(this.root, freeKey);
    await this.requireWritable();
    const { ofFiles, ofFolders } = await groupOf(this.root);
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await openToGroup(dirname(path), made, ofFolders);
    const partial = join(dirname(path), `.${basename(path)}.${order.recordingId}.part`);
    const file = await open(partial, 'w+', 0o600);
    return new FolderObject(freeKey, path, partial, file, ofFiles, order.moved);
  }

  async putManifest(_: SinkOrder, videoKey: string, text: string): Promise<void> {
    const { ofFiles } = await groupOf(this.root);
    await writeFileAtomically(join(this.root, manifestKey(videoKey)), text, ofFiles);
  }

  /** A recursive mkdir reports a read-only file system as ENOENT; asking first keeps the true reason. */
  private async requireWritable(): Promise<void> {
    try {
      await access(this.root, constants.W_OK);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error; // made on demand
    }
  }

  private async freeKey(order: SinkOrder): Promise<string> {
    try {
      const manifest = await readFile(join(this.root, manifestKey(order.key)), 'utf8');
      return isManifestOf(manifest, order.recordingId) ? order.key : longerKey(order);
    } catch (error) {
      if (errno(error) === 'ENOENT') return order.key;
      throw error;
    }
  }
}

/** Whatever else lies at a manifest's name is somebody else's, and is left alone. */
function isManifestOf(text: string, recordingId: string): boolean {
  try {
    const manifest: unknown = JSON.parse(text);
    return (
      typeof manifest === 'object' &&
      manifest !== null &&
      'recordingId' in manifest &&
      manifest.recordingId === recordingId
    );
  } catch {
    return false;
  }
}

interface WrittenRange {
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
}

class FolderObject implements SinkObject {
  /** What was written where, so that the file can be compared with it. */
  private readonly written: WrittenRange[] = [];

  constructor(
    private readonly key: string,
    private readonly path: string,
    private readonly partial: string,
    private readonly file: FileHandle,
    private readonly mode: number,
    private readonly moved: SinkOrder['moved'],
  ) {}

  async write(position: number, data: Uint8Array): Promise<void> {
    let done = 0;
    while (done < data.byteLength) {
      const { bytesWritten } = await this.file.write(data, done, data.byteLength - done, position + done);
      done += bytesWritten;
    }
    const sha256 = createHash('sha256').update(data).digest('hex');
    this.moved?.(data.byteLength);
    this.written.push({ start: position, end: position + data.byteLength, sha256 });
  }

  async finish(head: Mp4Head): Promise<SinkReceipt> {
    await this.write(0, head.padded());
    await this.file.sync();
    for (const range of this.written) await this.check(range);
    const sizeBytes = (await this.file.stat()).size;
    const sha256 = await this.hash(0, sizeBytes);
    if (process.platform !== 'win32') await this.file.chmod(this.mode);
    await this.file.close();
    await renameOver(this.partial, this.path);
    await syncFolder(dirname(this.path));
    return { key: this.key, location: pathToFileURL(this.path).href, sizeBytes, digest: { sha256 } };
  }

  private async check(range: WrittenRange): Promise<void> {
    if ((await this.hash(range.start, range.end)) === range.sha256) return;
    throw new Error(`${this.partial} does not hold what was written to it; the disk or the share is faulty`);
  }

  async abort(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await rm(this.partial, { force: true }).catch(() => undefined);
  }

  private async hash(start: number, end: number): Promise<string> {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(Math.min(READ_BYTES, end - start));
    for (let at = start; at < end;) {
      const { bytesRead } = await this.file.read(buffer, 0, Math.min(buffer.byteLength, end - at), at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest('hex');
  }
}
