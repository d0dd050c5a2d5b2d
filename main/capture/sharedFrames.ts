// Whether other local users can read the frames that an ffmpeg shares with the X server. The mode of the segments is compiled
// into ffmpeg (x11grab: 0777; our own build: 0600, see resources/ffmpeg/patches), so it is checked while ffmpeg grabs.

import { readFile } from 'node:fs/promises';

export const EXPOSED =
  'Other users of this computer can read the screen while this ffmpeg records. Use the ffmpeg that comes with Sightline: ' +
  'remove "ffmpegPath" from its policy, or reinstall Sightline.';

const PERMISSIONS = 2;
const CREATOR = 4;

/** @returns false where that process has no System V shared memory (another grabber, another system) */
export async function sharesFramesWithOthers(pid: number): Promise<boolean> {
  // proc_sysvipc_shm(5): key, shmid, perms (octal), size, cpid, ...
  const text = await readFile('/proc/sysvipc/shm', 'utf8').catch(() => '');
  return text.split('\n').some((line) => {
    const fields = line.trim().split(/\s+/);
    return Number(fields[CREATOR]) === pid && (parseInt(fields[PERMISSIONS] ?? '', 8) & 0o077) !== 0;
  });
}
