// A disk that can be made to stand still: an ext4 image of its own, frozen by fsfreeze(8), whose writers then wait as
// they do for a disk that has gone to sleep. For root on Linux; elsewhere there is none, and the soak says so.
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOptionalTool, runOrThrow } from '../rig/process.ts';

const SIZE_MIB = 768;

export interface SlowDisk {
  readonly folder: string;
  /** Every write to it waits for so long; resolves when they go on. @param onFrozen called when they wait */
  freeze(ms: number, onFrozen?: () => void): Promise<void>;
  remove(): Promise<void>;
}

/** null where it cannot be made. */
export async function makeSlowDisk(): Promise<SlowDisk | null> {
  const tools = ['truncate', 'mkfs.ext4', 'mount', 'umount', 'fsfreeze'].map((name) =>
    findOptionalTool([name]),
  );
  const [truncate, mkfs, mount, umount, fsfreeze] = tools;
  if (process.getuid?.() !== 0 || !truncate || !mkfs || !mount || !umount || !fsfreeze) return null;
  const home = await mkdtemp(join(tmpdir(), 'sightline-slow-'));
  const image = join(home, 'image');
  const folder = join(home, 'disk');
  await mkdir(folder);
  try {
    await runOrThrow(truncate, ['-s', `${SIZE_MIB}M`, image]);
    await runOrThrow(mkfs, ['-q', '-F', image]);
    await runOrThrow(mount, ['-o', 'loop', image, folder]);
  } catch {
    await rm(home, { recursive: true, force: true });
    return null;
  }
  let frozen: Promise<void> | null = null;
  const thaw = async (): Promise<void> => {
    await runOrThrow(fsfreeze, ['-u', folder]).catch(() => undefined);
  };
  return {
    folder,
    freeze(ms, onFrozen) {
      frozen ??= (async () => {
        try {
          await runOrThrow(fsfreeze, ['-f', folder]);
          onFrozen?.();
          await sleep(ms);
        } finally {
          await thaw();
          frozen = null;
        }
      })();
      return frozen;
    },
    async remove() {
      await frozen;
      await thaw();
      await runOrThrow(umount, ['-l', folder]);
      await rm(home, { recursive: true, force: true });
    },
  };
}
