// Writes a small file into a folder, syncs it, reads it back, and takes it away.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../shared/errors.ts';
import { wordsOf } from '../check.ts';

const PROBE = /^\.sightline-[0-9a-f]{8}\.probe$/;
/** Nobody else's is in use for so long: a check takes seconds. */
const OLD_PROBE_MS = 3_600_000;

/** Makes the folder where there is none, as the recorder would. @param mode of a folder that is made @throws what the file system says */
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
      throw new Error(`${folder} does not give back what was written to it: the disk or the share is faulty`);
    }
    await removeOldProbes(folder, (await stat(probe)).mtimeMs).catch(() => undefined);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** Those of checks that were killed. @param nowMs by the folder's own clock: a share's may be another than ours */
async function removeOldProbes(folder: string, nowMs: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((one) => PROBE.test(one))) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > OLD_PROBE_MS) await rm(path, { force: true });
  }
}

/** @param key of policy, which names the folder @returns what was seen, and what to do */
export function folderTrouble(
  folder: string,
  key: string,
  error: unknown,
): [evidence: string, remedy: string] {
  const instead = `or set another "${key}" in Sightline's policy.`;
  const evidence = `${folder} cannot be written to: ${wordsOf(error)}`;
  switch (errno(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return [evidence, `The disk is full. Delete what is not needed on it, ${instead}`];
    case 'EROFS':
      return [evidence, `The disk or share is read-only. Have it made writable, ${instead}`];
    case 'ENOTDIR':
    case 'EEXIST':
      return [evidence, `There is a file where a folder should be. Rename that file, ${instead}`];
    case 'EACCES':
    case 'EPERM':
      return [evidence, `Give this user the right to write there, ${instead}`];
    default:
      return [evidence, `See that the disk or share is connected and works, ${instead}`];
  }
}
