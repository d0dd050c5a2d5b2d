// One build at a time per recipe, across processes. It must never leave a lock that a later build cannot get past.
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

const staleAfterMs = 120_000;
const touchEveryMs = 20_000;
const askEveryMs = 1_000;

/**
 * Waits for the lock file, then resolves to a function that releases it. While waiting, `isDone` is asked now and then
 * and ends the wait with undefined as soon as it says true.
 */
export async function acquireLock(path, isDone, log) {
  let announced = false;
  for (;;) {
    if (tryCreate(path)) {
      const timer = setInterval(() => touch(path), touchEveryMs);
      return () => {
        clearInterval(timer);
        rmSync(path, { force: true });
      };
    }
    if (isAbandoned(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!announced) log(`another process is building this ffmpeg; waiting for it (its lock is ${path})`);
    announced = true;
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    if (isDone()) return undefined;
  }
}

function tryCreate(path) {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, JSON.stringify({ pid: process.pid, host: hostname() }));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

// Its owner is dead, or has not touched it for long. Should both be wrong, two builds run and the second rename loses.
function isAbandoned(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > staleAfterMs) return true;
    const owner = JSON.parse(readFileSync(path, 'utf8') || '{}');
    return owner.host === hostname() && !isAlive(owner.pid);
  } catch {
    return false; // Released just now, or not yet written: ask again.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Somebody took it for abandoned; the rename at the end copes with that.
  }
}
