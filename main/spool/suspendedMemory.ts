// Which contacts ended suspended although no page said so: they begin suspended again, also after their recordings were
// published and Sightline was restarted. The memory is the journal itself: when a folder of the spool goes, one that has
// such a contact is moved here, sealed and durable as it is, which needs no room on a full disk. Bounded in age and count.

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
import type { HeldContact } from './leftovers.ts';
import { endedSuspended, heldContacts } from './leftovers.ts';

/** A contact of Amazon Connect may last this long (chats; tasks unless configured otherwise). */
export const REMEMBERED_MS = 7 * 24 * 3_600_000;
/** Journals. */
export const MAX_REMEMBERED = 200;

export interface SuspendedMemoryOptions {
  readonly folder: string;
  readonly keys: SessionKeys;
  readonly now: () => Moment;
  readonly log: Logger;
}

/** One stretch of recording. */
interface Left {
  readonly id: string;
  readonly ledger: Ledger;
}

export class SuspendedMemory {
  /** By the id of the journal, oldest first: the contacts for which it is kept. */
  private readonly kept = new Map<string, Set<string>>();
  /** Contacts that a page, a time limit or policy has let go of, and when; the newest ones. */
  private readonly released = new Map<string, Moment>();

  constructor(private readonly options: SuspendedMemoryOptions) {}

  /** @returns whether the folder of the session, in which only the journal is of use any more, was moved here */
  async keep({ id, folder, ledger }: Left & { readonly folder: string }): Promise<boolean> {
    const contacts = endedSuspended({ ledger }).filter((one) => this.isHeld(one));
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
    await this.removeTheOldest();
    return true;
  }

  /**
   * The contacts that begin suspended again, as far as is known after a start.
   * @param found what the spool still has
   */
  async recall(found: readonly Left[]): Promise<HeldContact[]> {
    const remembered = await this.readAll();
    const ids = new Set(remembered.map(({ id }) => id));
    const all = [...remembered, ...found.filter(({ id }) => !ids.has(id))];
    const held = heldContacts(all.sort((a, b) => (a.id < b.id ? -1 : 1))).filter((one) => this.isHeld(one));
    for (const { id, ledger } of remembered) {
      const contacts = endedSuspended({ ledger })
        .filter(({ recordingId }) => held.some((one) => one.recordingId === recordingId))
        .map(({ contactId }) => contactId);
      this.kept.set(id, new Set(contacts));
      if (contacts.length === 0) await this.remove(id);
    }
    await this.removeTheOldest();
    return held;
  }

  /** A newer journal has this entry now. What ends a suspension ends the memory of it. Never rejects. */
  async follow(entry: JournalEntry, ledgerOf: (recordingId: string) => Ledger | undefined): Promise<void> {
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
    if (this.released.size > MAX_REMEMBERED && oldest !== undefined) this.released.delete(oldest);
    for (const [id, contacts] of this.kept) {
      if (contacts.delete(contactId) && contacts.size === 0) await this.remove(id);
    }
  }

  private isHeld({ contactId, endTime }: HeldContact): boolean {
    const isRecent = endTime + REMEMBERED_MS > this.options.now();
    return isRecent && endTime > (this.released.get(contactId) ?? -Infinity);
  }

  private async removeTheOldest(): Promise<void> {
    for (const id of [...this.kept.keys()].sort().slice(0, -MAX_REMEMBERED)) await this.remove(id);
  }

  /** What cannot be removed is found at the next start: its contact begins suspended then. */
  private async remove(id: string): Promise<void> {
    this.kept.delete(id);
    await rm(this.pathOf(id), { recursive: true, force: true }).catch((error: unknown) =>
      this.options.log.warn('a journal could not be deleted', { id, reason: String(error) }),
    );
  }

  private async readAll(): Promise<Left[]> {
    const { folder, keys, log, now } = this.options;
    const ids = await readdir(folder).catch(noneIfGone);
    const left: Left[] = [];
    for (const id of ids.sort()) {
      const journal = join(this.pathOf(id), JOURNAL_FILE);
      try {
        const entries = (await readJournal(journal, keys))?.entries ?? [];
        left.push({ id, ledger: entries.reduce(addEntry, emptyLedger) });
      } catch (error) {
        log.error('contacts that ended suspended are not known', { journal, reason: String(error) });
        const { mtimeMs } = await stat(this.pathOf(id)).catch(() => ({ mtimeMs: now() }));
        if (mtimeMs + REMEMBERED_MS < now()) await this.remove(id);
      }
    }
    return left;
  }

  private pathOf(id: string): string {
    return join(this.options.folder, id);
  }
}

function noneIfGone(error: unknown): string[] {
  if (errno(error) === 'ENOENT') return [];
  throw error;
}
