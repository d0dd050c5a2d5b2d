// The access file of a team's server: who may see what, and the hashes of personal keys. It is read again when it has
// changed, before the next request is answered. One that is not valid changes nothing, and the log says so.

import { open } from 'node:fs/promises';
import { z } from 'zod';
import type { Logger } from '../../../main/platform/log.ts';
import { writeFileAtomically } from '../../../main/platform/atomicFile.ts';
import { errno, errorMessage } from '../../../main/shared/errors.ts';
import { parseJson } from '../../../main/shared/json.ts';
import { roles } from '../../contract.ts';
import { isSameSecret, sha256Hex } from './constantTime.ts';
import type { Grants } from './grants.ts';

const MAX_BYTES = 2 * 1024 * 1024;
const OTHERS_WRITE = 0o022;

// Control characters would forge lines of the log; those that turn the direction of writing would forge what is read.
export const nameSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'must not contain control characters');
const prefixSchema = z
  .string()
  .max(1024)
  .refine(
    (text) => text === '' || text.endsWith('/'),
    'must end with "/": without it, "team-a" would also be the beginning of "team-ab/"',
  );

const entrySchema = z
  .strictObject({
    user: nameSchema.optional(),
    group: nameSchema.optional(),
    role: z.enum(roles),
    /** Absent: the whole library. */
    prefixes: z.array(prefixSchema).min(1).max(100).optional(),
  })
  .refine(
    ({ user, group }) => (user === undefined) !== (group === undefined),
    'must name either a user or a group',
  )
  .refine(
    ({ role, prefixes }) => role !== 'admin' || prefixes === undefined,
    'an admin reads the audit log of the whole library, so "prefixes" must be absent',
  );
const keySchema = z.strictObject({
  user: nameSchema,
  /** Of the key as it was printed. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  expires: z.iso.datetime().optional(),
});
const accessSchema = z.strictObject({
  access: z.array(entrySchema).max(10_000),
  keys: z.array(keySchema).max(10_000).default([]),
});
export type Access = z.infer<typeof accessSchema>;

export class AccessFile {
  #access: Access;
  #seen: string;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(
    private readonly path: string,
    first: Read,
    private readonly log: Logger,
  ) {
    this.#access = first.access;
    this.#seen = first.version;
  }

  /** @throws Error that says what is wrong, for an administrator */
  static async open(path: string, log: Logger): Promise<AccessFile> {
    return new AccessFile(path, await readAccess(path), log);
  }

  /** Reads it again if it has changed before this call. Never rejects. */
  refresh(): Promise<void> {
    // A check that has begun may have looked too early for this request; one that has not serves all who wait.
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#check();
    });
    this.#running = this.#next;
    return this.#next;
  }

  grantsOf(user: string, groups: readonly string[]): Grants {
    return this.#access.access
      .filter((entry) => entry.user === user || (entry.group !== undefined && groups.includes(entry.group)))
      .map(({ role, prefixes = [''] }) => ({ role, prefixes }));
  }

  /** Whose key it is. All are compared, so that the time tells nothing. */
  userOfKey(key: string, now = Date.now()): { readonly user: string; readonly sha256: string } | null {
    const hash = sha256Hex(key);
    const [found] = this.#access.keys.filter(({ sha256 }) => isSameSecret(sha256, hash));
    return found !== undefined && isCurrent(found, now) ? found : null;
  }

  hasKey(user: string, sha256: string, now = Date.now()): boolean {
    return this.#access.keys.some((key) => key.user === user && key.sha256 === sha256 && isCurrent(key, now));
  }

  async #check(): Promise<void> {
    try {
      const found = await readAccess(this.path, this.#seen);
      if (found.version === this.#seen) return;
      this.#seen = found.version;
      this.#access = found.access;
      this.log.info('the access file has changed and is in force', { entries: found.access.access.length });
    } catch (error) {
      const version = error instanceof InvalidAccess ? error.version : `unreadable ${errno(error) ?? ''}`;
      if (version === this.#seen) return;
      this.#seen = version;
      this.log.error('the access file is not valid, and the previous one stays in force', {
        reason: errorMessage(error),
      });
    }
  }
}

function isCurrent({ expires }: { readonly expires?: string | undefined }, now: number): boolean {
  return expires === undefined || now < Date.parse(expires);
}

interface Read {
  readonly access: Access;
  /** Differs when the file does. */
  readonly version: string;
}

class InvalidAccess extends Error {
  constructor(
    message: string,
    readonly version: string,
  ) {
    super(message);
  }
}

const unchanged: Access = { access: [], keys: [] };

/** @param seen of this version the content is not read again */
async function readAccess(path: string, seen = ''): Promise<Read> {
  const file = await open(path, 'r');
  try {
    const found = await file.stat({ bigint: true });
    const { ino, size, mtimeNs, ctimeNs } = found;
    const version = [ino, size, mtimeNs, ctimeNs].join(' ');
    if (version === seen) return { access: unchanged, version };
    const invalid = (why: string): InvalidAccess => new InvalidAccess(`${path} ${why}`, version);
    if (!found.isFile()) throw invalid('is no file.');
    if (size > MAX_BYTES) throw invalid(`is larger than ${MAX_BYTES} bytes.`);
    if (process.platform !== 'win32' && (Number(found.mode) & OTHERS_WRITE) !== 0)
      throw invalid('can be changed by other users. Take their right to write (chmod go-w).');
    const parsed = accessSchema.safeParse(parseJson(await file.readFile('utf8')));
    if (!parsed.success) throw invalid(`is not valid: ${issues(parsed.error)}`);
    return { access: parsed.data, version };
  } finally {
    await file.close();
  }
}

function issues({ issues: all }: z.ZodError): string {
  return all
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`)
    .join('; ');
}

/** Adds the hash of a new key; the access of its user is not changed. @throws Error for an administrator */
export async function addKey(
  path: string,
  user: string,
  key: string,
): Promise<{ readonly hasAccess: boolean }> {
  const { access } = await readAccess(path);
  const keys = [...access.keys, { user: nameSchema.parse(user), sha256: sha256Hex(key) }];
  await writeFileAtomically(path, `${JSON.stringify({ ...access, keys }, null, 2)}\n`, 0o600);
  return { hasAccess: access.access.some((entry) => entry.user === user) };
}
