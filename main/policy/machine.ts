// The machine's policy, from the platform's place for it, which only an administrator can write. A missing policy is
// valid; one that cannot be read, or that others could have written, is an error.

import { constants, fstatSync, lstatSync, openSync, closeSync, readFileSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { userInfo } from 'node:os';
import type { RunTool } from '../platform/runTool.ts';
import { runTool } from '../platform/runTool.ts';
import { errno } from '../shared/errors.ts';
import type { MachineSource, PolicyLayer } from './load.ts';
import { PolicyError } from './load.ts';
import { readRegistryPolicy } from './registry.ts';

export const MACHINE_POLICY_FILE = '/etc/sightline/policy.json';
export const MANAGED_PREFERENCES_FOLDER = '/Library/Managed Preferences';
export const PREFERENCES_FILE = 'app.sightline.Sightline.plist';

export interface MachinePolicyPlaces {
  readonly platform?: NodeJS.Platform;
  readonly run?: RunTool;
  /** For tests, as are the next two. A flag or variable for it would be a way around the policy. */
  readonly file?: string;
  readonly preferencesFolder?: string;
  /** Who may have written the files, besides root. */
  readonly owner?: number;
}

export type ReadMachinePolicy = () => Promise<PolicyLayer[]>;

/** Highest first. @throws PolicyError */
export async function readMachinePolicy(places: MachinePolicyPlaces = {}): Promise<PolicyLayer[]> {
  const { platform = process.platform, run = runTool, file = MACHINE_POLICY_FILE, owner = 0 } = places;
  switch (platform) {
    case 'win32':
      return readRegistryPolicy(run);
    case 'darwin': {
      const folder = places.preferencesFolder ?? MANAGED_PREFERENCES_FOLDER;
      // The machine's own come before those for one user.
      const files = [`${folder}/${PREFERENCES_FILE}`, `${folder}/${userInfo().username}/${PREFERENCES_FILE}`];
      const layers = await Promise.all(files.map((one) => readPreferences(one, run, owner)));
      return layers.flatMap((layer) => layer ?? []);
    }
    default:
      return fromFile(file, owner);
  }
}

/** Files to watch for changes; none for the Windows registry. */
export function machinePolicyFiles(places: MachinePolicyPlaces = {}): string[] {
  const { platform = process.platform, file = MACHINE_POLICY_FILE } = places;
  if (platform === 'win32') return [];
  if (platform !== 'darwin') return [file];
  const folder = places.preferencesFolder ?? MANAGED_PREFERENCES_FOLDER;
  return [`${folder}/${PREFERENCES_FILE}`, `${folder}/${userInfo().username}/${PREFERENCES_FILE}`];
}

function fromFile(path: string, owner: number): PolicyLayer[] {
  const text = protectedText(path, owner);
  return text === null ? [] : [layerOf('file', path, text, false)];
}

async function readPreferences(path: string, run: RunTool, owner: number): Promise<PolicyLayer | null> {
  if (protectedText(path, owner) === null) return null;
  let json: string;
  try {
    // Binary or XML; `defaults` would mix in what the user has set.
    json = await run('/usr/bin/plutil', ['-convert', 'json', '-o', '-', path]);
  } catch (error) {
    throw new PolicyError([`The machine policy ${path} cannot be read: ${String(error)}`]);
  }
  return layerOf('managed', path, json, true);
}

function protectedText(path: string, owner: number): string | null {
  const found = readProtectedFile(path, owner);
  if (found.kind === 'refused')
    throw new PolicyError([`The machine policy ${path} is refused: ${found.reason}.`]);
  return found.kind === 'absent' ? null : found.text;
}

function layerOf(source: MachineSource, place: string, text: string, loose: boolean): PolicyLayer {
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { source, place, loose, values: values as Record<string, unknown> };
  } catch {
    // the same error as for any other text that is no object
  }
  throw new PolicyError([`The machine policy ${place} is not a JSON object. Correct or delete it.`]);
}

type ProtectedFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string };

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Reads a file that only an administrator can write or replace.
 * @param owner who may write it besides root; root alone unless a test says otherwise
 */
function readProtectedFile(path: string, owner = 0): ProtectedFile {
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
