// Whether Sightline can store: the data folder and its key store, the sink folder, the file of status events.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, mkdir, open, readFile, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keyFileStore } from '../../platform/keyStore.ts';
import type { Policy } from '../../policy/keys.ts';
import { SinkIdentity } from '../../publisher/sinkIdentity.ts';
import { SightlineError, errno, errorMessage } from '../../shared/errors.ts';
import { SpoolQuota, limitsOf } from '../../spool/quota.ts';
import { readUnreadable } from '../../spool/unreadableFolders.ts';
import { withUnreadable } from '../../status/recordingList.ts';
import { counted, failed, inGiB, ok, orFailed, warning, type Finding } from '../check.ts';
import { recordingsReader, type CheckContext } from '../context.ts';

const PROBE = /^\.sightline-[0-9a-f]{8}\.probe$/;
/** A check takes seconds, so an older file is left over. */
const OLD_PROBE_MS = 3_600_000;

/**
 * Writes a small file into a folder, syncs it, reads it back, and deletes it. Creates a missing folder, as the recorder does.
 * @param mode of a created folder @throws the file system's error
 */
async function tryFolder(folder: string, mode?: number): Promise<void> {
  const probe = join(folder, `.sightline-${randomBytes(4).toString('hex')}.probe`);
  const content = randomBytes(16);
  try {
    await mkdir(folder, { recursive: true, mode });
    const file = await open(probe, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!content.equals(await readFile(probe)))
      throw new Error(`${folder} returns other data than was written: the disk or the share is faulty`);
    await removeOldProbes(folder, (await stat(probe)).mtimeMs).catch(() => undefined);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** Left over from killed checks. @param nowMs by the folder's own clock, because a share's can differ */
async function removeOldProbes(folder: string, nowMs: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((one) => PROBE.test(one))) {
    const path = join(folder, name);
    if (nowMs - (await stat(path)).mtimeMs > OLD_PROBE_MS) await rm(path, { force: true });
  }
}

const folderRemedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Delete what is not needed on it,',
  EDQUOT: 'The disk is full. Delete what is not needed on it,',
  EROFS: 'The disk or share is read-only. Make it writable,',
  ENOTDIR: 'There is a file where a folder should be. Rename that file,',
  EEXIST: 'There is a file where a folder should be. Rename that file,',
  EACCES: 'Give this user write permission there,',
  EPERM: 'Give this user write permission there,',
};

/** @param key the policy key of the folder */
function notWritable(path: string, key: string, error: unknown): Finding {
  const remedy = folderRemedies[errno(error) ?? ''] ?? 'Check that the disk or share is connected and works,';
  return failed(
    `${path} cannot be written to: ${errorMessage(error)}`,
    `${remedy} or set another "${key}" in Sightline's policy.`,
  );
}

const LOW_DISK_BYTES = 1024 ** 3;
const HIGH_QUOTA_SHARE = 0.9;
const RECENT_DAYS = 7;
const AN_HOUR = 'an hour of recording needs about 0.1 to 0.4 GiB';

/** Whether the data folder is writable, how much space its disk and the spool's quota leave, and what is pending in it. */
export async function dataCheck({ policy }: Pick<CheckContext, 'policy'>): Promise<Finding> {
  const { dataDir } = policy;
  try {
    await tryFolder(dataDir, 0o700);
    // Not written to: the file would be among recordings.
    await access(join(dataDir, 'spool'), constants.W_OK).catch((error: unknown) => {
      if (errno(error) !== 'ENOENT') throw error;
    });
  } catch (error) {
    return notWritable(dataDir, 'dataDir', error);
  }
  return judgeUsage(await usageOf(policy));
}

async function usageOf(policy: Policy) {
  const { dataDir } = policy;
  const limits = limitsOf(policy);
  const quota = new SpoolQuota({
    ...{ root: join(dataDir, 'spool'), limits: () => limits, now: Date.now, onProblem: () => undefined },
  });
  const [{ bavail, bsize }, unreadable, recordings] = await Promise.all([
    statfs(dataDir),
    readUnreadable(dataDir),
    recordingsReader(policy)(),
    quota.measure(),
  ]);
  const rows = withUnreadable(recordings, unreadable);
  const since = Date.now() - RECENT_DAYS * 24 * 3_600_000;
  return {
    dataDir,
    /** Free for this user (statfs(2), f_bavail). */
    freeBytes: bavail * bsize,
    /** The part of the disk that stays free. */
    minFreeBytes: limits.minFreeBytes,
    usedBytes: quota.usedBytes,
    quotaBytes: limits.quotaBytes,
    pending: rows.filter((row) => row.waiting).length,
    /** Spool folders that the last start could not read, and why. */
    unreadable: unreadable.map(({ folder, message }) => ({ folder, message })),
    /** Recordings published recently that were damaged on this disk. */
    damaged: rows.filter(({ integrity, time }) => integrity === 'damaged' && Date.parse(time) > since).length,
  };
}

export function judgeUsage(usage: Awaited<ReturnType<typeof usageOf>>): Finding {
  const { dataDir, freeBytes, minFreeBytes, usedBytes, quotaBytes, pending, unreadable, damaged } = usage;
  const evidence =
    `${dataDir} is writable, ${inGiB(freeBytes)} free; the spool (recordings on this disk) uses ${inGiB(usedBytes)} of ` +
    `${inGiB(quotaBytes)}, ${counted(pending, 'recording')} pending`;
  const [first] = unreadable;
  if (first !== undefined) {
    const others = unreadable.length === 1 ? '' : `, and ${unreadable.length - 1} more`;
    return failed(
      `${evidence}; ${first.folder} cannot be read${others}: ${first.message}`,
      'Do not delete that folder: recordings are in it. If a key is missing, restore it; if a file is damaged, have the disk checked and restore the folder from a backup. Then start Sightline again, which reads the folder again. "sightline recordings" lists what is in it.',
    );
  }
  if (freeBytes < minFreeBytes)
    return failed(
      evidence,
      `Nothing is recorded while less than ${inGiB(minFreeBytes)} of this disk is free ("spoolMinFreeMiB" in Sightline's policy). Delete what is not needed on it: ${AN_HOUR}.`,
    );
  if (usedBytes >= quotaBytes * HIGH_QUOTA_SHARE)
    return warning(
      evidence,
      'Recording will stop soon. "sightline recordings" shows why uploads are pending: fix that, or raise "spoolQuotaMiB" in Sightline\'s policy.',
    );
  if (damaged > 0)
    return warning(
      `${evidence}; ${counted(damaged, 'recording')} damaged on this disk in the last ${RECENT_DAYS} days`,
      'They were published with gaps "unreadable"; their manifests have the details. Have the disk checked, and find out which users can write to this folder. "sightline recordings" lists them.',
    );
  if (freeBytes < minFreeBytes + LOW_DISK_BYTES)
    return warning(evidence, `Delete what is not needed on this disk: ${AN_HOUR}.`);
  return ok(evidence, pending > 0 ? '"sightline recordings" shows why they are pending.' : '');
}

const NEEDED = 'Nothing can be recorded until this works.';

/** Which key store protects recordings that are not uploaded yet, and whether it decrypts what it encrypted. */
export async function keyStoreCheck({
  keyStore,
  policy: { dataDir },
}: {
  readonly keyStore: CheckContext['keyStore'];
  readonly policy: Pick<Policy, 'dataDir'>;
}): Promise<Finding> {
  const keyFile = join(dataDir, 'spool.key');
  const store = keyStore ?? keyFileStore(keyFile);
  const judged = (evidence: string): Finding =>
    store.warning === null ? ok(evidence) : warning(evidence, store.warning);
  // A check creates no key.
  if (keyStore === null && !existsSync(keyFile))
    return judged(`${store.name}, created when the first contact is recorded`);
  const remedy =
    store.name === 'key-file'
      ? `${NEEDED} Follow the message above. If the right file is lost, and no pending recording is needed any more, move this file away and start Sightline again: it creates a new one.`
      : `${NEEDED} Log off and on again, which unlocks it; if it stays so, send the diagnostics to support.`;
  return orFailed(`${store.name}: `, remedy, async () => {
    const key = randomBytes(32);
    if (key.equals(await store.unwrap(await store.wrap(key))))
      return judged(`${store.name} encrypts and decrypts`);
    return failed(
      `${store.name} returns another key than it was given`,
      `${NEEDED} Export the diagnostics and send them to support.`,
    );
  });
}

export async function sinkFolderCheck({
  policy: { sinkFolder, dataDir },
}: Pick<CheckContext, 'policy'>): Promise<Finding> {
  try {
    // First, because tryFolder creates the folder.
    await new SinkIdentity(sinkFolder, dataDir).check();
    await tryFolder(sinkFolder);
    return ok(`${sinkFolder} is writable`);
  } catch (error) {
    if (!(error instanceof SightlineError) || error.code !== 'SINK_CHANGED')
      return notWritable(sinkFolder, 'sinkFolder', error);
    return failed(
      error.message,
      'Mount the share, or accept the folder as the message says. Pending recordings are then uploaded.',
    );
  }
}

/** Whether status events can be written: to the folder of their file, and to the file if it exists. */
export async function statusEventsCheck({ policy }: Pick<CheckContext, 'policy'>): Promise<Finding> {
  const file = policy.statusEventsFile;
  const folder = dirname(file);
  try {
    await tryFolder(folder);
  } catch (error) {
    return notWritable(folder, 'statusEventsFile', error);
  }
  try {
    // 'r+' does not create the file.
    await (await open(file, 'r+')).close();
    return ok(`${file} is writable`);
  } catch (error) {
    if (errno(error) === 'ENOENT') return ok(`${folder} is writable; there are no events yet`);
    if (errno(error) === 'EISDIR')
      return failed(`${file} is a folder`, 'Move that folder away. Pending events are then written.');
    return notWritable(file, 'statusEventsFile', error);
  }
}
