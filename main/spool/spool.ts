// The spool: one folder for each stretch of recording (from the first contact's start to the last one's stop), with
// a journal and one file a run. A folder goes away as a whole once each of its recordings has been published or has
// nothing to publish; run files go earlier, as soon as no unpublished recording needs them. Nothing else is deleted.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SightlineError, errno, toFailure } from '../shared/errors.ts';
import { FragmentSplitter } from '../shared/fragments.ts';
import type { Segment } from '../shared/fragments.ts';
import { Journal, readJournal, spoolError } from './journal.ts';
import type { JournalEntry } from './journal.ts';
import { addEntry, emptyLedger, isSettled } from './ledger.ts';
import type { Ledger, LedgerRun } from './ledger.ts';
import type { RunFiles, RunReader, RunWriter } from './runFiles.ts';
import { timelineOf } from './timeline.ts';

const JOURNAL_FILE = 'journal.ndjson';
const READ_BYTES = 1024 * 1024;

export class SpoolSession {
  private current: Ledger;
  private released = false;
  private readonly removedRuns = new Set<string>();

  constructor(
    readonly id: string,
    readonly folder: string,
    private readonly journal: Journal,
    private readonly runFiles: RunFiles,
    entries: readonly JournalEntry[] = [],
  ) {
    this.current = entries.reduce(addEntry, emptyLedger);
  }

  get ledger(): Ledger {
    return this.current;
  }

  /** Resolves when the entry is on the disk. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  append(entry: JournalEntry): Promise<void> {
    this.current = addEntry(this.current, entry);
    return this.journal.append(entry);
  }

  createRun(file: string): Promise<RunWriter> {
    return this.runFiles.create(join(this.folder, file));
  }

  openRun(runId: string): Promise<RunReader> {
    const run = this.ledger.runs.get(runId);
    if (run === undefined) throw new SightlineError('SPOOL_UNREADABLE', `The spool knows no run ${runId}.`);
    return this.runFiles.open(join(this.folder, run.opened.file));
  }

  /** Says that no contact will be recorded here any more; what is left is the publisher's. */
  async release(): Promise<void> {
    this.released = true;
    await this.tidy();
  }

  /** Deletes what no recording needs any more. */
  async tidy(): Promise<void> {
    const unsettled = [...this.ledger.recordings.values()].filter((recording) => !isSettled(recording));
    if (this.released && unsettled.length === 0) {
      await this.journal.close();
      await rm(this.folder, { recursive: true, force: true });
      return;
    }
    const open = unsettled.some((recording) => recording.stopped === null);
    const needed = new Set(
      unsettled.flatMap((recording) =>
        timelineOf(this.ledger, recording).flatMap((piece) => (piece.kind === 'run' ? [piece.runId] : [])),
      ),
    );
    if (open) return; // an open recording may need any run since its start, and there are few of those
    for (const [runId, run] of this.ledger.runs) {
      if (run.closed === null || needed.has(runId) || this.removedRuns.has(runId)) continue;
      await rm(join(this.folder, run.opened.file), { force: true });
      this.removedRuns.add(runId);
    }
  }

  /**
   * Closes what a crash left open: runs at their last whole fragment, recordings at the end of their last run.
   * @returns the recordings of which there is nothing at all
   */
  async closeAfterCrash(): Promise<string[]> {
    const lost: string[] = [];
    for (const run of this.ledger.runs.values()) {
      if (run.closed === null) await this.append(await this.findEnd(run));
    }
    for (const [recordingId, recording] of this.ledger.recordings) {
      if (isSettled(recording) || recording.stopped !== null) continue;
      const { startTime } = recording;
      const ends = [...this.ledger.runs.values()].map((run) => run.closed?.endTime ?? 0);
      const suspensions = recording.suspensions.map((one) => one.resumedAt ?? one.at);
      const endTime = Math.max(...ends, ...suspensions);
      // The power may have gone before the first frame was on the disk, although the journal knows of it.
      if (startTime === null || endTime <= startTime) {
        const failure = toFailure(
          new SightlineError(
            'CAPTURE_FAILED',
            'Sightline ended before the first frame: nothing was recorded.',
          ),
        );
        await this.append({ type: 'recording.failed', recordingId, failure });
        lost.push(recordingId);
        continue;
      }
      await this.append({ type: 'contact.stopped', recordingId, endTime, cause: 'app-died' });
    }
    return lost;
  }

  /** Lets go of the journal of a session that cannot be used. */
  abandon(): Promise<void> {
    return this.journal.close();
  }

  private async findEnd(run: LedgerRun): Promise<JournalEntry> {
    const closed = { type: 'run.closed', runId: run.opened.runId, gapReason: 'app-restarted' } as const;
    if (run.live === null) return { ...closed, endTime: null, frames: 0, sizeBytes: 0 };
    const reader = await this.openRun(run.opened.runId);
    try {
      const frameMs = 1000 / run.opened.fps;
      const splitter = new FragmentSplitter();
      let timescale = 1;
      let first: number | null = null;
      let last = 0;
      let frames = 0;
      for (let at = 0; at < reader.sizeBytes; at += READ_BYTES) {
        const parts = wholeParts(splitter, await reader.read(at, at + READ_BYTES));
        if (parts === null) break;
        for (const part of parts) {
          if (part.kind === 'initialisation') {
            timescale = part.segment.timescale;
          } else {
            frames += 1;
            last = part.fragment.decodeTime;
            first ??= last;
          }
        }
      }
      const lengthMs = first === null ? 0 : ((last - first) / timescale) * 1000 + frameMs;
      const endTime = first === null ? null : Math.round(run.live.startTime + lengthMs);
      return { ...closed, endTime, frames, sizeBytes: reader.sizeBytes };
    } finally {
      await reader.close();
    }
  }
}

/** null where the bytes are no MP4 any more: a power cut can leave zeros behind the last whole fragment. */
function wholeParts(splitter: FragmentSplitter, bytes: Uint8Array): Segment[] | null {
  try {
    return splitter.push(bytes);
  } catch {
    return null;
  }
}

export interface SpoolOptions {
  readonly root: string;
  readonly runFiles: RunFiles;
  readonly newSessionId: () => string;
  /** Told about folders that could not be read; they are left as they are. */
  readonly onUnreadable: (folder: string, error: unknown) => void;
  /** Told about recordings that a crash left without a single picture. */
  readonly onLost?: (session: SpoolSession, recordingId: string) => void;
}

export class Spool {
  constructor(private readonly options: SpoolOptions) {}

  async openSession(): Promise<SpoolSession> {
    const id = this.options.newSessionId();
    const folder = join(this.options.root, id);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return new SpoolSession(
        id,
        folder,
        await Journal.open(join(folder, JOURNAL_FILE)),
        this.options.runFiles,
      );
    } catch (error) {
      throw spoolError(error, folder);
    }
  }

  /** The sessions that an earlier process left behind, closed and released; those with nothing left are gone. */
  async recover(): Promise<SpoolSession[]> {
    const sessions: SpoolSession[] = [];
    for (const id of await this.folders()) {
      const folder = join(this.options.root, id);
      try {
        const path = join(folder, JOURNAL_FILE);
        const entries = await readJournal(path);
        const session = new SpoolSession(
          id,
          folder,
          await Journal.open(path),
          this.options.runFiles,
          entries,
        );
        try {
          for (const recordingId of await session.closeAfterCrash())
            this.options.onLost?.(session, recordingId);
        } catch (error) {
          await session.abandon();
          throw error;
        }
        await session.release();
        if ([...session.ledger.recordings.values()].some((recording) => !isSettled(recording)))
          sessions.push(session);
      } catch (error) {
        this.options.onUnreadable(folder, error);
      }
    }
    return sessions;
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
