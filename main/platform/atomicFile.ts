// Files that are there whole or not at all, even when the power goes in between.

import { link, mkdir, open, rename, rm } from 'node:fs/promises';
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
export async function writeFileAtomically(path: string, data: string | Buffer, mode = 0o600): Promise<void> {
  await writeBeside(path, data, mode, (temporary) => renameOver(temporary, path));
}

/** As writeFileAtomically, but what is there already is left as it is. @returns whether it was made */
export async function createAtomically(path: string, data: Buffer, mode: number): Promise<boolean> {
  return writeBeside(path, data, mode, async (temporary) => {
    try {
      await link(temporary, path); // unlike rename(2) never over another file
      return true;
    } catch (error) {
      if (errno(error) === 'EEXIST') return false;
      // FAT and some shares have no hard links; there the data folder's lock has to do.
      await renameOver(temporary, path);
      return true;
    }
  });
}

async function writeBeside<T>(
  path: string,
  data: string | Buffer,
  mode: number,
  give: (temporary: string) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      // Beyond the umask, where it is meant for more than its owner.
      if (process.platform !== 'win32') await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    const given = await give(temporary);
    await syncFolder(dirname(path));
    return given;
  } finally {
    await rm(temporary, { force: true });
  }
}
