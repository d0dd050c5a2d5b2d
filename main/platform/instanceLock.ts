// One Sightline for each data folder: two of them would publish and delete under each other's hands.

import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SightlineError, errno } from '../shared/errors.ts';

/**
 * @returns the way to give the lock back
 * @throws SightlineError SPOOL_UNREADABLE when another process holds it, or the folder cannot be written to
 */
export function lockDataFolder(folder: string): () => void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return process.platform === 'win32' ? lockByOpening(folder) : lockByNumber(folder);
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
  return readHolder(pidFile(folder));
}

const pidFile = (folder: string): string => join(folder, 'sightline.pid');

function lockByNumber(folder: string): () => void {
  const path = pidFile(folder);
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (errno(error) !== 'EEXIST' || tries > 2) throw error;
    }
    const holder = readHolder(path);
    if (holder !== null) throw taken(folder, holder);
    rmSync(path, { force: true });
  }
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
    closeSync(lock);
    rmSync(lockFile(folder), { force: true });
  };
}

const lockFile = (folder: string): string => join(folder, 'sightline.lock');

/** UV_FS_O_EXLOCK: nobody else can open it, not even for reading (https://docs.libuv.org/en/v1.x/fs.html). */
const EXCLUSIVELY = 0x10000000;

function openAlone(folder: string, flags: number): number {
  return openSync(lockFile(folder), constants.O_RDWR | flags | EXCLUSIVELY, 0o600);
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

/** The process that holds the lock, or null when it is gone (a crash leaves the file behind). */
function readHolder(path: string): number | null {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as { pid?: unknown; started?: unknown };
    if (typeof holder.pid !== 'number' || !isAlive(holder.pid)) return null;
    // The number may have been given to another process since: then it started at another time.
    const started = startOf(holder.pid);
    return started !== null && holder.started !== null && started !== holder.started ? null : holder.pid;
  } catch {
    return null;
  }
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
