// The stretch of recording that is going on: which spool session new runs and records go to, and which one holds each
// recording that is not settled yet. Opened by the first record, ended when nothing is recorded any more.

import type { JournalEntry } from './journal.ts';
import type { RunWriter } from './runFiles.ts';
import type { OpenedRun, Spool, SpoolSession } from './spool.ts';

export class Stretch {
  private current: SpoolSession | null = null;
  private readonly sessionOf = new Map<string, SpoolSession>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly spool: Spool) {}

  session(): SpoolSession {
    return (this.current ??= this.spool.openSession());
  }

  /** Resolves when the entry is on the disk, however long that takes; the ledger has it at once. */
  append(entry: JournalEntry): Promise<void> {
    const session = this.session();
    if ('recordingId' in entry) this.sessionOf.set(entry.recordingId, session);
    const written = session.append(entry);
    for (const watcher of this.watchers) watcher();
    return written;
  }

  /** See `Journal.guard`. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  guard(): Promise<void> {
    return this.current?.guard() ?? Promise.resolve();
  }

  /** Told whenever the ledger has grown. @returns the way to end it */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** A new run's file; the journal knows of it. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  openRun(opened: OpenedRun): Promise<RunWriter> {
    return this.session().beginRun(opened);
  }

  holderOf(recordingId: string): SpoolSession | undefined {
    return this.sessionOf.get(recordingId);
  }

  /** The recording is published or given up. */
  forget(recordingId: string): void {
    this.sessionOf.delete(recordingId);
  }

  /** Recording goes on in the session that an earlier process left. */
  goOnIn(left: SpoolSession): void {
    this.current = left;
    for (const { recordingId } of left.openRecordings()) this.sessionOf.set(recordingId, left);
  }

  /**
   * Nothing is recorded any more: what comes next gets a folder of its own.
   * @param last what is still to be written about the recordings of this one
   */
  async end(last: Promise<void>): Promise<void> {
    const ending = this.current;
    this.current = null;
    if (ending === null) return;
    if (ending.isNowhere) return ending.abandon();
    await last;
    await ending.release();
  }
}
