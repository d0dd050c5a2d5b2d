// Writes a small file into a folder, syncs it, reads it back, and deletes it.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errno, errorMessage } from '../../shared/errors.ts';

const PROBE = /^\.sightline-[0-9a-f]{8}\.probe$/;
/** A check takes seconds, so an older file is left over. */
const OLD_PROBE_MS = 3_600_000;

/** Creates a missing folder, as the recorder does. @param mode of a created folder @throws the file system's error */
export async function tryFolder(folder: string, mode?: number): Promise<void> {
  const probe = join(folder, `.sightline-${randomBytes(4).toString('hex')}.probe`);
  const content = randomBytes(16);
  try {
    await mkdir(folder, { recursive: true, mode });
    const file = await open(probe, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!content.equals(await readFile(probe))) {
      throw new Error(`${folder} returns other data than was written: the disk or the share is faulty`);
    }
    await removeOldProbes(folder, (await stat(probe)).mtimeMs).catch(() => undefined);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** Left over from killed checks. @param nowMs by the folder's own clock, because a share's can differ */
async function removeOldProbes(folder: string, nowMs: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((one) => PROBE.test(one))) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > OLD_PROBE_MS) await rm(path, { force: true });
  }
}

/** @param key the policy key of the folder */
export function folderTrouble(
  folder: string,
  key: string,
  error: unknown,
): [evidence: string, remedy: string] {
  const instead = `or set another "${key}" in Sightline's policy.`;
  const evidence = `${folder} cannot be written to: ${errorMessage(error)}`;
  switch (errno(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return [evidence, `The disk is full. Delete what is not needed on it, ${instead}`];
    case 'EROFS':
      return [evidence, `The disk or share is read-only. Make it writable, ${instead}`];
    case 'ENOTDIR':
    case 'EEXIST':
      return [evidence, `There is a file where a folder should be. Rename that file, ${instead}`];
    case 'EACCES':
    case 'EPERM':
      return [evidence, `Give this user write permission there, ${instead}`];
    default:
      return [evidence, `Check that the disk or share is connected and works, ${instead}`];
  }
}
