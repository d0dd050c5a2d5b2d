// The spool: one folder for each stretch of recording (from the first contact's start to the last one's stop), with
// a journal and one file a run. A folder goes away as a whole once each of its recordings has been published or has
// nothing to publish; run files go earlier, as soon as no unpublished recording needs them. Policy may let published
// ones stay for a time, as long as there is room (spool/quota.ts). Nothing else is deleted.

import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno, toFailure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { damageEntries, isInDoubt, knownUntil, unknownRecordings } from './damage.ts';
import { COMPLETE_FILE, JOURNAL_FILE, Journal, spoolError } from './journal.ts';
import type { JournalEntry, JournalOptions, ResumedJournal, SessionKeys } from './journal.ts';
import { addEntry, emptyLedger, isFailureUnannounced, isSettled } from './ledger.ts';
import type { Ledger, LedgerRecording, LedgerRun } from './ledger.ts';
import type { RunReader, RunWriter } from './runFiles.ts';
import type { QuotaMember, RetainedRun, SpoolQuota } from './quota.ts';
import { unlimitedQuota } from './quota.ts';
import { RUN_FILE_EXTENSION, createRunFile, lengthOf, openRunFile } from './runFiles.ts';
import type { Statement } from './statement.ts';
import { statedEnd } from './statement.ts';
import { neededRuns, publishedRuns } from './timeline.ts';
import { WITNESS_FILE, Witness, hintedRecordings } from './witness.ts';

export type OpenedRun = Extract<JournalEntry, { type: 'run.opened' }>;

export class SpoolSession implements QuotaMember {
  private current: Ledger;
  private released = false;
  private readonly removedRuns = new Set<string>();
  /** Published ones, with the moment of that, which stay until it is time or room is needed. */
  private readonly retained = new Map<string, Moment>();
  /** Published, but the journal does not say so yet: should it never, they are published again. */
  private readonly unwritten = new Set<string>();
  private countedBytes: number;
  /** What its folder holds and its journal does not know (any more): while there is any, nothing of it is deleted. */
  private unknown: { recordings: readonly string[]; files: readonly string[] } = {
    recordings: [],
    files: [],
  };
  /** What the witness has stated, where this session was recovered. */
  private stated: Statement | null = null;
  private knownUntil: Moment | null = null;

  constructor(
    readonly id: string,
    readonly folder: string,
    private readonly journal: Journal,
    private readonly quota: SpoolQuota,
    entries: readonly JournalEntry[] = [],
    private readonly keepJournal?: SpoolOptions['keepJournal'],
  ) {
    this.current = entries.reduce(addEntry, emptyLedger);
    this.countedBytes = journal.sizeBytes;
    quota.join(this);
  }

  get ledger(): Ledger {
    return this.current;
  }

  /**
   * Resolves when the entry is on the disk, however long that takes; the ledger has it at once.
   *
   * @param onFailure called at the first failed attempt, or at once while writing fails; the entry is retried all the same
   */
  async append(entry: JournalEntry, onFailure?: (error: SightlineError) => void): Promise<void> {
    // A run that could not even be announced has left no trace.
    if (entry.type === 'run.closed' && !this.ledger.runs.has(entry.runId)) return;
    if (entry.type === 'recording.published') this.unwritten.add(entry.recordingId);
    this.current = addEntry(this.current, entry);
    await this.journal.append(entry, onFailure);
    if (this.journal.isClosed) return; // given up, not written
    if (entry.type === 'recording.published') this.unwritten.delete(entry.recordingId);
    this.quota.adjust(this.journal.sizeBytes - this.countedBytes);
    this.countedBytes = this.journal.sizeBytes;
  }

  /** As `append`, but rejects at the first failed attempt. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  tryAppend(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => void this.append(entry, reject).then(resolve));
  }

  /** Resolves after the first attempt, whatever came of it: the entry is retried, and `onTrouble` has been called. */
  private attempt(entry: JournalEntry): Promise<void> {
    return new Promise((resolve) => void this.append(entry, () => resolve()).then(resolve));
  }

  /** See `Journal.guard`. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  guard(): Promise<void> {
    return this.journal.guard();
  }

  /** Whether nothing of it is on the disk, and nothing need be: each of its recordings failed. */
  get isNowhere(): boolean {
    return !this.journal.isOpen && this.unsettled().length === 0;
  }

  /** A new run's file; the journal knows of it. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  async beginRun(opened: OpenedRun): Promise<RunWriter> {
    await this.quota.reserveForRun();
    // Runs are tried every few seconds: each would leave two more entries to write.
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
    if (run === undefined) throw new SightlineError('SPOOL_UNREADABLE', `The spool knows no run ${runId}.`);
    return openRunFile(join(this.folder, run.opened.file), this.journal.dataKey);
  }

  /** Says that no contact will be recorded here any more; what is left is the publisher's. */
  async release(): Promise<void> {
    this.released = true;
    await this.tidy();
  }

  /** Deletes what no recording needs any more, but for what policy lets stay. */
  async tidy(): Promise<void> {
    const needed = neededRuns(this.ledger, this.unsettled());
    const published = publishedRuns(this.ledger);
    for (const [runId, run] of this.ledger.runs) {
      if (run.closed === null || needed.has(runId) || this.removedRuns.has(runId) || this.holdsUnknown)
        continue;
      const publishedAt = published.get(runId);
      if (publishedAt !== undefined && this.quota.retains(publishedAt)) this.retained.set(runId, publishedAt);
      else await this.removeRun(runId, run);
    }
    await this.removeFolder();
    this.quota.schedule();
  }

  get unpublishedCount(): number {
    return this.unsettled().filter((recording) => recording.stopped !== null).length;
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

  /**
   * Tells a session that an earlier process left what is still in its folder and what of its journal is missing; writes
   * that into the journal.
   * @returns what is there and cannot be delivered, because nobody knows any more what it is
   */
  async found(files: readonly string[], resumed: ResumedJournal): Promise<SpoolSession['unknown']> {
    for (const entry of damageEntries(resumed, this.ledger)) await this.attempt(entry);
    this.stated = typeof resumed.witness === 'string' ? null : resumed.witness;
    this.knownUntil = knownUntil(resumed);
    const known = new Set([...this.ledger.runs.values()].map(({ opened }) => opened.file));
    for (const [runId, run] of this.ledger.runs)
      if (!files.includes(run.opened.file)) this.removedRuns.add(runId);
    this.unknown = {
      recordings: unknownRecordings(resumed.entries, this.ledger),
      files: files.filter((file) => file.endsWith(`.${RUN_FILE_EXTENSION}`) && !known.has(file)),
    };
    return this.unknown;
  }

  private get holdsUnknown(): boolean {
    return this.unknown.recordings.length + this.unknown.files.length > 0;
  }

  private unsettled(): LedgerRecording[] {
    return [...this.ledger.recordings]
      .filter(([recordingId, recording]) => !isSettled(recording) || this.unwritten.has(recordingId))
      .map(([, recording]) => recording);
  }

  private async removeRun(runId: string, run: LedgerRun): Promise<void> {
    this.retained.delete(runId);
    this.removedRuns.add(runId);
    try {
      await this.quota.remove(join(this.folder, run.opened.file));
    } catch (error) {
      this.removedRuns.delete(runId); // the next tidying tries again
      throw error;
    }
  }

  /** Once nothing of it is wanted any more. What is only kept needs no open journal. */
  private async removeFolder(): Promise<void> {
    if (!this.released || this.unsettled().length > 0) return;
    if ([...this.ledger.recordings.values()].some(isFailureUnannounced)) return;
    await this.journal.close();
    if (this.retained.size > 0 || this.holdsUnknown) return;
    if ((await this.keepJournal?.(this)) === true) this.quota.adjust(-this.countedBytes);
    else {
      // The journal last: a folder without one is taken for damage, should this be interrupted.
      for (const name of [COMPLETE_FILE, WITNESS_FILE]) await this.quota.remove(join(this.folder, name));
      await this.quota.remove(this.folder);
    }
    this.quota.leave(this);
  }

  /**
   * What an earlier process could not write down may have been a suspension: each open recording is suspended where what
   * there is of it ends, until a page resumes it.
   *
   * @param now of the agent's own suspension, which may be what is missing as well; null where policy allows none
   */
  async suspendInDoubt(agentHoldAt: Moment | null): Promise<void> {
    const reason = 'Sightline could not write to its disk before it ended. Resume to go on recording.';
    for (const { recordingId, recording, leftAt } of this.openRecordings()) {
      const isSuspended = recording.suspensions.some((one) => one.resumedAt === null);
      if (leftAt !== null && !isSuspended)
        await this.attempt({ type: 'contact.suspended', recordingId, at: leftAt, reason });
    }
    const isHeld = this.ledger.pauses.some(({ reason: why, to }) => why === 'agent' && to === null);
    if (agentHoldAt !== null && !isHeld)
      await this.attempt({ type: 'capture.paused', at: agentHoldAt, reason: 'agent' });
    this.journal.allowComplete();
  }

  /**
   * Closes the runs that a crash left open, at their last whole fragment, and the pauses of that process. Not the
   * agent's suspension: it outlives the process, like a page's.
   */
  async closeRuns(now: Moment, endOrphan: (pid: number) => Promise<void>): Promise<void> {
    for (const run of this.ledger.runs.values()) {
      if (run.closed !== null) continue;
      if (run.pid !== null) await endOrphan(run.pid);
      await this.attempt(await this.findEnd(run));
    }
    for (const { reason, from, to } of this.ledger.pauses) {
      // The system's clock may have been set back since.
      const at = Math.max(from, now);
      if (to === null && reason !== 'agent') await this.attempt({ type: 'capture.unpaused', at, reason });
    }
  }

  /** The recordings that nobody has ended, and up to when there is something of them; null: nothing at all. */
  openRecordings(): { recordingId: string; recording: LedgerRecording; leftAt: Moment | null }[] {
    const ends = [...this.ledger.runs.values()].map((run) => run.closed?.endTime ?? 0);
    return [...this.ledger.recordings].flatMap(([recordingId, recording]) => {
      if (isSettled(recording) || recording.stopped !== null) return [];
      const suspensions = recording.suspensions.map((one) => one.resumedAt ?? one.at);
      const leftAt = Math.max(...ends, ...suspensions, this.knownUntil ?? 0);
      // The power may have gone before the first frame was on the disk, although the journal knows of it.
      const isEmpty = recording.startTime === null || leftAt <= recording.startTime;
      return [{ recordingId, recording, leftAt: isEmpty ? null : leftAt }];
    });
  }

  /** Gives up the recordings of which there is nothing. */
  async failEmptyRecordings(): Promise<void> {
    const open = this.openRecordings().flatMap((one) => (one.leftAt === null ? [one.recordingId] : []));
    // Only a damaged journal knows the end of a recording and not its beginning.
    const endless = [...this.ledger.recordings].flatMap(([recordingId, one]) =>
      !isSettled(one) && one.stopped !== null && one.startTime === null ? [recordingId] : [],
    );
    const why = isInDoubt(this.ledger)
      ? new SightlineError(
          'SPOOL_UNREADABLE',
          'What was recorded was damaged or deleted before its delivery.',
        )
      : new SightlineError('CAPTURE_FAILED', 'Sightline ended before the first frame: nothing was recorded.');
    for (const recordingId of [...open, ...endless]) {
      const failure = toFailure(why);
      await this.attempt({ type: 'recording.failed', recordingId, failure });
    }
  }

  /** Ends the open recordings where what there is of them ends. */
  async closeRecordings(): Promise<void> {
    for (const { recordingId, leftAt } of this.openRecordings()) {
      if (leftAt !== null)
        await this.attempt({ type: 'contact.stopped', recordingId, endTime: leftAt, cause: 'app-died' });
    }
  }

  /** Lets go of the journal of a session that cannot be used. */
  abandon(): Promise<void> {
    this.quota.leave(this);
    return this.journal.close();
  }

  private async findEnd(run: LedgerRun): Promise<JournalEntry> {
    const { runId, file, fps } = run.opened;
    const gapReason = this.ledger.damages.length > 0 ? 'unreadable' : 'app-restarted';
    const closed = { type: 'run.closed', runId, gapReason } as const;
    if (run.live === null) return { ...closed, endTime: null, frames: 0, sizeBytes: 0 };
    const left = await lengthOf(join(this.folder, file), this.journal.dataKey);
    const lengthMs = left.lengthMs === null ? 0 : left.lengthMs + 1000 / fps;
    const endTime = left.lengthMs === null ? null : Math.round(run.live.startTime + lengthMs);
    const stated = this.stated?.runs.find((one) => one.runId === runId);
    // Less than had been synced: it ends where it did all the same, and its delivery finds what is missing.
    if (stated !== undefined && stated.chunks > left.chunks && statedEnd(stated) !== null)
      return { ...closed, endTime: statedEnd(stated), frames: stated.chunks - 1, sizeBytes: left.sizeBytes };
    return { ...closed, endTime, frames: left.frames, sizeBytes: left.sizeBytes };
  }
}

/** rmdir(2) removes empty folders only. */
function isRemoved(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

export interface SpoolOptions {
  readonly root: string;
  readonly keys: SessionKeys;
  readonly newSessionId: () => string;
  /**
   * Told about folders of which nothing, or not everything, could be read; what could not is left as it is.
   * @param recordings those that must be in it, as far as that is known
   */
  readonly onUnreadable: (folder: string, error: unknown, recordings: readonly string[]) => void;
  /** Called once when a session's journal cannot be written, and with null when it has everything after all. */
  readonly onTrouble?: (folder: string, error: SightlineError | null) => void;
  /** Whether the agent may suspend capture: in doubt about what was not written, capture waits for the agent, too. */
  readonly agentMaySuspend?: () => boolean;
  /** Whether the open recordings of a session may go on in this process; they are ended otherwise. */
  readonly mayGoOn?: (session: SpoolSession) => boolean;
  /** Ends the process of a run that was not closed, should it still be there. */
  readonly endOrphan?: (pid: number) => Promise<void>;
  /** Told about each session that an earlier process left, once it is closed and before anything of it goes. */
  readonly onFound?: (session: SpoolSession) => Promise<void>;
  /** Asked when a folder is to go, whose runs are gone: whether it was moved away for the sake of its journal. */
  readonly keepJournal?: ((session: SpoolSession) => Promise<boolean>) | undefined;
  /** How much there may be, and what stays of what is published; without one everything, and nothing. */
  readonly quota?: SpoolQuota;
}

export interface Recovered {
  /** All of them, also those of which nothing is left by now. */
  readonly found: readonly SpoolSession[];
  /** With something unpublished in them. */
  readonly sessions: readonly SpoolSession[];
  /** The one of them whose open recordings may go on. */
  readonly goingOn: SpoolSession | null;
}

export class Spool {
  private readonly quota: SpoolQuota;

  constructor(private readonly options: SpoolOptions) {
    this.quota = options.quota ?? unlimitedQuota(options.root);
  }

  /** A new session. Its folder is made in the background, and again after a failure. */
  openSession(): SpoolSession {
    const id = this.options.newSessionId();
    const folder = join(this.options.root, id);
    const journal = Journal.create(join(folder, JOURNAL_FILE), this.options.keys, {
      ...this.journalOptions(folder),
      makeFolder: async () => {
        // In two steps: a recursive mkdir says ENOENT of a read-only file system.
        await mkdir(this.options.root, { recursive: true, mode: 0o700 });
        await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
          if (errno(error) !== 'EEXIST') throw error; // an attempt that failed later has made it
        });
        await syncFolder(this.options.root);
      },
    });
    return new SpoolSession(id, folder, journal, this.quota, [], this.options.keepJournal);
  }

  /** What earlier processes left behind, closed and released; folders with nothing left in them are gone. */
  async recover(now: Moment): Promise<Recovered> {
    const found: SpoolSession[] = [];
    const sessions: SpoolSession[] = [];
    let goingOn: SpoolSession | null = null;
    const folders = (await this.folders()).sort();
    for (const id of folders) {
      const folder = join(this.options.root, id);
      try {
        const resumed = await Journal.resume(
          join(folder, JOURNAL_FILE),
          this.options.keys,
          this.journalOptions(folder),
        );
        const entries = resumed.entries.map(({ entry }) => entry);
        const { keepJournal } = this.options;
        const session = new SpoolSession(id, folder, resumed.journal, this.quota, entries, keepJournal);
        found.push(session);
        let goesOn = false;
        try {
          const unknown = await session.found(await readdir(folder), resumed);
          await resumed.journal.renewWitness();
          if (unknown.files.length + unknown.recordings.length > 0)
            this.options.onUnreadable(folder, linesMissing(folder), unknown.recordings);
          await session.closeRuns(now, async (pid) => this.options.endOrphan?.(pid));
          await session.failEmptyRecordings();
          // A process has one stretch of recording: only the last one can go on.
          const mayGoOn = !isInDoubt(session.ledger) && this.mayGoOn(session);
          goesOn = id === folders.at(-1) && session.openRecordings().length > 0 && mayGoOn;
          if (resumed.incomplete)
            await session.suspendInDoubt(this.options.agentMaySuspend?.() === true ? now : null);
          if (!goesOn) await session.closeRecordings();
          await this.options.onFound?.(session);
        } catch (error) {
          await session.abandon();
          throw error;
        }
        if (goesOn) goingOn = session;
        else await session.release();
        if ([...session.ledger.recordings.values()].some((recording) => !isSettled(recording)))
          sessions.push(session);
      } catch (error) {
        // The power may have gone between the folder and its journal: then there is nothing, and nothing is lost.
        const isEmpty = errno(error) === 'ENOENT' && (await this.isEmptied(folder));
        if (!isEmpty)
          this.options.onUnreadable(folder, explain(error, folder), await hintedRecordings(folder));
      }
    }
    await this.quota.measure();
    return { found, sessions, goingOn };
  }

  private journalOptions(folder: string): JournalOptions {
    return { onTrouble: (error) => this.options.onTrouble?.(folder, error) };
  }

  /** Removes a folder in which there is nothing but a witness of nothing, perhaps half written. @returns whether it did */
  private async isEmptied(folder: string): Promise<boolean> {
    const resumed = await Witness.resume(folder, this.options.keys);
    if (typeof resumed !== 'string') await resumed.witness.close();
    const statesNothing =
      typeof resumed === 'string'
        ? (await hintedRecordings(folder)).length === 0
        : resumed.statement.lines === 0;
    const names = await readdir(folder);
    if (statesNothing && names.every((name) => name === WITNESS_FILE))
      await rm(join(folder, WITNESS_FILE), { force: true });
    return isRemoved(folder);
  }

  private mayGoOn(session: SpoolSession): boolean {
    return this.options.mayGoOn?.(session) ?? false;
  }

  private async folders(): Promise<string[]> {
    try {
      const entries = await readdir(this.options.root, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    } catch (error) {
      if (errno(error) === 'ENOENT') return [];
      throw spoolError(error, this.options.root);
    }
  }
}

function linesMissing(folder: string): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `Lines are missing from the journal in ${folder}: the disk is faulty, or somebody has written to it. What cannot be ` +
      'delivered without them is left as it is.',
  );
}

function explain(error: unknown, folder: string): SightlineError {
  if (errno(error) !== 'ENOENT') return spoolError(error, folder);
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `${folder} has no journal: somebody has deleted it, or the folder is not Sightline's. It is left as it is.`,
  );
}
