// The machine's policy, from the platform's place for it, which only an administrator can write. A missing policy is
// valid; one that cannot be read, or that others could have written, is an error.

import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { ReadRegistry } from '../platform/windowsHelper.ts';
import { readRegistry } from '../platform/windowsHelper.ts';
import { errno } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';
import type { PolicyLayer } from './load.ts';
import { PolicyError } from './load.ts';
import { readRegistryPolicy } from './registry.ts';

export const MACHINE_POLICY_FILE = '/etc/sightline/policy.json';

export interface MachinePolicyPlaces {
  readonly platform?: NodeJS.Platform;
  readonly registry?: ReadRegistry;
  /** For tests, as is the next. A flag or variable for it would be a way around the policy. */
  readonly file?: string;
  /** The user that may have written the file, besides root. */
  readonly owner?: number;
}

/** Highest first. @throws PolicyError */
export async function readMachinePolicy(places: MachinePolicyPlaces = {}): Promise<PolicyLayer[]> {
  const { platform = process.platform, owner = 0 } = places;
  if (platform === 'win32') return readRegistryPolicy(places.registry ?? readRegistry);
  return machinePolicyFiles(places).flatMap((place): PolicyLayer[] => {
    const text = readProtected(place, owner);
    if (text === null) return [];
    const values = parseJsonObject(text);
    if (values !== null) return [{ source: 'file', place, loose: false, values }];
    throw new PolicyError(`The machine policy ${place} is not a JSON object. Correct or delete it.`);
  });
}

/** Files to watch for changes; none for the Windows registry. */
export function machinePolicyFiles(places: MachinePolicyPlaces = {}): string[] {
  const { platform = process.platform, file = MACHINE_POLICY_FILE } = places;
  return platform === 'win32' ? [] : [file];
}

/**
 * Reads a file that only an administrator can write or replace.
 * @param owner may write it besides root
 * @returns null when there is none
 * @throws PolicyError
 */
function readProtected(path: string, owner: number): string | null {
  const refused = (reason: string) => new PolicyError(`The machine policy ${path} is refused: ${reason}.`);
  let file: number;
  try {
    // Symbolic links are followed and their targets checked. O_NONBLOCK: a FIFO must not block the open.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw refused(`it cannot be read: ${String(error)}`);
  }
  try {
    const stats = fstatSync(file);
    const reason = stats.isFile()
      ? whyUnprotected(path, stats, owner)
      : 'it cannot be read: it is not a file';
    if (reason !== null) throw refused(reason);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw error instanceof PolicyError ? error : refused(`it cannot be read: ${String(error)}`);
  } finally {
    closeSync(file);
  }
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

function whyUnprotected(path: string, file: Stats, owner: number): string | null {
  const isTrusted = (uid: number): boolean => uid === 0 || uid === owner;
  if (!isTrusted(file.uid)) return `it belongs to user ${file.uid}, not to root. Do: chown root "${path}"`;
  if ((file.mode & WRITABLE_BY_OTHERS) !== 0)
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
