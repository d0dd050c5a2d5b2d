// Whether the data folder can be written to, how much room its disk and the spool's quota leave, and what waits in it.

import { statfs } from 'node:fs/promises';
import type { Check } from '../check.ts';
import { failed, inGiB, ok, warning, wordsOf } from '../check.ts';
import { tryFolder } from './tryFolder.ts';

export interface DataSubject {
  readonly dataDir: string;
  readonly quotaBytes: number;
  /** So much of the disk is left free. */
  readonly minFreeBytes: number;
  readonly spool: () => Promise<{ readonly heldBytes: number; readonly waiting: number }>;
  /** Bytes that this user may still write there (statfs(2), f_bavail). */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

const LOW_DISK_BYTES = 1024 ** 3;
const MUCH_OF_THE_QUOTA = 0.9;
const AN_HOUR = 'an hour of recording needs about 0.1 to 0.4 GiB';

export function dataCheck(subject: DataSubject): Check {
  const { dataDir, quotaBytes, minFreeBytes, spool, freeBytes = freeOf } = subject;
  return {
    name: 'data folder',
    run: async () => {
      try {
        await tryFolder(dataDir, 0o700);
      } catch (error) {
        return failed(wordsOf(error), 'Give this user the right to write there, or set another "dataDir".');
      }
      const [free, { heldBytes, waiting }] = await Promise.all([freeBytes(dataDir), spool()]);
      const evidence =
        `${dataDir} can be written to, ${inGiB(free)} free; the spool holds ${inGiB(heldBytes)} of ` +
        `${inGiB(quotaBytes)}, ${waiting} ${waiting === 1 ? 'recording waits' : 'recordings wait'} to be delivered`;
      if (free < minFreeBytes) {
        return failed(
          evidence,
          `Nothing is recorded while less than ${inGiB(minFreeBytes)} is free ("spoolMinFreeMiB"). Free some space: ${AN_HOUR}.`,
        );
      }
      if (heldBytes >= quotaBytes * MUCH_OF_THE_QUOTA) {
        return warning(
          evidence,
          'Soon nothing more is recorded. See to it that what waits is delivered, or raise "spoolQuotaMiB".',
        );
      }
      if (free < minFreeBytes + LOW_DISK_BYTES) return warning(evidence, `Free some space: ${AN_HOUR}.`);
      return ok(evidence, waiting > 0 ? '"sightline recordings" says what they wait for.' : '');
    },
  };
}

async function freeOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
