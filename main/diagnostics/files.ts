// Reads Sightline's files: the lines of its log, the last lines of a text file, the list of a folder. Changes nothing.

import { constants, createReadStream, type Dirent } from 'node:fs';
import { access, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';

export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * The lines of Sightline's log, oldest first. Skips what is not a log line, such as one torn by a crash, and files that do not exist or
 * cannot be read.
 */
export async function readLogLines(folder: string, onLine: (line: LogLine) => void): Promise<void> {
  for (const name of ['sightline.old.log', 'sightline.log']) {
    const file = join(folder, name);
    try {
      await access(file); // a missing file would be an error event of the stream, outside the loop
      const input = createReadStream(file, 'utf8');
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        const line = parseJsonObject(text);
        if (typeof line?.time === 'string' && typeof line.message === 'string') onLine(line as LogLine);
      }
    } catch {
      // the checks of the data folder report it
    }
  }
}

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

const MAX_NAMES = 2000;
const MAX_IN_FOLDER = 300;
const MAX_DEPTH = 6;

/** Names, sizes and times below a folder, breadth first. `more`: how many are not listed. Does not follow links. */
export async function listFolder(root: string): Promise<{ files: ListedFile[]; more: number }> {
  const files: ListedFile[] = [];
  let more = 0;
  const queue = [{ path: root, name: '', depth: 0 }];
  for (const { path: folder, name: parent, depth } of queue) {
    let count = 0;
    for await (const entry of depth === 0 ? await opendir(root) : readable(folder)) {
      count += 1;
      if (count > MAX_IN_FOLDER || files.length >= MAX_NAMES) {
        more += 1;
        continue;
      }
      const path = join(folder, entry.name);
      const name = parent === '' ? entry.name : `${parent}/${entry.name}`;
      const status = await lstat(path).catch(() => null); // deleted meanwhile
      if (status === null) continue;
      const kind = status.isFile() ? 'file' : status.isDirectory() ? 'folder' : 'other';
      files.push({ name, kind, sizeBytes: status.size, modified: status.mtime.toISOString() });
      if (kind === 'folder' && depth < MAX_DEPTH) queue.push({ path, name, depth: depth + 1 });
    }
  }
  return { files, more };
}

interface ListedFile {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
  readonly modified: string;
}

async function* readable(path: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path);
  } catch {
    // deleted meanwhile or not readable; the folder itself is listed
  }
}
