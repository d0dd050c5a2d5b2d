// The folder sink: a local folder or a mounted share. The MP4 grows under a hidden name in its final folder, is read
// back and compared, and only then gets its name; nobody ever sees half a file under a recording's name.

import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errno } from '../shared/errors.ts';
import { renameOver, syncFolder, writeFileAtomically } from '../platform/atomicFile.ts';
import { groupOf, openToGroup } from '../platform/privateFiles.ts';
import { FolderAnswers } from './folderAnswers.ts';
import type { Mp4Head } from './mp4Head.ts';
import type { Sink, SinkObject, SinkOrder, SinkReceipt } from './sink.ts';
import { longerKey, manifestKey } from './sink.ts';
import { SinkIdentity } from './sinkIdentity.ts';

const READ_BYTES = 1024 * 1024;
/** Of eight hours with a gap every few seconds it has two. What is larger is no manifest of ours. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const ANSWER_WITHIN_MS = 60_000;
/** For a whole file to reach the disk of a share. */
const SYNC_TIMES = 10;
/** Where S3's memory has the id of an upload. */
const IN_FOLDER = 'folder';

export interface FolderSinkOptions {
  /** Where it is kept which sink the folder is; null: any folder is taken. */
  readonly dataDir: string | null;
  /** How long one request to the file system may take. */
  readonly answerWithinMs?: number;
}

export class FolderSink implements Sink {
  readonly takesLive = false;
  private readonly identity: SinkIdentity | null;
  private readonly answers: FolderAnswers;

  constructor(
    private readonly root: string,
    { dataDir, answerWithinMs = ANSWER_WITHIN_MS }: FolderSinkOptions = { dataDir: null },
  ) {
    this.identity = dataDir === null ? null : new SinkIdentity(root, dataDir);
    this.answers = new FolderAnswers(root, answerWithinMs);
  }

  async begin(order: SinkOrder): Promise<SinkObject> {
    await this.answers.within(() => this.requireSink());
    const key = await this.answers.within(() => this.freeKey(order));
    await this.remember(order, key);
    const path = join(this.root, key);
    const partial = temporaryOf(path, order);
    const make = async (): Promise<FileHandle> => {
      const { ofFolders } = await groupOf(this.root);
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await openToGroup(dirname(path), made, ofFolders);
      await rm(partial, { force: true });
      return open(partial, 'wx+', 0o600);
    };
    const file = await this.answers.within(make, 1, (made) => made.close());
    const object = new FolderObject(key, path, this.root, partial, file, this.answers, order.moved);
    try {
      // The share may have gone away in between.
      await this.answers.within(() => this.requireSink());
      return object;
    } catch (error) {
      await object.abort();
      throw error;
    }
  }

  async putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void> {
    const path = join(this.root, manifestKey(videoKey));
    await this.answers.within(() => this.requireSink());
    await this.answers.within(async () => {
      const { ofFiles } = await groupOf(this.root);
      await writeFileAtomically(path, text, ofFiles, { temporary: temporaryOf(path, order) });
    });
  }

  /** A recursive mkdir reports a read-only file system as ENOENT; asking first keeps the true reason. */
  private async requireSink(): Promise<void> {
    await this.identity?.require();
    try {
      await access(this.root, constants.W_OK);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error; // made on demand
    }
  }

  /**
   * Half-written files have the recording's id in their names: the next try, in whatever process, writes over them. Where it
   * goes somewhere else they are removed here. Nobody else's are touched.
   */
  private async remember({ memory, recordingId }: SinkOrder, key: string): Promise<void> {
    const { kept } = memory;
    const isInFolder = kept?.uploadId === IN_FOLDER;
    if (isInFolder && kept.bucket === this.root && kept.key === key) return;
    if (isInFolder) {
      const before = join(kept.bucket, kept.key);
      const names = [before, manifestKey(before)].map((path) => temporaryOf(path, { recordingId }));
      await new FolderAnswers(kept.bucket, ANSWER_WITHIN_MS).soon(() =>
        Promise.all(names.map((name) => rm(name, { force: true }))),
      );
    }
    // A journal that takes nothing more (its disk is full) must not keep the recording from making room.
    await memory.keep({ bucket: this.root, key, uploadId: IN_FOLDER }).catch(() => undefined);
  }

  private async freeKey(order: SinkOrder): Promise<string> {
    const path = join(this.root, manifestKey(order.key));
    try {
      const { size } = await stat(path);
      if (size > MAX_MANIFEST_BYTES) return longerKey(order);
      const manifest = await readFile(path, 'utf8');
      return isManifestOf(manifest, order.recordingId) ? order.key : longerKey(order);
    } catch (error) {
      if (errno(error) === 'ENOENT') return order.key;
      throw error;
    }
  }
}

/** Hidden, beside the file that it becomes, and told by its name from everybody else's. */
function temporaryOf(path: string, { recordingId }: Pick<SinkOrder, 'recordingId'>): string {
  return join(dirname(path), `.${basename(path)}.${recordingId}.part`);
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
    private readonly root: string,
    private readonly partial: string,
    private readonly file: FileHandle,
    private readonly answers: FolderAnswers,
    private readonly moved: SinkOrder['moved'],
  ) {}

  async write(position: number, data: Uint8Array): Promise<void> {
    let done = 0;
    while (done < data.byteLength) {
      const { bytesWritten } = await this.answers.within(() =>
        this.file.write(data, done, data.byteLength - done, position + done),
      );
      done += bytesWritten;
    }
    const sha256 = createHash('sha256').update(data).digest('hex');
    this.moved?.(data.byteLength);
    this.written.push({ start: position, end: position + data.byteLength, sha256 });
  }

  async finish(head: Mp4Head): Promise<SinkReceipt> {
    await this.write(0, head.padded());
    await this.answers.within(() => this.file.sync(), SYNC_TIMES);
    for (const range of this.written) await this.check(range);
    const sizeBytes = (await this.answers.within(() => this.file.stat())).size;
    const sha256 = await this.hash(0, sizeBytes);
    await this.answers.within(async () => {
      const { ofFiles } = await groupOf(this.root);
      if (process.platform !== 'win32') await this.file.chmod(ofFiles);
      await this.file.close();
      await renameOver(this.partial, this.path);
      await syncFolder(dirname(this.path));
    }, SYNC_TIMES);
    return { key: this.key, location: pathToFileURL(this.path).href, sizeBytes, digest: { sha256 } };
  }

  private async check(range: WrittenRange): Promise<void> {
    if ((await this.hash(range.start, range.end)) === range.sha256) return;
    throw new Error(`${this.partial} does not hold what was written to it; the disk or the share is faulty`);
  }

  async abort(): Promise<void> {
    await this.answers.soon(async () => {
      await this.file.close();
      await rm(this.partial, { force: true });
    });
  }

  private async hash(start: number, end: number): Promise<string> {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(Math.min(READ_BYTES, end - start));
    for (let at = start; at < end;) {
      const { bytesRead } = await this.answers.within(() =>
        this.file.read(buffer, 0, Math.min(buffer.byteLength, end - at), at),
      );
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return hash.digest('hex');
  }
}
