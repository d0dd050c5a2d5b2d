// Files that exist complete or not at all, even after a power cut.

import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { errno } from '../shared/errors.ts';

/** Makes a rename in this folder last through a power cut (fsync(2)); Windows does so anyway and refuses. */
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

const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/;
/** A process that writes one has long finished by then, or died. */
const LEFT_BEHIND_MS = 60_000;

/** Under a random name; see removeLeftBehind. */
const temporaryOf = (path: string): string => `${path}.${randomBytes(4).toString('hex')}.tmp`;

/**
 * Writes beside the target, syncs, renames over it. Makes the folder where there is none.
 * @param temporary the file that it is written to before; one of a random name unless given
 */
export async function writeFileAtomically(
  path: string,
  data: string | Buffer,
  mode = 0o600,
  { temporary = temporaryOf(path), give = renameOver }: Writing = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // What an earlier process left half-written under that name.
  await rm(temporary, { force: true });
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
    await give(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(temporary, { force: true });
  }
}

interface Writing {
  readonly temporary?: string;
  readonly give?: (temporary: string, path: string) => Promise<void>;
}

/** As writeFileAtomically, but leaves an existing file as it is. @returns whether it was made */
export async function createAtomically(path: string, data: Buffer, mode: number): Promise<boolean> {
  let isMade = true;
  const give = async (temporary: string): Promise<void> => {
    try {
      await link(temporary, path); // unlike rename(2) never over another file
    } catch (error) {
      isMade = errno(error) !== 'EEXIST';
      // FAT and some shares have no hard links; there the data folder's lock has to do.
      if (isMade) await renameOver(temporary, path);
    }
  };
  await writeFileAtomically(path, data, mode, { give });
  return isMade;
}

/** Removes from one of our own folders what a process left there that was killed while it wrote a file. Never rejects. */
export async function removeLeftBehind(folder: string, now = Date.now()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => TEMPORARY.test(one))) {
    const path = join(folder, name);
    const isLeft = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs > LEFT_BEHIND_MS,
      () => false,
    );
    if (isLeft) await rm(path, { force: true }).catch(() => undefined);
  }
}
