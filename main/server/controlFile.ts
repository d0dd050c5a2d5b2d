// `<dataDir>/control.json`: how the command line finds the running Sightline of the same user, and how each of them
// knows the other. It holds secrets: it is for its owner only, and must never get into a log or a diagnostics bundle.

import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SightlineError, errno } from '../shared/errors.ts';
import { writeFileAtomically } from '../platform/atomicFile.ts';

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
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return null;
    throw unusable(path, `cannot be read (${errno(error) ?? String(error)})`, 'Run this as its owner', error);
  }
  try {
    // Of the file that was opened, not of what may lie at its name by now.
    const { uid, mode, size } = await file.stat();
    if (process.getuid !== undefined) {
      if (uid !== process.getuid()) {
        throw unusable(path, 'belongs to another user', 'Run this as the user whose Sightline it is');
      }
      if ((mode & 0o077) !== 0) {
        throw unusable(
          path,
          'can be read or changed by others',
          'Start Sightline again, which writes it anew',
        );
      }
    }
    const parsed =
      size > MAX_FILE_BYTES ? null : controlAccessSchema.safeParse(parse(await file.readFile('utf8')));
    if (parsed?.success !== true) {
      throw unusable(path, 'is not what this version of Sightline writes', 'Start Sightline again');
    }
    return parsed.data;
  } finally {
    await file.close();
  }
}

function unusable(path: string, what: string, remedy: string, cause?: unknown): SightlineError {
  return new SightlineError('CLIENT_AUTH_ERROR', `${path} ${what}. ${remedy}.`, { cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
