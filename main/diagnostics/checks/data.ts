// Whether the data folder can be written to, how much room its disk and the spool's quota leave, and what waits in it.

import { access, constants, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, inGiB, ok, warning } from '../check.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

export interface DataSubject {
  readonly dataDir: string;
  readonly quotaBytes: number;
  /** So much of the disk is left free. */
  readonly minFreeBytes: number;
  readonly spool: () => Promise<{
    readonly heldBytes: number;
    readonly waiting: number;
    /** Folders of it that the last start could not read, and why. */
    readonly unreadable: readonly { readonly folder: string; readonly message: string }[];
    /** Recordings that were delivered lately and were not as they had been written. */
    readonly damaged: number;
  }>;
  /** Bytes that this user may still write there (statfs(2), f_bavail). */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

const LOW_DISK_BYTES = 1024 ** 3;
const MUCH_OF_THE_QUOTA = 0.9;
const AN_HOUR = 'an hour of recording needs about 0.1 to 0.4 GiB';

/** For how long deliveries of damaged recordings are told of. */
export const LATELY_DAYS = 7;
const UNREADABLE =
  'Do not delete that folder: recordings are in it. If a key is missing, put it back; if a file was damaged, have the disk checked and put the folder back from a backup. Then start Sightline again, which reads it again. "sightline recordings" lists what is in it.';
const DAMAGED =
  'They were delivered with gaps "unreadable"; their manifests say what was found. Have the disk checked, and who can write to this folder. "sightline recordings" names them.';

export function dataCheck(subject: DataSubject): Check {
  const { dataDir, quotaBytes, minFreeBytes, spool, freeBytes = freeOf } = subject;
  return {
    name: 'data folder',
    run: async () => {
      try {
        await tryFolder(dataDir, 0o700);
        // Only asked about: a file of ours in there would be among recordings.
        await access(join(dataDir, 'spool'), constants.W_OK).catch((error: unknown) => {
          if (errno(error) !== 'ENOENT') throw error;
        });
      } catch (error) {
        return failed(...folderTrouble(dataDir, 'dataDir', error));
      }
      const [free, { heldBytes, waiting, unreadable, damaged }] = await Promise.all([
        freeBytes(dataDir),
        spool(),
      ]);
      const evidence =
        `${dataDir} can be written to, ${inGiB(free)} free; the spool (recordings on this disk) holds ${inGiB(heldBytes)} of ` +
        `${inGiB(quotaBytes)}, ${waiting} ${waiting === 1 ? 'recording waits' : 'recordings wait'} to be delivered`;
      const [first] = unreadable;
      if (first !== undefined) {
        const others = unreadable.length === 1 ? '' : `, and ${unreadable.length - 1} more`;
        return failed(`${evidence}; ${first.folder} cannot be read${others}: ${first.message}`, UNREADABLE);
      }
      if (free < minFreeBytes) {
        return failed(
          evidence,
          `Nothing is recorded while less than ${inGiB(minFreeBytes)} of this disk is free ("spoolMinFreeMiB" in Sightline's policy). Delete what is not needed on it: ${AN_HOUR}.`,
        );
      }
      if (heldBytes >= quotaBytes * MUCH_OF_THE_QUOTA) {
        return warning(
          evidence,
          'Soon nothing more is recorded. "sightline recordings" says what keeps recordings from being delivered: see to that, or raise "spoolQuotaMiB" in Sightline\'s policy.',
        );
      }
      if (damaged > 0) {
        const were = damaged === 1 ? '1 recording was' : `${damaged} recordings were`;
        return warning(`${evidence}; ${were} damaged on this disk in the last ${LATELY_DAYS} days`, DAMAGED);
      }
      if (free < minFreeBytes + LOW_DISK_BYTES)
        return warning(evidence, `Delete what is not needed on this disk: ${AN_HOUR}.`);
      return ok(evidence, waiting > 0 ? '"sightline recordings" says what they wait for.' : '');
    },
  };
}

async function freeOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
