// The NDJSON file of status events: one whole line per event, appended and synced. A partial line that a failed write or a
// power cut left at the end is removed before the next append, so that it cannot corrupt the next event. Nothing else is
// ever removed from the file. A full file is renamed, never copied or truncated: a program that tails it reads on to its
// end and then finds a new file under the old name.

import type { FileHandle } from 'node:fs/promises';
import { access, mkdir, open, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renameOver, syncFolder } from '../platform/atomicFile.ts';
import type { AnyEvent } from '../shared/deskEvent.ts';
import { errno } from '../shared/errors.ts';

/** About 8,000 events: more than two weeks of one agent. */
export const ROTATE_AT_BYTES = 10 * 1024 * 1024;
/** Full files that are kept: `<file>.1` is the newest. */
export const ROTATED_FILES = 5;

/** How each of our lines begins; a torn one is a part of this, or begins with it. */
const LINE_START = '{"version":"0"';
/** An event has a few KiB. Anything longer without a line end is not ours. */
const MAX_TORN_BYTES = 256 * 1024;

/** The file and its rotated predecessors, newest first. Some may not exist. */
export function eventsFiles(path: string): string[] {
  return [path, ...Array.from({ length: ROTATED_FILES }, (_, index) => `${path}.${index + 1}`)];
}

/**
 * Resolves when the event is on the disk. Not for concurrent calls. @throws the file system's error
 * @param rotateAtBytes a file of this size is rotated first; where that fails, it grows on and the next call retries
 */
export async function appendEvent(
  path: string,
  event: AnyEvent,
  rotateAtBytes = ROTATE_AT_BYTES,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file = await open(path, 'a+', 0o600);
  try {
    // A pipe or a device takes lines as well, but has no end to inspect and nothing to sync.
    const isRegular = (await file.stat()).isFile();
    let end = isRegular ? await repairEnd(file) : null;
    if (end !== null && end >= rotateAtBytes) {
      await file.sync();
      await file.close(); // Windows renames no open file
      await rotate(path).catch(() => undefined);
      file = await open(path, 'a+', 0o600);
      end = (await file.stat()).size;
    }
    try {
      await file.appendFile(`${JSON.stringify(event)}\n`);
      if (isRegular) await file.sync();
    } catch (error) {
      // If this fails as well, the next append repairs the end.
      if (end !== null) await file.truncate(end).catch(() => undefined);
      throw error;
    }
    if (end === 0) await syncFolder(dirname(path));
  } finally {
    await file.close();
  }
}

/** Renames from the oldest to the newest, up to the first free name: a retry after a failure deletes no second file. */
async function rotate(path: string): Promise<void> {
  const files = eventsFiles(await realpath(path)); // next to the file, if the path is a link
  const exists = await Promise.all(files.map(isThere));
  const firstFree = exists.indexOf(false);
  for (let index = firstFree === -1 ? files.length - 1 : firstFree; index > 0; index -= 1)
    await renameOver(files[index - 1] ?? '', files[index] ?? '');
  await syncFolder(dirname(path));
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: unknown) => errno(error) !== 'ENOENT',
  );
}

/** Makes the file end with a whole line. @returns its size then */
async function repairEnd(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  if (size === 0 || (await readAll(file, size - 1, 1)).toString() === '\n') return size;
  const from = Math.max(0, size - MAX_TORN_BYTES);
  const tail = await readAll(file, from, size - from);
  const torn = tail.subarray(tail.lastIndexOf('\n') + 1);
  // Another program may be writing to it.
  const isStill = (await file.stat()).size === size;
  if (isStill && isTornEvent(torn)) {
    await file.truncate(size - torn.byteLength);
    return size - torn.byteLength;
  }
  await file.appendFile('\n');
  return size + 1;
}

async function readAll(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('The end of the file cannot be read.');
  return buffer;
}

/** Part of one of our lines. A power cut may leave zeros in place of its bytes. */
function isTornEvent(bytes: Buffer): boolean {
  const text = bytes.toString().replace(/\0+$/, '');
  if (!text.startsWith(LINE_START) && !LINE_START.startsWith(text)) return false;
  try {
    JSON.parse(text);
    return false; // whole, except for its line end
  } catch {
    return true;
  }
}
