// Whether the data folder is writable, how much space its disk and the spool's quota leave, and what is pending in it.

import { access, constants, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { withUnreadable } from '../../status/recordingList.ts';
import type { Policy } from '../../policy/keys.ts';
import { errno } from '../../shared/errors.ts';
import { SpoolQuota, limitsOf } from '../../spool/quota.ts';
import { readUnreadable } from '../../spool/unreadableFolders.ts';
import type { Check, Finding } from '../check.ts';
import { failed, inGiB, ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { readRecordings } from '../context.ts';
import { folderTrouble, tryFolder } from './tryFolder.ts';

export interface SpoolUsage {
  readonly dataDir: string;
  /** Free for this user (statfs(2), f_bavail). */
  readonly freeBytes: number;
  /** The part of the disk that stays free. */
  readonly minFreeBytes: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly pending: number;
  /** Spool folders that the last start could not read, and why. */
  readonly unreadable: readonly { readonly folder: string; readonly message: string }[];
  /** Recordings published recently that were damaged on this disk. */
  readonly damaged: number;
}

const LOW_DISK_BYTES = 1024 ** 3;
const HIGH_QUOTA_SHARE = 0.9;
const AN_HOUR = 'an hour of recording needs about 0.1 to 0.4 GiB';

const RECENT_DAYS = 7;
const UNREADABLE =
  'Do not delete that folder: recordings are in it. If a key is missing, restore it; if a file is damaged, have the disk checked and restore the folder from a backup. Then start Sightline again, which reads the folder again. "sightline recordings" lists what is in it.';
const DAMAGED =
  'They were published with gaps "unreadable"; their manifests have the details. Have the disk checked, and find out which users can write to this folder. "sightline recordings" lists them.';

export function dataCheck({ policy }: Pick<CheckContext, 'policy'>): Check {
  const { dataDir } = policy;
  return {
    name: 'data folder',
    run: async () => {
      try {
        await tryFolder(dataDir, 0o700);
        // Not written to: the file would be among recordings.
        await access(join(dataDir, 'spool'), constants.W_OK).catch((error: unknown) => {
          if (errno(error) !== 'ENOENT') throw error;
        });
      } catch (error) {
        return failed(...folderTrouble(dataDir, 'dataDir', error));
      }
      return judgeUsage(await usageOf(policy));
    },
  };
}

async function usageOf(policy: Policy): Promise<SpoolUsage> {
  const { dataDir } = policy;
  const limits = limitsOf(policy);
  const quota = new SpoolQuota({
    ...{ root: join(dataDir, 'spool'), limits: () => limits, now: Date.now, onProblem: () => undefined },
  });
  const [{ bavail, bsize }, unreadable, recordings] = await Promise.all([
    statfs(dataDir),
    readUnreadable(dataDir),
    readRecordings(policy),
    quota.measure(),
  ]);
  const rows = withUnreadable(recordings, unreadable);
  const since = Date.now() - RECENT_DAYS * 24 * 3_600_000;
  return {
    ...{ dataDir, unreadable, freeBytes: bavail * bsize, usedBytes: quota.usedBytes },
    ...{ minFreeBytes: limits.minFreeBytes, quotaBytes: limits.quotaBytes },
    pending: rows.filter((row) => row.waiting).length,
    damaged: rows.filter(({ integrity, time }) => integrity === 'damaged' && Date.parse(time) > since).length,
  };
}

export function judgeUsage(usage: SpoolUsage): Finding {
  const { dataDir, freeBytes, minFreeBytes, usedBytes, quotaBytes, pending, unreadable, damaged } = usage;
  const evidence =
    `${dataDir} is writable, ${inGiB(freeBytes)} free; the spool (recordings on this disk) uses ${inGiB(usedBytes)} of ` +
    `${inGiB(quotaBytes)}, ${count(pending, 'recording')} pending`;
  const [first] = unreadable;
  if (first !== undefined) {
    const others = unreadable.length === 1 ? '' : `, and ${unreadable.length - 1} more`;
    return failed(`${evidence}; ${first.folder} cannot be read${others}: ${first.message}`, UNREADABLE);
  }
  if (freeBytes < minFreeBytes) {
    return failed(
      evidence,
      `Nothing is recorded while less than ${inGiB(minFreeBytes)} of this disk is free ("spoolMinFreeMiB" in Sightline's policy). Delete what is not needed on it: ${AN_HOUR}.`,
    );
  }
  if (usedBytes >= quotaBytes * HIGH_QUOTA_SHARE) {
    return warning(
      evidence,
      'Recording will stop soon. "sightline recordings" shows why uploads are pending: fix that, or raise "spoolQuotaMiB" in Sightline\'s policy.',
    );
  }
  if (damaged > 0) {
    const text = `${count(damaged, 'recording')} damaged on this disk in the last ${RECENT_DAYS} days`;
    return warning(`${evidence}; ${text}`, DAMAGED);
  }
  if (freeBytes < minFreeBytes + LOW_DISK_BYTES)
    return warning(evidence, `Delete what is not needed on this disk: ${AN_HOUR}.`);
  return ok(evidence, pending > 0 ? '"sightline recordings" shows why they are pending.' : '');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
