// One Sightline for each data folder: two of them would publish and delete under each other's hands.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SightlineError, errno } from '../shared/errors.ts';

/**
 * @returns the way to give the lock back
 * @throws SightlineError SPOOL_UNREADABLE when another process holds it, or the folder cannot be written to
 */
export function lockDataFolder(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const release = process.platform === 'win32' ? lockByOpening(folder) : lockByRename(folder);
    return () => {
      try {
        release();
      } catch {
        // A disk that deletes nothing: the next process sees that this one is gone.
      }
    };
  } catch (error) {
    if (error instanceof SightlineError) throw error;
    const words = error instanceof Error ? error.message : String(error);
    throw new SightlineError('SPOOL_UNREADABLE', `The data folder ${folder} cannot be used: ${words}`, {
      cause: error,
    });
  }
}

/** The process that holds a data folder's lock; null when none does. */
export function lockHolder(folder: string): number | null {
  if (process.platform === 'win32') return isHeldOpen(folder) ? numberIn(pidFile(folder)) : null;
  return (
    namesIn(lockPath(folder))
      .map(livingHolder)
      .find((pid) => pid !== null) ?? null
  );
}

/**
 * The lock is a folder with one entry, whose name says who holds it. It comes into being whole, by rename(2), which takes
 * the place of nothing or of an empty folder only: of any number that try at once one succeeds. What a crash left is
 * removed by its own name, which nobody else has, so that nobody can remove the lock of one who lives.
 */
function lockByRename(folder: string): () => void {
  const lock = lockPath(folder);
  const name = [process.pid, startOf(process.pid) ?? UNKNOWN, randomBytes(4).toString('hex')].join('.');
  const prepared = `${lock}.${name}`;
  mkdirSync(prepared, { mode: 0o700 });
  try {
    writeFileSync(join(prepared, name), '', { flag: 'wx', mode: 0o600 });
    while (!isMoved(prepared, lock)) removeTheDead(folder, lock);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    throw error;
  }
  for (const left of namesIn(folder).filter(isPrepared))
    if (livingHolder(left.slice(PREPARED.length)) === null)
      rmSync(join(folder, left), { recursive: true, force: true });
  return () => {
    rmSync(join(lock, name), { force: true });
    removeEmpty(lock);
  };
}

const LOCK = 'sightline.lock';
const PREPARED = `${LOCK}.`;
const UNKNOWN = 'unknown';

const lockPath = (folder: string): string => join(folder, LOCK);
const isPrepared = (name: string): boolean => name.startsWith(PREPARED);

function isMoved(prepared: string, lock: string): boolean {
  try {
    renameSync(prepared, lock);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(errno(error) ?? '')) return false;
    throw error;
  }
}

/** @throws SightlineError when one of the holders lives */
function removeTheDead(folder: string, lock: string): void {
  for (const name of namesIn(lock)) {
    const holder = livingHolder(name);
    if (holder !== null) throw taken(folder, holder);
    rmSync(join(lock, name), { force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

/** rmdir(2) removes empty folders only: whoever has taken the lock meanwhile keeps it. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errno(error) ?? '')) throw error;
  }
}

/** The process that an entry names; null when it is gone (a crash leaves its entry behind). */
function livingHolder(name: string): number | null {
  const [number = '', started] = name.split('.');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  // The number may have been given to another process since: then it started at another time.
  const now = startOf(pid);
  return now !== null && started !== UNKNOWN && now !== started ? null : pid;
}

/**
 * Windows gives a process's number to the next one at once and does not tell when a process began; but it can keep a
 * file open for one process only, and closes it when that ends, however it ends. The number is only for words.
 */
function lockByOpening(folder: string): () => void {
  let lock: number;
  try {
    lock = openAlone(folder, constants.O_CREAT);
  } catch (error) {
    if (isSharingViolation(error)) throw taken(folder, numberIn(pidFile(folder)));
    throw error;
  }
  writeFileSync(pidFile(folder), JSON.stringify({ pid: process.pid, started: null }));
  return () => {
    rmSync(pidFile(folder), { force: true });
    // The file stays: another process may have it open by the time it could be removed.
    closeSync(lock);
  };
}

const pidFile = (folder: string): string => join(folder, 'sightline.pid');

/** UV_FS_O_EXLOCK: nobody else can open it, not even for reading (https://docs.libuv.org/en/v1.x/fs.html). */
const EXCLUSIVELY = 0x10000000;

function openAlone(folder: string, flags: number): number {
  return openSync(lockPath(folder), constants.O_RDWR | flags | EXCLUSIVELY, 0o600);
}

function isHeldOpen(folder: string): boolean {
  try {
    closeSync(openAlone(folder, 0));
    return false;
  } catch (error) {
    return isSharingViolation(error);
  }
}

function isSharingViolation(error: unknown): boolean {
  return errno(error) === 'EBUSY';
}

function numberIn(path: string): number {
  try {
    const { pid } = JSON.parse(readFileSync(path, 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' ? pid : 0;
  } catch {
    return 0; // it has just begun
  }
}

function taken(folder: string, holder: number): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `Another Sightline (process ${holder}) uses the data folder ${folder}. End it, or set another "dataDir".`,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errno(error) === 'EPERM';
  }
}

/**
 * When a process started, in clock ticks since boot (proc(5), field 22 of stat); null where /proc is not there. A
 * zombie (field 3) holds nothing any more, and started never.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'never' : (fields[19] ?? null);
  } catch {
    return null;
  }
}
