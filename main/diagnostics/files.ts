// Reads files for the bundle: the last lines of a text file, and the list of a folder. Does not follow links, changes nothing.

import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../shared/errors.ts';

/** Refuses links and does not block on pipes. Windows has neither flag: undefined counts as 0 here. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The complete lines within the last bytes of a file; empty without a file. */
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
    if (from > 0) lines.shift(); // incomplete
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
  /** How many are not listed. */
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
    // deleted meanwhile or not readable; the folder itself is listed
  }
}

async function statusOf(path: string, name: string): Promise<ListedFile | null> {
  try {
    const status = await lstat(path);
    const kind = status.isFile() ? 'file' : status.isDirectory() ? 'folder' : 'other';
    return { name, kind, sizeBytes: status.size, modified: status.mtime.toISOString() };
  } catch {
    return null; // deleted meanwhile
  }
}
