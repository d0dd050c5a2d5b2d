// Limits how much the spool stores: its quota, the free space that stays on its disk, and how long published runs are
// retained. When space runs short, the runs of published recordings are deleted, oldest first. Unpublished recordings are
// never deleted: sessions offer only runs that no unpublished recording needs, and if that is not enough, no run starts.

import { lstat, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';

const MIB = 1024 * 1024;
/** Runs stop this far below the quota, so that journals, which are never refused, fit as well. */
const JOURNAL_RESERVE_BYTES = MIB;
/** A run starts only with space for a while: otherwise recording would return for a single frame. */
const RUN_START_BYTES = 16 * MIB;
/** Both reserves are at most this fraction of the limit, for small limits. */
const RESERVE_FRACTION = 1 / 16;
/** While a run is written, the disk is queried again after this many bytes or this time. */
const REQUERY_BYTES = 4 * MIB;
const REQUERY_MS = 2000;
/** setTimeout's maximum. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface QuotaLimits {
  readonly quotaBytes: number;
  /** 0: the disk may fill up. */
  readonly minFreeBytes: number;
  /** How long the runs of published recordings stay; 0: they are deleted at once. */
  readonly keepPublishedMs: number;
}

export interface QuotaOptions {
  /** Called for each decision: policy may change. */
  readonly limits: () => QuotaLimits;
  /** The spool's folder. */
  readonly root: string;
  readonly now: () => Moment;
  /** Bytes that this user may still write to the disk under a folder (statfs(2), f_bavail). */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Called when a run cannot be deleted or the disk cannot be queried; recording continues. */
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface RetainedRun {
  readonly runId: string;
  readonly publishedAt: Moment;
}

/** A session whose files count towards the quota. */
export interface QuotaMember {
  /** How many recordings are complete and not published. */
  readonly unpublishedCount: number;
  /** Runs of published recordings that no unpublished recording needs. */
  readonly retainedRuns: readonly RetainedRun[];
  /** Deletes a retained run; does nothing for any other. */
  discard(runId: string): Promise<void>;
}

/** The limits that policy sets. */
export function limitsOf(policy: {
  readonly spoolQuotaMiB: number;
  readonly spoolMinFreeMiB: number;
  readonly keepPublishedHours: number;
}): QuotaLimits {
  return {
    quotaBytes: policy.spoolQuotaMiB * MIB,
    minFreeBytes: policy.spoolMinFreeMiB * MIB,
    keepPublishedMs: policy.keepPublishedHours * 3_600_000,
  };
}

/** No limit, and nothing is retained after its upload. */
export function unlimitedQuota(root: string): SpoolQuota {
  return new SpoolQuota({
    root,
    limits: () => ({ quotaBytes: Infinity, minFreeBytes: 0, keepPublishedMs: 0 }),
    now: () => 0,
    onProblem: () => undefined,
  });
}

type Shortage = 'quota' | 'disk';
type MemberRun = RetainedRun & { readonly member: QuotaMember };

export class SpoolQuota {
  private readonly members = new Set<QuotaMember>();
  private bytes = 0;
  /** The newest answer of the disk, adjusted by every write and delete since. */
  private disk: { freeBytes: number; queriedAt: Moment; writtenBytes: number } | null = null;
  private freeing: Promise<void> = Promise.resolve();
  private removing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: QuotaOptions) {}

  /** What the spool stores, as counted. */
  get usedBytes(): number {
    return this.bytes;
  }

  join(member: QuotaMember): void {
    this.members.add(member);
  }

  leave(member: QuotaMember): void {
    this.members.delete(member);
  }

  /** Measures the folder. Once, before recording starts; writes and deletes adjust the figure from then on. */
  async measure(): Promise<void> {
    this.bytes = await sizeOf(this.options.root);
  }

  /** Frees space for a new run where necessary. @throws SightlineError SPOOL_FULL */
  async reserveForRun(): Promise<void> {
    this.disk = null; // the last answer is older than the last refusal
    await this.freeSpace(true);
  }

  /** Frees space for a run's next bytes where necessary. @throws SightlineError SPOOL_FULL: do not write them */
  async reserve(bytes: number): Promise<void> {
    this.adjust(bytes);
    if (!this.isDiskStale() && this.shortage(false) === null) return;
    try {
      await this.freeSpace(false);
    } catch (error) {
      this.adjust(-bytes);
      throw error;
    }
  }

  /** Counts bytes that were written without `reserve` (journal lines) or, negative, deleted. */
  adjust(bytes: number): void {
    this.bytes += bytes;
    if (this.disk === null) return;
    this.disk.freeBytes -= bytes;
    this.disk.writtenBytes += Math.max(0, bytes);
  }

  /** Deletes a file or folder of the spool. Serialised, so that no file is subtracted twice. */
  remove(path: string): Promise<void> {
    const removed = this.removing.then(async () => {
      const bytes = await sizeOf(path);
      await rm(path, { recursive: true, force: true });
      this.adjust(-bytes);
    });
    this.removing = removed.catch(() => undefined);
    return removed;
  }

  /** Whether policy retains runs that were published at this time. */
  retains(publishedAt: Moment): boolean {
    const { limits, now } = this.options;
    const { keepPublishedMs } = limits();
    return keepPublishedMs > 0 && publishedAt + keepPublishedMs > now();
  }

  /** Sets the timer for the next deletion. Call it when there may be a new retained run. */
  schedule(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const next = this.oldestRetained();
    if (next === undefined) return;
    const dueMs = next.publishedAt + this.options.limits().keepPublishedMs - this.options.now();
    this.timer = setTimeout(() => void this.expire(), Math.min(Math.max(0, dueMs), MAX_TIMER_MS));
    this.timer.unref();
  }

  private async expire(): Promise<void> {
    for (;;) {
      const next = this.oldestRetained();
      if (next === undefined || this.retains(next.publishedAt)) break;
      await this.discard(next);
    }
    this.schedule();
  }

  /** Serialised: two runs that are written at the same time must not free the same space twice. */
  private freeSpace(forNewRun: boolean): Promise<void> {
    const freed = this.freeing.then(() => this.freeSpaceNow(forNewRun));
    this.freeing = freed.catch(() => undefined);
    return freed;
  }

  private async freeSpaceNow(forNewRun: boolean): Promise<void> {
    if (this.isDiskStale()) await this.queryDisk();
    for (;;) {
      const shortage = this.shortage(forNewRun);
      if (shortage === null) return;
      const oldest = this.oldestRetained();
      if (oldest === undefined) throw this.refusal(shortage);
      await this.discard(oldest);
    }
  }

  private async discard({ member, runId }: MemberRun): Promise<void> {
    try {
      await member.discard(runId);
    } catch (error) {
      this.options.onProblem('a published run could not be deleted', error);
    }
  }

  private oldestRetained(): MemberRun | undefined {
    let oldest: MemberRun | undefined;
    for (const member of this.members) {
      for (const run of member.retainedRuns) {
        if (oldest === undefined || run.publishedAt < oldest.publishedAt) oldest = { ...run, member };
      }
    }
    return oldest;
  }

  private shortage(forNewRun: boolean): Shortage | null {
    const { quotaBytes, minFreeBytes } = this.options.limits();
    const spare = (limit: number): number =>
      forNewRun ? Math.min(RUN_START_BYTES, limit * RESERVE_FRACTION) : 0;
    const reserve = Math.min(JOURNAL_RESERVE_BYTES, quotaBytes * RESERVE_FRACTION);
    if (this.bytes + spare(quotaBytes) > quotaBytes - reserve) return 'quota';
    if (this.disk !== null && this.disk.freeBytes - spare(minFreeBytes) < minFreeBytes) return 'disk';
    return null;
  }

  private isDiskStale(): boolean {
    if (this.options.limits().minFreeBytes === 0) return false;
    if (this.disk === null || this.disk.writtenBytes >= REQUERY_BYTES) return true;
    const ageMs = this.options.now() - this.disk.queriedAt;
    return ageMs < 0 || ageMs >= REQUERY_MS;
  }

  /** Where the disk does not answer, runs are written until it is full. */
  private async queryDisk(): Promise<void> {
    const { root, now, freeBytes = statfsFreeBytes, onProblem } = this.options;
    const queriedAt = now();
    try {
      this.disk = { freeBytes: await freeBytes(root), queriedAt, writtenBytes: 0 };
    } catch (error) {
      this.disk = { freeBytes: Infinity, queriedAt, writtenBytes: 0 };
      onProblem('the free space of the disk under the spool is unknown', error);
    }
  }

  private refusal(shortage: Shortage): SightlineError {
    const { root, limits } = this.options;
    const { quotaBytes, minFreeBytes } = limits();
    const used = inMiB(this.bytes);
    const unpublished = [...this.members].reduce((sum, member) => sum + member.unpublishedCount, 0);
    const remedy = (own: string): string =>
      unpublished === 0
        ? `${own.charAt(0).toUpperCase()}${own.slice(1)}.`
        : `Fix the upload destination so that ${unpublished} waiting ${unpublished === 1 ? 'recording' : 'recordings'} ` +
          `can be uploaded and deleted, or ${own}.`;
    const message =
      shortage === 'quota'
        ? `The spool uses ${used} MiB of its quota of ${inMiB(quotaBytes)} MiB (policy "spoolQuotaMiB") and contains no ` +
          `published recordings to delete. ${remedy('raise spoolQuotaMiB')}`
        : `Only ${inMiB(this.disk?.freeBytes ?? 0)} MiB are free on the disk under ${root}, but ` +
          `${inMiB(minFreeBytes)} MiB must stay free (policy "spoolMinFreeMiB"). The spool uses ${used} MiB and contains no ` +
          `published recordings to delete. ${remedy('free some space on the disk')}`;
    return new SightlineError('SPOOL_FULL', `${message} Recording then continues automatically.`);
  }
}

function inMiB(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0);
}

async function statfsFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Of a file, or of all files below a folder. What cannot be read (any more) counts as 0. */
async function sizeOf(path: string): Promise<number> {
  try {
    const status = await lstat(path);
    if (!status.isDirectory()) return status.size;
    const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
