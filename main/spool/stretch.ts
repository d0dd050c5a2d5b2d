// The stretch of recording that is going on: which spool session new runs and records go to, and which one holds each
// recording that is not settled yet. Opened by the first record, ended when nothing is recorded any more.

import type { JournalEntry } from './journal.ts';
import type { RunWriter } from './runFiles.ts';
import type { OpenedRun, Spool, SpoolSession } from './spool.ts';

export class Stretch {
  private current: Promise<SpoolSession> | null = null;
  private readonly sessionOf = new Map<string, SpoolSession>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly spool: Spool) {}

  /** @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  session(): Promise<SpoolSession> {
    this.current ??= this.spool.openSession().catch((error: unknown) => {
      this.current = null; // the next run or contact tries again: the disk may have room by then
      throw error;
    });
    return this.current;
  }

  /** Resolves when the entry is on the disk. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  async append(entry: JournalEntry): Promise<void> {
    const session = await this.session();
    if ('recordingId' in entry) this.sessionOf.set(entry.recordingId, session);
    const written = session.append(entry);
    // The ledger has it already: what is shown need not wait for the disk.
    for (const watcher of this.watchers) watcher();
    await written;
  }

  /** Told whenever the ledger has grown. @returns the way to end it */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** A new run's file; the journal knows of it. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  async openRun(opened: OpenedRun): Promise<RunWriter> {
    return (await this.session()).beginRun(opened);
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
    this.current = Promise.resolve(left);
    for (const { recordingId } of left.openRecordings()) this.sessionOf.set(recordingId, left);
  }

  /**
   * Nothing is recorded any more: what comes next gets a folder of its own.
   * @param last what is still to be written about the recordings of this one
   */
  async end(last: Promise<void>): Promise<void> {
    const ending = this.current;
    this.current = null;
    await last;
    await (await ending)?.release();
  }
}
