// Which users may read what Sightline writes. Its data folder is for its own user only, despite the umask and despite modes
// that an earlier version left. A folder that IT made for recordings is IT's: a group that may read it may read the files in it.
// Windows has access lists instead, which files inherit from their folders.

import { chmod, lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from './log.ts';
import { errno } from '../shared/errors.ts';

const PERMISSIONS = 0o7777;
const OTHERS = 0o077;
const STICKY = 0o1000;
const GROUP_READS = 0o040;
const GROUP_READS_FOLDER = 0o050;
/** Of the data folder; beside them only its own files are looked at, should "dataDir" name a folder with more in it. */
const OWN_FOLDERS = ['spool', 'logs', 'outbox', 'recordings'];

/** Takes all access to the data folder from other users. Never rejects. */
export async function makePrivate(dataDir: string, log: Logger): Promise<void> {
  if (process.platform === 'win32') return;
  const exposed: string[] = [];
  const refused: { path: string; reason: string }[] = [];
  await close(dataDir, true);
  if (exposed.length > 0)
    log.warn('files of Sightline could be read by other users; now they cannot', {
      files: exposed.length,
      first: exposed[0],
    });
  if (refused[0] !== undefined)
    log.error('files of Sightline may be read by other users, and Sightline cannot change that', refused[0]);

  async function close(path: string, isTop: boolean): Promise<void> {
    try {
      const found = await lstat(path);
      // A link's target is not ours; spool.key is refused when others could read it (keyStore.ts).
      if (found.isSymbolicLink() || path === join(dataDir, 'spool.key')) return;
      // A folder like /tmp belongs to all users.
      if (isTop && (found.mode & STICKY) !== 0)
        throw new Error('a folder for all users; set another "dataDir"');
      if ((found.mode & OTHERS) !== 0) {
        await chmod(path, found.mode & PERMISSIONS & ~OTHERS);
        exposed.push(path);
      }
      if (!found.isDirectory()) return;
      for (const entry of await readdir(path, { withFileTypes: true }))
        if (!isTop || entry.isFile() || OWN_FOLDERS.includes(entry.name))
          await close(join(path, entry.name), false);
    } catch (error) {
      refused.push({ path, reason: errno(error) ?? String(error) });
    }
  }
}

/** What the group of a sink folder may do in it: nothing in one that Sightline makes itself. */
export async function groupOf(
  folder: string,
): Promise<{ readonly ofFiles: number; readonly ofFolders: number }> {
  const mode = process.platform === 'win32' ? 0 : await modeOf(folder);
  return { ofFiles: 0o600 | (mode & GROUP_READS), ofFolders: 0o700 | (mode & GROUP_READS_FOLDER) };
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if (errno(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** For folders that a recursive mkdir has just made, from the innermost up to the first. */
export async function openToGroup(innermost: string, first: string | undefined, mode: number): Promise<void> {
  if (first === undefined || process.platform === 'win32') return;
  for (let folder = innermost; ; folder = dirname(folder)) {
    // The set-group-id bit, by which a shared folder hands its group down, stays.
    const { mode: before } = await stat(folder);
    await chmod(folder, (before & PERMISSIONS & ~0o777) | mode);
    if (folder === first || folder === dirname(folder)) return;
  }
}
