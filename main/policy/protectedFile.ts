// Reads a file that must be under an administrator's control: only if nothing but root can write or replace it.

import { constants, fstatSync, lstatSync, openSync, closeSync, readFileSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { errno } from '../shared/errors.ts';

export type ProtectedFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string };

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** @param owner who may write it besides root; root alone unless a test says otherwise */
export function readProtectedFile(path: string, owner = 0): ProtectedFile {
  let file: number;
  try {
    // Symbolic links are followed and their targets checked. O_NONBLOCK: a FIFO must not block the open.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errno(error) === 'ENOENT') return { kind: 'absent' };
    return { kind: 'refused', reason: `it cannot be read: ${String(error)}` };
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return { kind: 'refused', reason: 'it cannot be read: it is not a file' };
    const reason = whyUnprotected(path, stats, owner);
    return reason === null ? { kind: 'text', text: readFileSync(file, 'utf8') } : { kind: 'refused', reason };
  } catch (error) {
    return { kind: 'refused', reason: `it cannot be read: ${String(error)}` };
  } finally {
    closeSync(file);
  }
}

function whyUnprotected(path: string, stats: Stats, owner: number): string | null {
  const isTrusted = (uid: number): boolean => uid === 0 || uid === owner;
  if (!isTrusted(stats.uid)) return `it belongs to user ${stats.uid}, not to root. Do: chown root "${path}"`;
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0)
    return `others than root may write it. Do: chmod go-w "${path}"`;
  for (const start of new Set([path, realpathSync(path)])) {
    for (let folder = dirname(start); ; folder = dirname(folder)) {
      const { uid, mode } = lstatSync(folder);
      if (!isTrusted(uid)) return `its folder ${folder} belongs to user ${uid}, not to root`;
      // In a sticky folder (/tmp) only its owner can replace a file.
      if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0)
        return `others than root may write its folder ${folder}. Do: chmod go-w "${folder}"`;
      if (folder === dirname(folder)) break;
    }
  }
  return null;
}
