// Recovery of the spool's folders after a start: closes runs and recordings that an earlier process left open, as far as
// their files go, and decides which session this process may continue. Folders that cannot be read are left unchanged.
// In doubt it records less: what may have been suspended is suspended.

import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError, errno, toFailure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { damageEntries, isInDoubt, knownUntil, unknownRecordings } from './damage.ts';
import { JOURNAL_FILE, Journal, spoolError } from './journal.ts';
import type { JournalEntry, ResumedJournal } from './journal.ts';
import { isPublishedOrFailed } from './ledger.ts';
import type { Ledger, LedgerRun } from './ledger.ts';
import { RUN_FILE_EXTENSION, lengthOf } from './runFiles.ts';
import type { Spool } from './spool.ts';
import { SpoolSession } from './spool.ts';
import { statedEnd } from './statement.ts';
import { WITNESS_FILE, Witness, hintedRecordings } from './witness.ts';

export interface RecoveredSessions {
  /** All sessions, including those with nothing left to publish. */
  readonly all: readonly SpoolSession[];
  /** Those with something unpublished. */
  readonly unpublished: readonly SpoolSession[];
  /** The one of them whose open recordings this process continues. */
  readonly continued: SpoolSession | null;
}

/** Closes and releases what earlier processes left behind, and deletes folders with nothing left in them. */
export async function recoverSessions(spool: Spool, now: Moment): Promise<RecoveredSessions> {
  const all: SpoolSession[] = [];
  const unpublished: SpoolSession[] = [];
  let continued: SpoolSession | null = null;
  const { root, keys, onUnreadable } = spool.options;
  const ids = await foldersIn(root);
  for (const id of ids) {
    const folder = join(root, id);
    try {
      const resumed = await Journal.resume(join(folder, JOURNAL_FILE), keys, spool.journalOptions(folder));
      const entries = resumed.entries.map(({ entry }) => entry);
      const session = new SpoolSession(spool, id, resumed.journal, entries);
      all.push(session);
      // A process has one session at a time: only the last one can continue.
      const isContinued = await recoverSession(spool, session, resumed, id === ids.at(-1), now);
      if (isContinued) continued = session;
      else await session.release();
      if ([...session.ledger.recordings.values()].some((one) => !isPublishedOrFailed(one)))
        unpublished.push(session);
    } catch (error) {
      // A power cut between the creation of the folder and of its journal leaves nothing that could be lost.
      const wasEmpty = errno(error) === 'ENOENT' && (await removeEmptyFolder(spool, folder));
      if (!wasEmpty) onUnreadable(folder, explain(error, folder), await hintedRecordings(folder));
    }
  }
  await spool.quota.measure();
  return { all, unpublished, continued };
}

/** @returns whether its open recordings continue */
async function recoverSession(
  { options }: Spool,
  session: SpoolSession,
  resumed: ResumedJournal,
  isNewest: boolean,
  now: Moment,
): Promise<boolean> {
  try {
    const recovery = new SessionRecovery(session, resumed);
    const unknown = await recovery.readFolder();
    await resumed.journal.renewWitness();
    if (unknown.files.length + unknown.recordings.length > 0)
      options.onUnreadable(session.folder, linesMissing(session.folder), unknown.recordings);
    await recovery.closeRuns(now, async (pid) => options.endOrphan?.(pid));
    await recovery.failEmptyRecordings();
    const canContinue = !isInDoubt(session.ledger) && options.canContinue?.(session) === true;
    const isContinued = isNewest && session.openRecordings().length > 0 && canContinue;
    if (resumed.incomplete)
      await recovery.suspendOpenRecordings(options.agentMaySuspend?.() === true ? now : null);
    if (!isContinued) await recovery.closeRecordings();
    await options.onRecovered?.(session);
    return isContinued;
  } catch (error) {
    await session.abandon();
    throw error;
  }
}

class SessionRecovery {
  constructor(
    private readonly session: SpoolSession,
    private readonly resumed: ResumedJournal,
  ) {}

  private get ledger(): Ledger {
    return this.session.ledger;
  }

  /**
   * Compares the folder with the journal, and journals which lines are missing.
   * @returns files and recordings that the journal does not describe, so that they cannot be uploaded
   */
  async readFolder(): Promise<{ files: readonly string[]; recordings: readonly string[] }> {
    const { session, resumed } = this;
    const names = await readdir(session.folder);
    for (const entry of damageEntries(resumed, this.ledger)) await this.append(entry);
    const runs = [...this.ledger.runs];
    const known = new Set(runs.map(([, { opened }]) => opened.file));
    const files = names.filter((name) => name.endsWith(`.${RUN_FILE_EXTENSION}`) && !known.has(name));
    const recordings = unknownRecordings(resumed.entries, this.ledger);
    const missingRuns = runs.flatMap(([runId, { opened }]) => (names.includes(opened.file) ? [] : [runId]));
    session.adopt(missingRuns, files.length + recordings.length > 0, knownUntil(resumed));
    return { files, recordings };
  }

  /**
   * Closes the runs that a crash left open, at their last whole fragment, and that process's pauses. The agent's own
   * suspension stays: like a page's, it outlives the process.
   */
  async closeRuns(now: Moment, endOrphan: (pid: number) => Promise<void>): Promise<void> {
    for (const run of this.ledger.runs.values()) {
      if (run.closed !== null) continue;
      if (run.pid !== null) await endOrphan(run.pid);
      await this.append(await this.closedEntry(run));
    }
    for (const { reason, from, to } of this.ledger.pauses) {
      // The system's clock may have been set back since.
      const at = Math.max(from, now);
      if (to === null && reason !== 'agent') await this.append({ type: 'capture.unpaused', at, reason });
    }
  }

  /** Fails the recordings without any content. */
  async failEmptyRecordings(): Promise<void> {
    const open = this.session.openRecordings().filter(({ leftAt }) => leftAt === null);
    // Only a damaged journal knows a recording's end and not its start.
    const withoutStart = [...this.ledger.recordings].flatMap(([recordingId, one]) =>
      !isPublishedOrFailed(one) && one.stopped !== null && one.startTime === null ? [{ recordingId }] : [],
    );
    const why = isInDoubt(this.ledger)
      ? new SightlineError('SPOOL_UNREADABLE', 'The recording was damaged or deleted before its upload.')
      : new SightlineError('CAPTURE_FAILED', 'Sightline ended before the first frame: nothing was recorded.');
    for (const { recordingId } of [...open, ...withoutStart])
      await this.append({ type: 'recording.failed', recordingId, failure: toFailure(why) });
  }

  /**
   * An entry that the earlier process could not write may have been a suspension: suspends each open recording where its
   * content ends, until a page resumes it.
   *
   * @param agentSuspendedAt for the agent's own suspension, which may be missing as well; null where policy allows none
   */
  async suspendOpenRecordings(agentSuspendedAt: Moment | null): Promise<void> {
    const reason = 'Sightline could not write to its disk before it ended. Resume to continue recording.';
    for (const { recordingId, recording, leftAt } of this.session.openRecordings()) {
      const isSuspended = recording.suspensions.some((one) => one.resumedAt === null);
      if (leftAt !== null && !isSuspended)
        await this.append({ type: 'contact.suspended', recordingId, at: leftAt, reason, by: 'sightline' });
    }
    const isAgentSuspended = this.ledger.pauses.some((one) => one.reason === 'agent' && one.to === null);
    if (agentSuspendedAt !== null && !isAgentSuspended)
      await this.append({ type: 'capture.paused', at: agentSuspendedAt, reason: 'agent', by: 'sightline' });
    this.resumed.journal.allowComplete();
  }

  /** Ends the open recordings where their content ends. */
  async closeRecordings(): Promise<void> {
    for (const { recordingId, leftAt } of this.session.openRecordings()) {
      if (leftAt !== null)
        await this.append({ type: 'contact.stopped', recordingId, endTime: leftAt, cause: 'app-died' });
    }
  }

  /** Resolves after the first attempt, even if it failed: the journal retries, and `onTrouble` was called. */
  private append(entry: JournalEntry): Promise<void> {
    return this.session.tryAppend(entry).catch(() => undefined);
  }

  private async closedEntry({ opened, live }: LedgerRun): Promise<JournalEntry> {
    const { runId, file, fps } = opened;
    const { journal, witness } = this.resumed;
    const gapReason = this.ledger.damages.length > 0 ? 'unreadable' : 'app-restarted';
    const closed = { type: 'run.closed', runId, gapReason } as const;
    if (live === null) return { ...closed, endTime: null, frames: 0, sizeBytes: 0 };
    const { chunks, frames, sizeBytes, ...left } = await lengthOf(
      join(this.session.folder, file),
      journal.dataKey,
    );
    const stated = typeof witness === 'string' ? undefined : witness.runs.find((one) => one.runId === runId);
    const end = stated === undefined ? null : statedEnd(stated);
    // Synced data is missing: the run keeps its end, and the upload reports what is missing.
    if (stated !== undefined && end !== null && stated.chunks > chunks)
      return { ...closed, endTime: end, frames: stated.chunks - 1, sizeBytes };
    const endTime = left.lengthMs === null ? null : Math.round(live.startTime + left.lengthMs + 1000 / fps);
    return { ...closed, endTime, frames, sizeBytes };
  }
}

/** Deletes a folder with nothing but a witness of nothing, perhaps half written. @returns whether it did */
async function removeEmptyFolder({ options }: Spool, folder: string): Promise<boolean> {
  const resumed = await Witness.resume(folder, options.keys);
  if (typeof resumed !== 'string') await resumed.close();
  const statesNothing =
    typeof resumed === 'string'
      ? (await hintedRecordings(folder)).length === 0
      : resumed.statement.lines === 0;
  const names = await readdir(folder);
  if (statesNothing && names.every((name) => name === WITNESS_FILE))
    await rm(join(folder, WITNESS_FILE), { force: true });
  // rmdir(2) removes empty folders only.
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

/** Sorted: the newest last. */
async function foldersIn(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw spoolError(error, root);
  }
}

function linesMissing(folder: string): SightlineError {
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `Lines are missing from the journal in ${folder}: the disk is faulty, or another program changed it. Files that cannot ` +
      'be uploaded without these lines are kept unchanged.',
  );
}

function explain(error: unknown, folder: string): SightlineError {
  if (errno(error) !== 'ENOENT') return spoolError(error, folder);
  return new SightlineError(
    'SPOOL_UNREADABLE',
    `${folder} has no journal: it was deleted, or the folder is not Sightline's. The folder is kept unchanged.`,
  );
}
