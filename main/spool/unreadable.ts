// `<dataDir>/unreadable.json`: the spool folders that the last start could not read (whole), for the commands that have
// neither their keys nor a running Sightline. Written at each start; not there when there are none.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';

const FILE = 'unreadable.json';

const schema = z.object({
  v: z.literal(1),
  folders: z.array(
    z.object({
      folder: z.string(),
      code: z.string(),
      message: z.string(),
      /** Those that must be in it, as far as that is known. */
      recordings: z.array(z.string()),
    }),
  ),
});
export type UnreadableFolder = z.infer<typeof schema>['folders'][number];

export async function writeUnreadable(dataDir: string, folders: readonly UnreadableFolder[]): Promise<void> {
  const path = join(dataDir, FILE);
  if (folders.length === 0) await rm(path, { force: true });
  else await writeFileAtomically(path, `${JSON.stringify({ v: 1, folders }, null, 2)}\n`, 0o600);
}

/** None where the file is not there, or is none of ours. */
export async function readUnreadable(dataDir: string): Promise<UnreadableFolder[]> {
  try {
    return schema.parse(JSON.parse(await readFile(join(dataDir, FILE), 'utf8'))).folders;
  } catch {
    return [];
  }
}
