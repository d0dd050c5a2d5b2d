// Reading other people's files for the bundle without holding on to them: the end of a text file, line by line, and what
// lies in a folder. Links are not followed and nothing is changed.

import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../shared/errors.ts';

/** Not a link, and not a pipe that nobody writes to. Windows has neither flag, and undefined counts as 0 here. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The whole lines within the last bytes of a file; none where there is no file. */
export async function lastLines(path: string, maxBytes: number): Promise<string[]> {
  let file;
  try {
    file = await open(path, READ_FLAGS);
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new Error(`${path} is not a file.`);
    const from = Math.max(0, status.size - maxBytes);
    const buffer = Buffer.alloc(status.size - from);
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, from);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    if (from > 0) lines.shift(); // begun before what was read
    return lines.filter((line) => line.trim() !== '');
  } finally {
    await file.close();
  }
}

export interface ListedFile {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
  readonly modified: string;
}
export interface Listing {
  readonly files: readonly ListedFile[];
  /** What there was no room for. */
  readonly more: number;
}

const MAX_NAMES = 2000;
const MAX_IN_FOLDER = 300;
const MAX_DEPTH = 6;

/** Names, sizes and times below a folder, breadth first. */
export async function listFolder(root: string): Promise<Listing> {
  const files: ListedFile[] = [];
  let more = 0;
  const queue: { path: string; name: string; depth: number }[] = [{ path: root, name: '', depth: 0 }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    let count = 0;
    for await (const entry of next.depth === 0 ? await opendir(root) : readable(next.path)) {
      count += 1;
      if (count > MAX_IN_FOLDER || files.length >= MAX_NAMES) {
        more += 1;
        continue;
      }
      const path = join(next.path, entry.name);
      const name = next.name === '' ? entry.name : `${next.name}/${entry.name}`;
      const listed = await statusOf(path, name);
      if (listed !== null) files.push(listed);
      if (entry.isDirectory() && next.depth < MAX_DEPTH) queue.push({ path, name, depth: next.depth + 1 });
    }
  }
  return { files, more };
}

async function* readable(path: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path);
  } catch {
    // gone meanwhile, or not ours to read: its own line is there
  }
}

async function statusOf(path: string, name: string): Promise<ListedFile | null> {
  try {
    const status = await lstat(path);
    const kind = status.isFile() ? 'file' : status.isDirectory() ? 'folder' : 'other';
    return { name, kind, sizeBytes: status.size, modified: status.mtime.toISOString() };
  } catch {
    return null; // gone meanwhile
  }
}
