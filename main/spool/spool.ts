// The spool: one folder per session (from the first contact's start to the last one's stop), with a journal and one file
// per run. A folder is deleted as a whole when each of its recordings was published or has failed; run files are deleted
// earlier, as soon as no unpublished recording needs them. Policy may retain published runs for a time, as long as there
// is space (spool/quota.ts). Nothing else is deleted.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { COMPLETE_FILE, JOURNAL_FILE, Journal } from './journal.ts';
import type { JournalEntry, JournalOptions, SessionKeys } from './journal.ts';
import { addEntry, emptyLedger, isFailureUnannounced, isPublishedOrFailed } from './ledger.ts';
import type { Ledger, LedgerRecording, LedgerRun } from './ledger.ts';
import type { RunReader, RunWriter } from './runFiles.ts';
import type { QuotaMember, RetainedRun, SpoolQuota } from './quota.ts';
import { unlimitedQuota } from './quota.ts';
import { createRunFile, openRunFile } from './runFiles.ts';
import { neededRuns, publishedRuns } from './timeline.ts';
import { WITNESS_FILE } from './witness.ts';

export type OpenedRun = Extract<JournalEntry, { type: 'run.opened' }>;

export interface OpenRecording {
  readonly recordingId: string;
  readonly recording: LedgerRecording;
  /** Until when the spool has content of it; null: none at all. */
  readonly leftAt: Moment | null;
}

export class SpoolSession implements QuotaMember {
  private current: Ledger;
  private released = false;
  private readonly removedRuns = new Set<string>();
  /** Published runs that policy retains, with the time of publication. */
  private readonly retained = new Map<string, Moment>();
  /** Published, but not in the journal yet: after a crash now they would be published again. */
  private readonly unsyncedPublished = new Set<string>();
  private countedBytes: number;
  /** The journal lacks lines and does not describe all files and recordings. Nothing in the folder is deleted. */
  private hasUnknownContent = false;
  /** Until when the witness knows of content, where journal lines are missing. */
  private knownUntil: Moment | null = null;
  readonly folder: string;
  private readonly quota: SpoolQuota;

  constructor(
    private readonly spool: Spool,
    readonly id: string,
    private readonly journal: Journal,
    entries: readonly JournalEntry[] = [],
  ) {
    this.folder = join(spool.options.root, id);
    this.quota = spool.quota;
    this.current = entries.reduce(addEntry, emptyLedger);
    this.countedBytes = journal.sizeBytes;
    this.quota.join(this);
  }

  get ledger(): Ledger {
    return this.current;
  }

  /** Resolves when the entry is on the disk (see `WriteQueue.append`); the ledger has it at once. */
  async append(entry: JournalEntry, onFailure?: (error: SightlineError) => void): Promise<void> {
    // A run whose opening was never journaled has left no trace.
    if (entry.type === 'run.closed' && !this.ledger.runs.has(entry.runId)) return;
    if (entry.type === 'recording.published') this.unsyncedPublished.add(entry.recordingId);
    this.current = addEntry(this.current, entry);
    await this.journal.append(entry, onFailure);
    if (this.journal.isClosed) return; // abandoned, not written
    if (entry.type === 'recording.published') this.unsyncedPublished.delete(entry.recordingId);
    this.quota.adjust(this.journal.sizeBytes - this.countedBytes);
    this.countedBytes = this.journal.sizeBytes;
  }

  /** As `append`, but rejects at the first failed attempt. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  tryAppend(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => void this.append(entry, reject).then(resolve));
  }

  /** See `Journal.guard`. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  guard(): Promise<void> {
    return this.journal.guard();
  }

  /** Whether nothing of it is on the disk or needs to be, because each of its recordings has failed. */
  get isEmpty(): boolean {
    return !this.journal.isOpen && this.pendingRecordings().length === 0;
  }

  /** Journals the run and creates its file. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  async beginRun(opened: OpenedRun): Promise<RunWriter> {
    await this.quota.reserveForRun();
    // Capture retries every few seconds: each attempt would queue two more entries.
    if (this.journal.trouble !== null) throw this.journal.trouble;
    await this.tryAppend(opened);
    return this.createRun(opened.file);
  }

  createRun(file: string): Promise<RunWriter> {
    return createRunFile(join(this.folder, file), this.journal.dataKey, this.quota, (chunks, lengthMs) =>
      this.journal.runSynced(file, chunks, lengthMs),
    );
  }

  openRun(runId: string): Promise<RunReader> {
    const run = this.ledger.runs.get(runId);
    if (run === undefined) throw new SightlineError('SPOOL_UNREADABLE', `The spool has no run ${runId}.`);
    return openRunFile(join(this.folder, run.opened.file), this.journal.dataKey);
  }

  /** No contact will be recorded here any more; from now on only the publisher uses the session. */
  async release(): Promise<void> {
    this.released = true;
    await this.tidy();
  }

  /** Deletes what no recording needs any more, except what policy retains. */
  async tidy(): Promise<void> {
    const needed = neededRuns(this.ledger, this.pendingRecordings());
    const published = publishedRuns(this.ledger);
    for (const [runId, run] of this.ledger.runs) {
      if (run.closed === null || needed.has(runId) || this.removedRuns.has(runId) || this.hasUnknownContent)
        continue;
      const publishedAt = published.get(runId);
      if (publishedAt !== undefined && this.quota.retains(publishedAt)) this.retained.set(runId, publishedAt);
      else await this.removeRun(runId, run);
    }
    await this.removeFolder();
    this.quota.schedule();
  }

  get unpublishedCount(): number {
    return this.pendingRecordings().filter((recording) => recording.stopped !== null).length;
  }

  get retainedRuns(): RetainedRun[] {
    return [...this.retained].map(([runId, publishedAt]) => ({ runId, publishedAt }));
  }

  async discard(runId: string): Promise<void> {
    const run = this.ledger.runs.get(runId);
    if (!this.retained.delete(runId) || run === undefined) return;
    await this.removeRun(runId, run);
    await this.removeFolder();
  }

  /** What recovery found in the folder. */
  adopt(missingRuns: readonly string[], hasUnknownContent: boolean, knownUntil: Moment | null): void {
    for (const runId of missingRuns) this.removedRuns.add(runId);
    this.hasUnknownContent = hasUnknownContent;
    this.knownUntil = knownUntil;
  }

  /** The recordings that have neither ended nor failed. */
  openRecordings(): OpenRecording[] {
    const ends = [...this.ledger.runs.values()].map((run) => run.closed?.endTime ?? 0);
    return [...this.ledger.recordings].flatMap(([recordingId, recording]) => {
      if (isPublishedOrFailed(recording) || recording.stopped !== null) return [];
      const suspensions = recording.suspensions.map((one) => one.resumedAt ?? one.at);
      const leftAt = Math.max(...ends, ...suspensions, this.knownUntil ?? 0);
      // After a power cut the journal may know of a first frame that never reached the disk.
      const isEmpty = recording.startTime === null || leftAt <= recording.startTime;
      return [{ recordingId, recording, leftAt: isEmpty ? null : leftAt }];
    });
  }

  /** Closes the journal of a session that cannot be used. */
  abandon(): Promise<void> {
    this.quota.leave(this);
    return this.journal.close();
  }

  /** Those that are neither published (and the journal says so) nor failed. */
  private pendingRecordings(): LedgerRecording[] {
    return [...this.ledger.recordings]
      .filter(([id, recording]) => !isPublishedOrFailed(recording) || this.unsyncedPublished.has(id))
      .map(([, recording]) => recording);
  }

  private async removeRun(runId: string, run: LedgerRun): Promise<void> {
    this.retained.delete(runId);
    this.removedRuns.add(runId);
    try {
      await this.quota.remove(join(this.folder, run.opened.file));
    } catch (error) {
      this.removedRuns.delete(runId); // retried by the next tidy
      throw error;
    }
  }

  /** Once nothing in it is needed. Retained runs need no open journal. */
  private async removeFolder(): Promise<void> {
    if (!this.released || this.pendingRecordings().length > 0) return;
    if ([...this.ledger.recordings.values()].some(isFailureUnannounced)) return;
    await this.journal.close();
    if (this.retained.size > 0 || this.hasUnknownContent) return;
    if ((await this.spool.options.keepJournal?.(this)) === true) this.quota.adjust(-this.countedBytes);
    else {
      // The journal last: if this is interrupted, a folder without one would count as damaged.
      for (const name of [COMPLETE_FILE, WITNESS_FILE]) await this.quota.remove(join(this.folder, name));
      await this.quota.remove(this.folder);
    }
    this.quota.leave(this);
  }
}

export interface SpoolOptions {
  readonly root: string;
  readonly keys: SessionKeys;
  readonly newSessionId: () => string;
  /**
   * Called for each folder that cannot be read, or not completely; unreadable content is left unchanged.
   * @param recordings those that must be in it, as far as known
   */
  readonly onUnreadable: (folder: string, error: unknown, recordings: readonly string[]) => void;
  /** Called once when a session's journal cannot be written, and with null when it has everything after all. */
  readonly onTrouble?: (folder: string, error: SightlineError | null) => void;
  /** Whether the agent may suspend capture: then an unwritten entry may have been the agent's suspension, too. */
  readonly agentMaySuspend?: () => boolean;
  /** Whether this process may continue the open recordings of a session; otherwise they end. */
  readonly canContinue?: (session: SpoolSession) => boolean;
  /** Ends the process of a run that was not closed, if it still runs. */
  readonly endOrphan?: (pid: number) => Promise<void>;
  /** Called for each recovered session, once it is closed and before anything in it is deleted. */
  readonly onRecovered?: (session: SpoolSession) => Promise<void>;
  /** Called before a folder without runs is deleted. @returns whether it was moved away to keep its journal */
  readonly keepJournal?: ((session: SpoolSession) => Promise<boolean>) | undefined;
  /** Without one nothing is limited, and nothing published is retained. */
  readonly quota?: SpoolQuota;
}

export class Spool {
  readonly quota: SpoolQuota;

  constructor(readonly options: SpoolOptions) {
    this.quota = options.quota ?? unlimitedQuota(options.root);
  }

  /** A new session. Its folder is created in the background, and again after a failure. */
  openSession(): SpoolSession {
    const { root, keys, newSessionId } = this.options;
    const id = newSessionId();
    const folder = join(root, id);
    const journal = Journal.create(join(folder, JOURNAL_FILE), keys, {
      ...this.journalOptions(folder),
      makeFolder: async () => {
        // In two steps: a recursive mkdir reports a read-only file system as ENOENT.
        await mkdir(root, { recursive: true, mode: 0o700 });
        await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
          if (errno(error) !== 'EEXIST') throw error; // created by an attempt that failed later
        });
        await syncFolder(root);
      },
    });
    return new SpoolSession(this, id, journal);
  }

  journalOptions(folder: string): JournalOptions {
    return { onTrouble: (error) => this.options.onTrouble?.(folder, error) };
  }
}
