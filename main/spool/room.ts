// How much the spool may hold: its quota, the free space that the disk under it keeps, and how long published runs
// stay. When room is short the runs of published recordings go, oldest first; an unpublished one is never touched:
// sessions offer only what no unpublished recording needs, and if that is not enough recording is refused.

import { lstat, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';

const MIB = 1024 * 1024;
/** Runs end this far below the quota, so that journals, which are never refused, stay within it as well. */
const JOURNAL_RESERVE_BYTES = MIB;
/** A run is begun only where it can go on for a while: recording must not come back for a single frame. */
const OPENING_BYTES = 16 * MIB;
/** Small limits have a part of themselves for either. */
const PART = 16;
/** The disk is asked again after so much was written or so long, whichever comes first, and only while writing. */
const ASK_AGAIN_BYTES = 4 * MIB;
const ASK_AGAIN_MS = 2000;
/** setTimeout's longest. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface RoomLimits {
  readonly quotaBytes: number;
  /** 0: the disk may be filled. */
  readonly minFreeBytes: number;
  /** How long the runs of published recordings stay; 0: not at all. */
  readonly keepPublishedMs: number;
}

export interface RoomOptions extends RoomLimits {
  /** The spool's folder. */
  readonly root: string;
  readonly now: () => Moment;
  /** Bytes that this user may still write to the disk under a folder (statfs(2), f_bavail). */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Told when something cannot be deleted or the disk cannot be asked; recording goes on. */
  readonly onProblem: (message: string, error: unknown) => void;
}

export interface KeptRun {
  readonly runId: string;
  readonly publishedAt: Moment;
}

/** A session, as the room sees it. */
export interface Tenant {
  /** Recordings that are complete and not published. */
  readonly waiting: number;
  /** Runs of published recordings that nothing unpublished needs. */
  readonly keptRuns: readonly KeptRun[];
  /** Deletes a kept run; does nothing if it is none (any more). */
  discard(runId: string): Promise<void>;
}

/** Policy's figures as limits. */
export function limitsOf(policy: {
  readonly spoolQuotaMiB: number;
  readonly spoolMinFreeMiB: number;
  readonly keepPublishedHours: number;
}): RoomLimits {
  return {
    quotaBytes: policy.spoolQuotaMiB * MIB,
    minFreeBytes: policy.spoolMinFreeMiB * MIB,
    keepPublishedMs: policy.keepPublishedHours * 3_600_000,
  };
}

/** A spool that may hold anything and keeps nothing that is published. */
export function unlimitedRoom(root: string): Room {
  return new Room({
    root,
    quotaBytes: Infinity,
    minFreeBytes: 0,
    keepPublishedMs: 0,
    now: () => 0,
    onProblem: () => undefined,
  });
}

export class Room {
  private readonly tenants = new Set<Tenant>();
  private usedBytes = 0;
  /** What the disk said, and what was written and deleted since. */
  private disk: { freeBytes: number; askedAt: Moment; writtenBytes: number } | null = null;
  private making: Promise<void> = Promise.resolve();
  private removing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: RoomOptions) {}

  /** What the spool holds, by its own account. */
  get heldBytes(): number {
    return this.usedBytes;
  }

  enter(tenant: Tenant): void {
    this.tenants.add(tenant);
  }

  leave(tenant: Tenant): void {
    this.tenants.delete(tenant);
  }

  /** Counts what is there. Once, before anything is recorded; from then on by what is written and deleted. */
  async count(): Promise<void> {
    this.usedBytes = await sizeOf(this.options.root);
  }

  /** Room to begin a run, made if need be. @throws SightlineError SPOOL_FULL */
  async open(): Promise<void> {
    this.disk = null; // whatever was known is from before the refusal, or from long ago
    await this.make(true);
  }

  /** Room for the next bytes of a run, made if need be. @throws SightlineError SPOOL_FULL: they must not be written */
  async take(bytes: number): Promise<void> {
    this.add(bytes);
    if (!this.isDiskStale() && this.lack(false) === null) return;
    try {
      await this.make(false);
    } catch (error) {
      this.add(-bytes);
      throw error;
    }
  }

  /** Written (or, negative, gone) without having been asked for: the journal's lines. */
  add(bytes: number): void {
    this.usedBytes += bytes;
    if (this.disk === null) return;
    this.disk.freeBytes -= bytes;
    this.disk.writtenBytes += Math.max(0, bytes);
  }

  /** Deletes a file or folder of the spool. One after the other: nothing must be counted as gone twice. */
  remove(path: string): Promise<void> {
    const removed = this.removing.then(async () => {
      const bytes = await sizeOf(path);
      await rm(path, { recursive: true, force: true });
      this.add(-bytes);
    });
    this.removing = removed.catch(() => undefined);
    return removed;
  }

  /** Whether the runs of what was published then are to stay for now. */
  keeps(publishedAt: Moment): boolean {
    const { keepPublishedMs, now } = this.options;
    return keepPublishedMs > 0 && publishedAt + keepPublishedMs > now();
  }

  /** To be called when there may be something new to keep. */
  schedule(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const next = this.oldestKept();
    if (next === undefined) return;
    const dueMs = next.publishedAt + this.options.keepPublishedMs - this.options.now();
    this.timer = setTimeout(() => void this.expire(), Math.min(Math.max(0, dueMs), LONGEST_TIMER_MS));
    this.timer.unref();
  }

  private async expire(): Promise<void> {
    for (;;) {
      const next = this.oldestKept();
      if (next === undefined || this.keeps(next.publishedAt)) break;
      await this.discard(next);
    }
    this.schedule();
  }

  /** One after the other: two runs that are written at the same time must not make room twice. */
  private make(opening: boolean): Promise<void> {
    const made = this.making.then(() => this.makeNow(opening));
    this.making = made.catch(() => undefined);
    return made;
  }

  private async makeNow(opening: boolean): Promise<void> {
    if (this.isDiskStale()) await this.askDisk();
    for (;;) {
      const lack = this.lack(opening);
      if (lack === null) return;
      const oldest = this.oldestKept();
      if (oldest === undefined) throw this.refusal(lack);
      await this.discard(oldest);
    }
  }

  private async discard({ tenant, runId }: KeptRun & { tenant: Tenant }): Promise<void> {
    try {
      await tenant.discard(runId);
    } catch (error) {
      this.options.onProblem('a published run could not be deleted', error);
    }
  }

  private oldestKept(): (KeptRun & { tenant: Tenant }) | undefined {
    let oldest: (KeptRun & { tenant: Tenant }) | undefined;
    for (const tenant of this.tenants) {
      for (const run of tenant.keptRuns) {
        if (oldest === undefined || run.publishedAt < oldest.publishedAt) oldest = { ...run, tenant };
      }
    }
    return oldest;
  }

  private lack(opening: boolean): 'quota' | 'disk' | null {
    const { quotaBytes, minFreeBytes } = this.options;
    const spare = (limit: number): number => (opening ? Math.min(OPENING_BYTES, limit / PART) : 0);
    const reserve = Math.min(JOURNAL_RESERVE_BYTES, quotaBytes / PART);
    if (this.usedBytes + spare(quotaBytes) > quotaBytes - reserve) return 'quota';
    if (this.disk !== null && this.disk.freeBytes - spare(minFreeBytes) < minFreeBytes) return 'disk';
    return null;
  }

  private isDiskStale(): boolean {
    if (this.options.minFreeBytes === 0) return false;
    if (this.disk === null || this.disk.writtenBytes >= ASK_AGAIN_BYTES) return true;
    const agoMs = this.options.now() - this.disk.askedAt;
    return agoMs < 0 || agoMs >= ASK_AGAIN_MS;
  }

  /** A disk that does not tell is written to until it is full. */
  private async askDisk(): Promise<void> {
    const { root, now, freeBytes = askStatfs, onProblem } = this.options;
    const askedAt = now();
    try {
      this.disk = { freeBytes: await freeBytes(root), askedAt, writtenBytes: 0 };
    } catch (error) {
      this.disk = { freeBytes: Infinity, askedAt, writtenBytes: 0 };
      onProblem('the free space of the disk under the spool is not known', error);
    }
  }

  private refusal(lack: 'quota' | 'disk'): SightlineError {
    const { root, quotaBytes, minFreeBytes } = this.options;
    const used = inMiB(this.usedBytes);
    const waiting = [...this.tenants].reduce((sum, tenant) => sum + tenant.waiting, 0);
    const mend =
      waiting === 0
        ? ''
        : `Mend the sink, so that ${waiting} unpublished ${waiting === 1 ? 'recording' : 'recordings'} can go, or `;
    const words =
      lack === 'quota'
        ? `The spool holds ${used} MiB of the ${inMiB(quotaBytes)} MiB that it may hold (policy "spoolQuotaMiB"), and ` +
          `nothing published is left to delete. ${sentence(`${mend}raise spoolQuotaMiB`)}.`
        : `Only ${inMiB(this.disk?.freeBytes ?? 0)} MiB are free on the disk under ${root}, where ` +
          `${inMiB(minFreeBytes)} MiB are to stay free (policy "spoolMinFreeMiB"); the spool holds ${used} MiB, nothing of ` +
          `it published. ${sentence(`${mend}free some space on the disk`)}.`;
    return new SightlineError('SPOOL_FULL', `${words} Recording goes on by itself then.`);
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function inMiB(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < 100 * MIB ? 1 : 0);
}

async function askStatfs(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Of a file, or of all files below a folder. What cannot be looked at (any more) is not counted. */
async function sizeOf(path: string): Promise<number> {
  try {
    const found = await lstat(path);
    if (!found.isDirectory()) return found.size;
    const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
