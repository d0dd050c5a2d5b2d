// Remembers contacts that ended suspended without a page's stop: they begin suspended again, even after their recordings
// were published and Sightline was restarted. The memory is the journal itself: instead of deleting the spool folder of such
// a contact, it is moved here, sealed and durable as it is, which needs no space on a full disk. Limited in age and number.

import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renameOver, syncFolder } from '../platform/atomicFile.ts';
import type { Logger } from '../platform/log.ts';
import { errno } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import type { JournalEntry, SessionKeys } from './journal.ts';
import { JOURNAL_FILE, readJournal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import { addEntry, emptyLedger } from './ledger.ts';
import type { SuspendedContact } from './recoveredContacts.ts';
import { endedSuspended, suspendedContacts } from './recoveredContacts.ts';
import type { SpoolSession } from './spool.ts';

/** The maximum length of an Amazon Connect contact (chats; tasks unless configured otherwise). */
export const REMEMBERED_MS = 7 * 24 * 3_600_000;
const MAX_JOURNALS = 200;

export interface SuspendedMemoryOptions {
  readonly folder: string;
  readonly keys: SessionKeys;
  readonly now: () => Moment;
  readonly log: Logger;
  /** 200 unless given; the oldest are deleted. */
  readonly maxJournals?: number;
}

type JournaledSession = Pick<SpoolSession, 'id' | 'ledger'>;

export class SuspendedMemory {
  /** The contacts for which each journal is kept, by its session's id. */
  private readonly kept = new Map<string, Set<string>>();
  /** When contacts were last resumed or stopped; the newest ones. */
  private readonly released = new Map<string, Moment>();
  private readonly maxJournals: number;

  constructor(private readonly options: SuspendedMemoryOptions) {
    this.maxJournals = options.maxJournals ?? MAX_JOURNALS;
  }

  /** @returns whether the session's folder, of which only the journal is still needed, was moved here */
  async keep({ id, folder, ledger }: Pick<SpoolSession, 'id' | 'folder' | 'ledger'>): Promise<boolean> {
    const contacts = endedSuspended({ ledger }).filter((one) => this.isSuspended(one));
    if (contacts.length === 0) return false;
    const names = await readdir(folder).catch(noneIfGone);
    if (!names.includes(JOURNAL_FILE)) return false;
    for (const name of names)
      if (name !== JOURNAL_FILE) await rm(join(folder, name), { recursive: true, force: true });
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    await renameOver(folder, this.pathOf(id));
    await syncFolder(this.options.folder);
    await syncFolder(dirname(folder));
    this.kept.set(id, new Set(contacts.map(({ contactId }) => contactId)));
    await this.removeOldest();
    return true;
  }

  /**
   * After a start: the contacts that begin suspended again.
   * @param inSpool the sessions that are still in the spool
   */
  async restore(inSpool: readonly JournaledSession[]): Promise<SuspendedContact[]> {
    const remembered = await this.readAll();
    const ids = new Set(remembered.map(({ id }) => id));
    const all = [...remembered, ...inSpool.filter(({ id }) => !ids.has(id))];
    const sorted = all.sort((a, b) => (a.id < b.id ? -1 : 1));
    const suspended = suspendedContacts(sorted).filter((one) => this.isSuspended(one));
    for (const { id, ledger } of remembered) {
      const contacts = endedSuspended({ ledger })
        .filter(({ recordingId }) => suspended.some((one) => one.recordingId === recordingId))
        .map(({ contactId }) => contactId);
      this.kept.set(id, new Set(contacts));
      if (contacts.length === 0) await this.remove(id);
    }
    await this.removeOldest();
    return suspended;
  }

  /** Call it for each journaled entry: what ends a suspension ends its memory. Never rejects. */
  async onEntry(entry: JournalEntry, ledgerOf: (recordingId: string) => Ledger | undefined): Promise<void> {
    if (entry.type !== 'contact.resumed' && entry.type !== 'contact.stopped') return;
    if (entry.type === 'contact.stopped' && entry.cause !== 'stopped') return;
    const { recordingId } = entry;
    const contactId = ledgerOf(recordingId)?.recordings.get(recordingId)?.started.contact.contactId;
    if (contactId !== undefined) await this.release(contactId);
  }

  private async release(contactId: string): Promise<void> {
    this.released.delete(contactId);
    this.released.set(contactId, this.options.now());
    const [oldest] = this.released.keys();
    if (this.released.size > this.maxJournals && oldest !== undefined) this.released.delete(oldest);
    for (const [id, contacts] of this.kept) {
      if (contacts.delete(contactId) && contacts.size === 0) await this.remove(id);
    }
  }

  private isSuspended({ contactId, endTime }: SuspendedContact): boolean {
    const isRecent = endTime + REMEMBERED_MS > this.options.now();
    return isRecent && endTime > (this.released.get(contactId) ?? -Infinity);
  }

  private async removeOldest(): Promise<void> {
    for (const id of [...this.kept.keys()].sort().slice(0, -this.maxJournals)) await this.remove(id);
  }

  /** If this fails, the next start reads the journal again, and its contact begins suspended. */
  private async remove(id: string): Promise<void> {
    this.kept.delete(id);
    await rm(this.pathOf(id), { recursive: true, force: true }).catch((error: unknown) =>
      this.options.log.warn('a journal could not be deleted', { id, reason: String(error) }),
    );
  }

  private async readAll(): Promise<JournaledSession[]> {
    const { folder, keys, log, now } = this.options;
    const ids = await readdir(folder).catch(noneIfGone);
    const sessions: JournaledSession[] = [];
    for (const id of ids.sort()) {
      const journal = join(this.pathOf(id), JOURNAL_FILE);
      try {
        const entries = (await readJournal(journal, keys))?.entries ?? [];
        sessions.push({ id, ledger: entries.reduce(addEntry, emptyLedger) });
      } catch (error) {
        log.error('a journal of contacts that ended suspended cannot be read', {
          journal,
          reason: String(error),
        });
        const { mtimeMs } = await stat(this.pathOf(id)).catch(() => ({ mtimeMs: now() }));
        if (mtimeMs + REMEMBERED_MS < now()) await this.remove(id);
      }
    }
    return sessions;
  }

  private pathOf(id: string): string {
    return join(this.options.folder, id);
  }
}

function noneIfGone(error: unknown): string[] {
  if (errno(error) === 'ENOENT') return [];
  throw error;
}
