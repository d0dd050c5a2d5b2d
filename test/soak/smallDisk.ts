// A disk of its own for a data folder, small enough to be filled to its last byte by another program. It outlives the
// processes on it, so it is mounted for everybody: for root on Linux; elsewhere there is none, and the soak says so.
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../main/shared/errors.ts';
import { findOptionalTool, runOrThrow } from '../rig/process.ts';

const SIZE_MIB = 64;
const MIB = 1024 * 1024;

export interface SmallDisk {
  /** Not a byte is left. @returns false: it has been full before */
  fill(): Promise<boolean>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

export function whyNoSmallDisk(): string | null {
  if (process.platform === 'linux' && process.getuid?.() === 0 && findOptionalTool(['mount'])) return null;
  return 'a disk that can be filled takes root and Linux';
}

/** Mounted on `folder`. */
export async function makeSmallDisk(folder: string): Promise<SmallDisk> {
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=700`, 'tmpfs', folder]);
  const filler = join(folder, 'filler');
  let wasFilled = false;
  return {
    async fill() {
      if (wasFilled) return false;
      wasFilled = true;
      await fillUp(filler);
      return true;
    },
    free: () => rm(filler, { force: true }),
    async remove() {
      await runOrThrow('umount', ['-l', folder]);
    },
  };
}

async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let size = MIB; size >= 1; size /= 4) {
      const bytes = Buffer.alloc(size);
      while (await isWritten(file.write(bytes, 0, size, null)));
    }
  } finally {
    await file.close();
  }
}

async function isWritten(writing: Promise<{ bytesWritten: number }>): Promise<boolean> {
  try {
    return (await writing).bytesWritten > 0;
  } catch (error) {
    if (errno(error) === 'ENOSPC') return false;
    throw error;
  }
}
