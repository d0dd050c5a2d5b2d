// A folder with recordings, on this computer or on a share: what Sightline's folder sink writes. Nothing outside of it is read:
// symbolic links in it are not followed, and a file is opened only where its real path is the one that was listed. A share may
// stop answering, so every request has a deadline.

import { constants, type BigIntStats, type Stats } from 'node:fs';
import { open, opendir, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { withDeadline } from '../../../main/platform/deadline.ts';
import { errno } from '../../../main/shared/errors.ts';
import { ReviewFailure } from '../failure.ts';
import { nameKind } from './names.ts';
import type { ReviewFile } from './ports.ts';
import {
  changed,
  MAX_FOUND,
  MAX_NAMES,
  tooManyNames,
  type FileSource,
  type Listed,
  type ListedManifest,
} from './source.ts';

const ANSWER_WITHIN_MS = 30_000;
const MAX_DEPTH = 32;
const FOLDERS_AT_A_TIME = 4;
const STATS_AT_A_TIME = 64;
const READ_BYTES = 256 * 1024;
/** Not a link's target, and not the other end of a pipe, which would never come. Windows has neither flag. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants>;
const READ_ONLY = (O_RDONLY ?? 0) | O_NOFOLLOW | O_NONBLOCK;
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO']);

export class FolderSource implements FileSource {
  /** Its own links are followed once: it is what the user named. */
  private root: string | null = null;

  constructor(
    private readonly folder: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {}

  async *list(signal: AbortSignal): AsyncGenerator<Listed> {
    const root = await this.realRoot();
    let waiting = [{ folder: '', depth: 0 }];
    let names = 0;
    while (waiting.length > 0) {
      const now = waiting.slice(0, FOLDERS_AT_A_TIME);
      waiting = waiting.slice(FOLDERS_AT_A_TIME);
      const found = await Promise.all(now.map(({ folder }) => this.listFolder(root, folder, signal)));
      for (const [index, { folders, listed }] of found.entries()) {
        const depth = (now[index]?.depth ?? 0) + 1;
        if (depth <= MAX_DEPTH) for (const folder of folders) waiting.push({ folder, depth });
        names += listed.manifests.length + listed.videos.length;
        if (names + waiting.length > MAX_NAMES) throw tooManyNames();
        yield listed;
      }
    }
  }

  private async listFolder(root: string, folder: string, signal: AbortSignal) {
    signal.throwIfAborted();
    const entries = await this.within(() => readdir(pathOf(root, folder), { withFileTypes: true })).catch(
      (error: unknown) => {
        // Removed meanwhile, or nobody may read it: the others are listed. Without the root there is no library.
        if (folder === '' || error instanceof ReviewFailure) throw this.unavailable(error);
        return [];
      },
    );
    const folders: string[] = [];
    const videos: string[] = [];
    const manifestNames: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(name);
      else if (!entry.isFile()) continue;
      else if (nameKind(name) === 'video') videos.push(name);
      else if (nameKind(name) === 'manifest') manifestNames.push(name);
    }
    const manifests: ListedManifest[] = [];
    for (let at = 0; at < manifestNames.length; at += STATS_AT_A_TIME) {
      signal.throwIfAborted();
      const some = manifestNames.slice(at, at + STATS_AT_A_TIME);
      const stats = await this.within(() => Promise.all(some.map((name) => statOf(pathOf(root, name)))));
      for (const [index, found] of stats.entries())
        if (found !== null)
          manifests.push({
            key: some[index] ?? '',
            sizeBytes: found.size,
            stamp: stampOf(found),
            modifiedMs: found.mtimeMs,
          });
    }
    return { folders, listed: { manifests, videos } };
  }

  async find(folder: string, beginning: string, signal: AbortSignal): Promise<string[]> {
    const root = await this.realRoot();
    const path = pathOf(root, folder);
    return this.within(async () => {
      const found: string[] = [];
      try {
        if (!isSamePath(await realpath(path), path)) return [];
        for await (const entry of await opendir(path, { bufferSize: 1024 })) {
          signal.throwIfAborted();
          if (!entry.isFile() || !entry.name.startsWith(beginning)) continue;
          if (found.push(entry.name) >= MAX_FOUND) break;
        }
      } catch (error) {
        if (!GONE.has(errno(error) ?? '')) throw error;
      }
      return found;
    });
  }

  async open(key: string, signal: AbortSignal): Promise<ReviewFile | null> {
    signal.throwIfAborted();
    const found = await this.opened(key);
    if (found === null) return null;
    await found.file.close();
    const { size, stamp } = found;
    return {
      sizeBytes: size,
      etag: `"${stamp}"`,
      read: (start, end, readSignal) => this.stream(key, stamp, start, end, readSignal),
    };
  }

  async read(file: ListedManifest, signal: AbortSignal): Promise<Buffer | 'refused' | null> {
    signal.throwIfAborted();
    const path = pathOf(await this.realRoot(), file.key);
    // Folders on the way were no links when they were listed. What is read here must be a manifest to be shown at all.
    return this.within(async () => {
      try {
        const handle = await openFile(path);
        if (handle === null) return null;
        try {
          const buffer = Buffer.allocUnsafe(file.sizeBytes + 1);
          const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, 0);
          return bytesRead === file.sizeBytes ? buffer.subarray(0, bytesRead) : null;
        } finally {
          await handle.close();
        }
      } catch (error) {
        if (errno(error) === undefined) throw error;
        return 'refused';
      }
    });
  }

  close(): void {
    // Nothing stays open.
  }

  /** For the whole range one open file, so that it is one version. */
  private async stream(key: string, stamp: string, start: number, end: number, signal: AbortSignal) {
    signal.throwIfAborted();
    const found = await this.opened(key);
    if (found === null) throw changed();
    const { file } = found;
    if (found.stamp !== stamp) {
      await file.close();
      throw changed();
    }
    let at = start;
    let isOpen = true;
    const finish = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      signal.removeEventListener('abort', abort);
      await file.close();
    };
    const abort = (): void => void finish().catch(() => undefined);
    signal.addEventListener('abort', abort, { once: true });
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            signal.throwIfAborted();
            const buffer = new Uint8Array(Math.min(READ_BYTES, end + 1 - at));
            const { bytesRead } = await this.within(() => file.read(buffer, 0, buffer.byteLength, at));
            if (bytesRead === 0) throw changed();
            at += bytesRead;
            controller.enqueue(bytesRead === buffer.byteLength ? buffer : buffer.subarray(0, bytesRead));
            if (at <= end) return;
            await finish();
            controller.close();
          } catch (error) {
            await finish().catch(() => undefined);
            controller.error(error);
          }
        },
        cancel: finish,
      },
      { highWaterMark: 1 },
    );
  }

  /** null: there is none, or a link is on the way to it. */
  private async opened(key: string): Promise<{ file: FileHandle; size: number; stamp: string } | null> {
    const root = await this.realRoot();
    const path = pathOf(root, key);
    return this.within(
      async () => {
        const file = await openFile(path);
        if (file === null) return null;
        try {
          const found = await file.stat({ bigint: true });
          const real = await realpath(path).catch(() => '');
          const there = isSamePath(real, path) ? await stat(path, { bigint: true }).catch(() => null) : null;
          if (there === null || !found.isFile() || !isSame(found, there)) {
            await file.close();
            return null;
          }
          return {
            file,
            size: Number(found.size),
            stamp: stampOf({ size: Number(found.size), mtimeMs: Number(found.mtimeNs) / 1e6 }),
          };
        } catch (error) {
          await file.close();
          throw error;
        }
      },
      (late) => late?.file.close(),
    );
  }

  private async realRoot(): Promise<string> {
    if (this.root !== null) return this.root;
    const root = await this.within(() => realpath(resolve(this.folder))).catch((error: unknown) => {
      throw this.unavailable(error);
    });
    this.root = root;
    return root;
  }

  /** @param onLate closes what was opened after the deadline */
  private async within<T>(request: () => Promise<T>, onLate?: (late: T) => unknown): Promise<T> {
    const running = request();
    try {
      return await withDeadline(running, this.answerWithinMs, () => {
        running.then(onLate).catch(() => undefined);
        return new ReviewFailure(
          'LIBRARY_UNAVAILABLE',
          'The folder with the recordings does not answer. Check the share and the network, then try again.',
        );
      });
    } catch (error) {
      if (error instanceof ReviewFailure || errno(error) === undefined) throw error;
      throw this.unavailable(error);
    }
  }

  private unavailable(error: unknown): unknown {
    const code = errno(error);
    if (error instanceof ReviewFailure || code === undefined) return error;
    const reason =
      code === 'ENOENT'
        ? 'The folder with the recordings does not exist. Check its name, and that the share is connected.'
        : code === 'EACCES' || code === 'EPERM'
          ? 'The folder with the recordings, or a file in it, may not be read. Give the user of the review server permission to read it.'
          : `The folder with the recordings cannot be read now (${code}). Check the disk or the share.`;
    return new ReviewFailure('LIBRARY_UNAVAILABLE', reason, { cause: error });
  }
}

function pathOf(root: string, key: string): string {
  if (key === '') return root;
  return (root.endsWith(sep) ? root : root + sep) + (sep === '/' ? key : key.replaceAll('/', sep));
}

/** null: gone, or a link. */
async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, READ_ONLY);
  } catch (error) {
    if (GONE.has(errno(error) ?? '')) return null;
    throw error;
  }
}

async function statOf(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}

function stampOf({ size, mtimeMs }: Pick<Stats, 'size' | 'mtimeMs'>): string {
  return `${size.toString(36)}-${Math.round(mtimeMs * 1000).toString(36)}`;
}

/** Windows' names have no case: one that was made here may differ from the folder's own. */
function isSamePath(one: string, other: string): boolean {
  return process.platform === 'win32' ? one.toLowerCase() === other.toLowerCase() : one === other;
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.size === other.size;
}
