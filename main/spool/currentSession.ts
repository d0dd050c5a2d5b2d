// The spool session that records now: where new runs and journal entries go, and which session contains each recording
// that is neither published nor failed. The first entry opens a session; it ends when nothing is recorded any more.

import type { JournalEntry } from './journal.ts';
import type { RunWriter } from './runFiles.ts';
import type { OpenedRun, Spool, SpoolSession } from './spool.ts';

export class CurrentSpoolSession {
  private current: SpoolSession | null = null;
  private readonly sessions = new Map<string, SpoolSession>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly spool: Spool) {}

  session(): SpoolSession {
    return (this.current ??= this.spool.openSession());
  }

  /** Resolves when the entry is on the disk, however long that takes; the ledger has it at once. */
  append(entry: JournalEntry): Promise<void> {
    const session = this.session();
    if ('recordingId' in entry) this.sessions.set(entry.recordingId, session);
    const written = session.append(entry);
    for (const watcher of this.watchers) watcher();
    return written;
  }

  /** See `Journal.guard`. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  guard(): Promise<void> {
    return this.current?.guard() ?? Promise.resolve();
  }

  /** Calls back after each new entry. @returns how to unsubscribe */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Journals the run and creates its file. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE */
  openRun(opened: OpenedRun): Promise<RunWriter> {
    return this.session().beginRun(opened);
  }

  /** The session that contains the recording. */
  sessionOf(recordingId: string): SpoolSession | undefined {
    return this.sessions.get(recordingId);
  }

  /** The recording is published or has failed. */
  forget(recordingId: string): void {
    this.sessions.delete(recordingId);
  }

  /** Continues a session of an earlier process. */
  continueIn(recovered: SpoolSession): void {
    this.current = recovered;
    for (const { recordingId } of recovered.openRecordings()) this.sessions.set(recordingId, recovered);
  }

  /**
   * Nothing is recorded any more: the next entry opens a new session.
   * @param written resolves when everything about this session's recordings is journaled
   */
  async end(written: Promise<void>): Promise<void> {
    const ending = this.current;
    this.current = null;
    if (ending === null) return;
    // A session that never reached the disk may never finish writing.
    if (!ending.isEmpty) await written;
    await ending.release();
  }
}
