// Writes a small file into a folder, syncs it, reads it back, and takes it away.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

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
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
