// Loaded into the recorder by the kill soak (`node --import`): at the n-th fsync, counted from its start, the power goes.
// Every file of the data folder is cut to what had been synced of it, and the process is gone. Plain JavaScript, because
// it runs inside the built program, which knows nothing of it.
import { readdirSync, readlinkSync, statSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const folder = process.env.SIGHTLINE_TEST_DATA ?? '';
let left = Number(process.env.SIGHTLINE_TEST_SYNCS);
/** Bytes of each file (by its inode: it may be renamed) that a power cut cannot take any more. */
const synced = new Map();

const probe = await open('/dev/null');
const prototype = Object.getPrototypeOf(probe);
await probe.close();
for (const name of ['sync', 'datasync']) {
  const real = prototype[name];
  prototype[name] = async function (...args) {
    // What is written while the sync is under way need not be part of it.
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    const { size, ino } = statSync(path);
    const result = await real.apply(this, args);
    if (path.startsWith(folder)) {
      synced.set(ino, Math.max(size, synced.get(ino) ?? 0));
      left -= 1;
      if (left === 0) cutPower();
    }
    return result;
  };
}

function cutPower() {
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name);
    const { size, ino } = statSync(path);
    if (!statSync(path).isFile()) continue;
    const keep = synced.get(ino) ?? 0;
    if (size > keep) truncateSync(path, keep);
  }
  process.kill(process.pid, 'SIGKILL');
}
