// Files that are there whole or not at all, even when the power goes in between.

import { mkdir, open, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { errno } from '../shared/errors.ts';

/** Makes a rename in this folder last through a power cut (fsync(2)); Windows does so by itself and refuses. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Windows: a virus scanner or a reader may have the file open for a moment. */
const RENAME_WITHIN_MS = 2000;
const RENAME_AGAIN_MS = 50;

/** rename(2), and on Windows again for a while where another program has one of the two open. */
export async function renameOver(
  from: string,
  to: string,
  { platform = process.platform, move = rename, now = Date.now } = {},
): Promise<void> {
  const until = now() + RENAME_WITHIN_MS;
  for (;;) {
    try {
      await move(from, to);
      return;
    } catch (error) {
      const mayPass = ['EPERM', 'EACCES', 'EBUSY'].includes(errno(error) ?? '');
      if (platform !== 'win32' || !mayPass || now() >= until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RENAME_AGAIN_MS));
  }
}

/** Writes beside the target, syncs, renames over it. Makes the folder where there is none. */
export async function writeFileAtomically(path: string, text: string, mode = 0o640): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await renameOver(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
