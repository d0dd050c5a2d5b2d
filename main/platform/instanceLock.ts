// One Sightline for each data folder: two would publish and delete each other's recordings.

import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SightlineError, errno, errorMessage } from '../shared/errors.ts';
import { parseJsonObject } from '../shared/json.ts';

/**
 * @returns releases the lock
 * @throws SightlineError SPOOL_UNREADABLE when another process has it, or the folder cannot be written to
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
    const message = `The data folder ${folder} cannot be used: ${errorMessage(error)}`;
    throw new SightlineError('SPOOL_UNREADABLE', message, { cause: error });
  }
}

/** The process that has locked a data folder, or null. */
export function lockHolder(folder: string): number | null {
  if (process.platform === 'win32') return isOpenElsewhere(folder) ? pidIn(pidFile(folder)) : null;
  const pids = namesIn(lockPath(folder)).map(livingProcess);
  return pids.find((pid) => pid !== null) ?? null;
}

const LOCK = 'sightline.lock';
const PREPARED = `${LOCK}.`;
const UNKNOWN = 'unknown';

const lockPath = (folder: string): string => join(folder, LOCK);

/**
 * The lock is a folder with one entry, named after its process. It is complete from the start: rename(2) replaces an empty
 * folder at most, so of any number of processes one succeeds. What a crash left is removed by its own unique name, so that
 * no process can remove the lock of a living one.
 */
function lockByRename(folder: string): () => void {
  const lock = lockPath(folder);
  const name = [process.pid, startOf(process.pid) ?? UNKNOWN, randomBytes(4).toString('hex')].join('.');
  const prepared = join(folder, PREPARED + name);
  mkdirSync(prepared, { mode: 0o700 });
  try {
    writeFileSync(join(prepared, name), '', { flag: 'wx', mode: 0o600 });
    while (!succeeds(() => renameSync(prepared, lock), 'ENOTEMPTY', 'EEXIST')) removeDead(folder, lock);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    throw error;
  }
  for (const left of namesIn(folder).filter((entry) => entry.startsWith(PREPARED)))
    if (livingProcess(left.slice(PREPARED.length)) === null)
      rmSync(join(folder, left), { recursive: true, force: true });
  return () => {
    rmSync(join(lock, name), { force: true });
    // rmdir(2) removes empty folders only: a process that has the lock by now keeps it.
    succeeds(() => rmdirSync(lock), 'ENOTEMPTY', 'EEXIST', 'ENOENT');
  };
}

/** @throws errors with other codes */
function succeeds(act: () => void, ...expected: string[]): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (expected.includes(errno(error) ?? '')) return false;
    throw error;
  }
}

/** @throws SightlineError when the lock's process is alive */
function removeDead(folder: string, lock: string): void {
  for (const name of namesIn(lock)) {
    const pid = livingProcess(name);
    if (pid !== null) throw taken(folder, pid);
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

/** The process that an entry names; null when it is gone (a crash leaves its entry behind). */
function livingProcess(name: string): number | null {
  const [number = '', started] = name.split('.');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  // The id may have been given to another process since: then it started at another time.
  const now = startOf(pid);
  return now !== null && started !== UNKNOWN && now !== started ? null : pid;
}

/**
 * Windows reuses process ids at once and does not report when a process began; but it can keep a file open for one process
 * only, and closes it when that ends, however it ends. The id is for messages only.
 */
function lockByOpening(folder: string): () => void {
  let lock = -1;
  if (!succeeds(() => (lock = openExclusively(folder, constants.O_CREAT)), 'EBUSY'))
    throw taken(folder, pidIn(pidFile(folder)));
  writeFileSync(pidFile(folder), JSON.stringify({ pid: process.pid, started: null }));
  return () => {
    rmSync(pidFile(folder), { force: true });
    // The file stays: another process may have it open by the time it could be removed.
    closeSync(lock);
  };
}

const pidFile = (folder: string): string => join(folder, 'sightline.pid');

/** UV_FS_O_EXLOCK: no other process can open it, not even for reading (https://docs.libuv.org/en/v1.x/fs.html). */
const EXCLUSIVELY = 0x10000000;

/** @throws Error EBUSY while another process has it open */
function openExclusively(folder: string, flags: number): number {
  return openSync(lockPath(folder), constants.O_RDWR | flags | EXCLUSIVELY, 0o600);
}

function isOpenElsewhere(folder: string): boolean {
  try {
    closeSync(openExclusively(folder, 0));
    return false;
  } catch (error) {
    return errno(error) === 'EBUSY';
  }
}

function pidIn(path: string): number {
  try {
    const pid = parseJsonObject(readFileSync(path, 'utf8'))?.['pid'];
    return typeof pid === 'number' ? pid : 0;
  } catch {
    return 0; // the other process has just begun
  }
}

function taken(folder: string, pid: number): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `Another Sightline (process ${pid}) uses the data folder ${folder}. End it, or set another "dataDir".`,
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
 * When a process started, in clock ticks since boot (proc(5), field 22 of stat); null where there is no /proc. A zombie
 * (field 3) uses nothing any more: 'never'.
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
