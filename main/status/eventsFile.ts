// The NDJSON file of status events: one whole line an event, appended and synced. What a failed write or a power cut
// left behind the last whole line is removed before the next append, so that it cannot swallow the next event. Must
// never remove anything else.

import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import type { StatusEvent } from '../shared/statusEvent.ts';

/** How each line of ours begins; a torn one is a piece of this, or begins with it. */
const LINE_START = '{"version":"0"';
/** An event has a few KiB. What is longer without an end of line is not ours. */
const LONGEST_TORN_BYTES = 256 * 1024;

/** Resolves when the event is on the disk. Not for two calls at a time. @throws whatever the file system says */
export async function appendEvent(path: string, event: StatusEvent): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a+', 0o600);
  try {
    // A pipe or a device takes lines, too; it has no end to look at and nothing to sync.
    const isRegular = (await file.stat()).isFile();
    const end = isRegular ? await endOfLines(file) : null;
    try {
      await file.appendFile(`${JSON.stringify(event)}\n`);
      if (isRegular) await file.sync();
    } catch (error) {
      // Should this fail as well, the next append finds the torn end.
      if (end !== null) await file.truncate(end).catch(() => undefined);
      throw error;
    }
    if (end === 0) await syncFolder(dirname(path));
  } finally {
    await file.close();
  }
}

/** Where the next line begins, once the file has been made to end with a whole one. */
async function endOfLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  if (size === 0 || (await readAll(file, size - 1, 1)).toString() === '\n') return size;
  const from = Math.max(0, size - LONGEST_TORN_BYTES);
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

/** Part of a line of ours. A power cut may leave zeros where its bytes should be. */
function isTornEvent(bytes: Buffer): boolean {
  const text = bytes.toString().replace(/\0+$/, '');
  if (!text.startsWith(LINE_START) && !LINE_START.startsWith(text)) return false;
  try {
    JSON.parse(text);
    return false; // whole but for its end of line
  } catch {
    return true;
  }
}
