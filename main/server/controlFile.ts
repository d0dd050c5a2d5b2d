// `<dataDir>/control.json`: how the command line finds the running Sightline of the same user, and how the two
// authenticate each other. It contains secrets: it is readable by its owner only, and must never get
// into a log or a diagnostics bundle.

import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../platform/atomicFile.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';

const SECRET_BYTES = 32;
const MAX_FILE_BYTES = 4096;
/** base64url of 32 bytes (RFC 4648, 5). */
const secret = z.string().regex(/^[\w-]{43}$/);

const controlAccessSchema = z.object({
  version: z.literal(1),
  pid: z.number().int().positive(),
  port: z.number().int().min(1).max(65535),
  /** What the command line shows to Sightline. */
  token: secret,
  /**
   * What Sightline shows in return. After a crash another user's program may sit on the port: it is then given a token
   * that is worth nothing any more, and cannot pretend to be Sightline.
   */
  proof: secret,
});
export type ControlAccess = z.infer<typeof controlAccessSchema>;

export function newControlSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function controlFileIn(dataDir: string): string {
  return join(dataDir, 'control.json');
}

export async function writeControlFile(dataDir: string, access: ControlAccess): Promise<void> {
  await writeFileAtomically(controlFileIn(dataDir), `${JSON.stringify(access)}\n`, 0o600);
}

export async function removeControlFile(dataDir: string): Promise<void> {
  await rm(controlFileIn(dataDir), { force: true });
}

/**
 * @returns null when there is none: no Sightline runs, or the one that ran has ended tidily
 * @throws SightlineError CLIENT_AUTH_ERROR when it is not this user's, or others may read it
 */
export async function readControlFile(dataDir: string): Promise<ControlAccess | null> {
  const path = controlFileIn(dataDir);
  const unusable = (what: string, remedy: string, cause?: unknown) =>
    new SightlineError('CLIENT_AUTH_ERROR', `${path} ${what}. ${remedy}.`, { cause });
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return null;
    throw unusable(`cannot be read (${errno(error) ?? String(error)})`, 'Run this as its owner', error);
  }
  try {
    // Of the file that was opened, not of what may be at its path by now.
    const { uid, mode, size } = await file.stat();
    if (process.getuid !== undefined) {
      if (uid !== process.getuid())
        throw unusable('belongs to another user', 'Run this as the user whose Sightline it is');
      if ((mode & 0o077) !== 0)
        throw unusable('can be read or changed by others', 'Start Sightline again, which writes it anew');
    }
    const text = size > MAX_FILE_BYTES ? '' : await file.readFile('utf8');
    const { data } = controlAccessSchema.safeParse(parseJson(text));
    if (data !== undefined) return data;
    throw unusable('is not what this version of Sightline writes', 'Start Sightline again');
  } finally {
    await file.close();
  }
}
