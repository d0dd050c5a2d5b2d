// The folder sink: a local folder or a mounted share. The MP4 is written under a hidden name in its final folder, read back
// and compared, and renamed only then: no half-written file ever has a recording's name.

import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Moov } from '../media/moov.ts';
import { renameOver, syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import { groupOf, openToGroup } from '../platform/privateFiles.ts';
import { errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';
import { MAX_MANIFEST_BYTES } from '../shared/manifest.ts';
import { FolderRequests } from './folderRequests.ts';
import type { Sink, SinkObject, SinkOrder, SinkReceipt } from './sink.ts';
import { longerKey, manifestKey } from './sink.ts';
import { SinkIdentity } from './sinkIdentity.ts';

const READ_BYTES = 1024 * 1024;
/** Written to the disk during the contact, so that little is left for its end. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;
const ANSWER_WITHIN_MS = 60_000;
/** For a whole file to reach the disk of a share. */
const SYNC_TIMES = 10;
/** In place of the upload's id in S3's resume state. */
const IN_FOLDER = 'folder';

export interface FolderSinkOptions {
  /** Stores the identity of each sink folder; null: any folder is accepted. */
  readonly dataDir: string | null;
  /** Deadline of one file system request. */
  readonly answerWithinMs?: number;
}

export class FolderSink implements Sink {
  readonly takesLive = true;
  private readonly identity: SinkIdentity | null;
  private readonly requests: FolderRequests;

  constructor(
    private readonly root: string,
    { dataDir, answerWithinMs = ANSWER_WITHIN_MS }: FolderSinkOptions = { dataDir: null },
  ) {
    this.identity = dataDir === null ? null : new SinkIdentity(root, dataDir);
    this.requests = new FolderRequests(root, answerWithinMs);
  }

  async begin(order: SinkOrder): Promise<SinkObject> {
    const { root, requests } = this;
    await requests.within(() => this.requireSink());
    const key = await requests.within(() => this.freeKey(order));
    await this.remember(order, key);
    const path = join(root, key);
    const partial = temporaryOf(path, order);
    const create = async (): Promise<FileHandle> => {
      const { ofFolders } = await groupOf(root);
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await openToGroup(dirname(path), made, ofFolders);
      await rm(partial, { force: true });
      return open(partial, 'wx+', 0o600);
    };
    const file = await requests.within(create, 1, (made) => made.close());
    const object = new FolderObject(root, key, partial, file, requests, order);
    try {
      // The share may have been unmounted in between.
      await requests.within(() => this.requireSink());
      return object;
    } catch (error) {
      await object.abort();
      throw error;
    }
  }

  async putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void> {
    const path = join(this.root, manifestKey(videoKey));
    await this.requests.within(() => this.requireSink());
    await this.requests.within(async () => {
      const { ofFiles } = await groupOf(this.root);
      await writeFileAtomically(path, text, ofFiles, { temporary: temporaryOf(path, order) });
    });
  }

  async remove(_order: SinkOrder, videoKey: string): Promise<void> {
    await this.requests.within(() => this.requireSink());
    for (const key of [manifestKey(videoKey), videoKey])
      await this.requests.within(() => rm(join(this.root, key)));
  }

  /** A recursive mkdir reports a read-only file system as ENOENT; access() reports the true reason. */
  private async requireSink(): Promise<void> {
    await this.identity?.require();
    try {
      await access(this.root, constants.W_OK);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error; // created on demand
    }
  }

  /**
   * Half-written files have the recording's id in their names: the next attempt, in any process, overwrites them. If it goes
   * to another folder they are removed here. Files of other recordings are never touched.
   */
  private async remember({ resume, recordingId }: SinkOrder, key: string): Promise<void> {
    const { saved } = resume;
    const wasInFolder = saved?.uploadId === IN_FOLDER;
    if (wasInFolder && saved.bucket === this.root && saved.key === key) return;
    if (wasInFolder) {
      const before = join(saved.bucket, saved.key);
      const names = [before, manifestKey(before)].map((path) => temporaryOf(path, { recordingId }));
      await new FolderRequests(saved.bucket, ANSWER_WITHIN_MS).cleanUp(() =>
        Promise.all(names.map((name) => rm(name, { force: true }))),
      );
    }
    // A journal on a full disk must not prevent the upload that would free space.
    await resume.save({ bucket: this.root, key, uploadId: IN_FOLDER }).catch(() => undefined);
  }

  /** A file at the manifest's name that is not of this recording stays. */
  private async freeKey(order: SinkOrder): Promise<string> {
    const path = join(this.root, manifestKey(order.key));
    try {
      const { size } = await stat(path);
      if (size > MAX_MANIFEST_BYTES) return longerKey(order);
      const manifest = parseJsonObject(await readFile(path, 'utf8'));
      return manifest?.['recordingId'] === order.recordingId ? order.key : longerKey(order);
    } catch (error) {
      if (errno(error) === 'ENOENT') return order.key;
      throw error;
    }
  }
}

/** Hidden, beside the final file, and unique to the recording. */
function temporaryOf(path: string, { recordingId }: Pick<SinkOrder, 'recordingId'>): string {
  return join(dirname(path), `.${basename(path)}.${recordingId}.part`);
}

interface WrittenRange {
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
}

class FolderObject implements SinkObject {
  private readonly written: WrittenRange[] = [];
  private readonly path: string;
  private unsyncedBytes = 0;

  constructor(
    private readonly root: string,
    private readonly key: string,
    private readonly partial: string,
    private readonly file: FileHandle,
    private readonly requests: FolderRequests,
    private readonly order: SinkOrder,
  ) {
    this.path = join(root, key);
  }

  async write(position: number, data: Uint8Array): Promise<void> {
    const { file, requests, order } = this;
    let done = 0;
    while (done < data.byteLength) {
      const { bytesWritten } = await requests.within(() =>
        file.write(data, done, data.byteLength - done, position + done),
      );
      done += bytesWritten;
    }
    const sha256 = createHash('sha256').update(data).digest('hex');
    order.onSent?.(data.byteLength);
    this.written.push({ start: position, end: position + data.byteLength, sha256 });
    this.unsyncedBytes += data.byteLength;
    if (this.unsyncedBytes < SYNC_EVERY_BYTES) return;
    await requests.within(() => file.datasync(), SYNC_TIMES);
    this.unsyncedBytes = 0;
  }

  async finish(moov: Moov): Promise<SinkReceipt> {
    const { key, path, root, partial, file, requests } = this;
    await this.write(0, moov.padded());
    await requests.within(() => file.sync(), SYNC_TIMES);
    const sizeBytes = (await requests.within(() => file.stat())).size;
    const sha256 = await this.verify(sizeBytes);
    await requests.within(async () => {
      const { ofFiles } = await groupOf(root);
      if (process.platform !== 'win32') await file.chmod(ofFiles);
      await file.close();
      await renameOver(partial, path);
      await syncFolder(dirname(path));
    }, SYNC_TIMES);
    return { key, location: pathToFileURL(path).href, sizeBytes, digest: { sha256 } };
  }

  async abort(): Promise<void> {
    const { file, partial, requests } = this;
    await requests.cleanUp(async () => {
      await file.close();
      await rm(partial, { force: true });
    });
  }

  /** Reads everything back once and compares each range with what was written. @returns the SHA-256 of the whole file */
  private async verify(sizeBytes: number): Promise<string> {
    const { file, requests, order } = this;
    const whole = createHash('sha256');
    const buffer = Buffer.alloc(READ_BYTES);
    let at = 0;
    const inOrder = [...this.written].sort((one, other) => one.start - other.start || one.end - other.end);
    for (const { start, end, sha256 } of inOrder) {
      if (start !== at) throw this.damaged();
      const range = createHash('sha256');
      while (at < end) {
        const { bytesRead } = await requests.within(() =>
          file.read(buffer, 0, Math.min(buffer.byteLength, end - at), at),
        );
        if (bytesRead === 0) throw this.damaged();
        const read = buffer.subarray(0, bytesRead);
        range.update(read);
        whole.update(read);
        at += bytesRead;
        order.onVerified?.(bytesRead);
      }
      if (range.digest('hex') !== sha256) throw this.damaged();
    }
    if (at !== sizeBytes) throw this.damaged();
    return whole.digest('hex');
  }

  private damaged(): Error {
    return new Error(
      `${this.partial} does not contain what was written to it; the disk or the share is faulty`,
    );
  }
}
