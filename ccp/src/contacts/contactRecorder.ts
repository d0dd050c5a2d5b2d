// Makes the recorder match what the page wants of each contact (contact.ts), across reloads (memory.ts), tabs (tabs.ts),
// and connections.

import type { Client, ContactInfo, ContactRecorder, ContactState, Unsubscribe } from '../contract.ts';
import { Listeners } from '../listeners.ts';
import { Contact } from './contact.ts';
import { load, save } from './memory.ts';
import { Tabs } from './tabs.ts';

/** More than an agent ever has. The oldest that need nothing are forgotten. */
const MAX_CONTACTS = 200;

/** @param client is not closed with it: it may have other users */
export function createContactRecorder(client: Client): ContactRecorder {
  return new Recorder(client);
}

class Recorder implements ContactRecorder {
  private readonly all = new Map<string, Contact>();
  private readonly changes = new Listeners();
  private readonly tabs = new Tabs((contactId) => this.all.get(contactId)?.resume('page'));
  private readonly unsubscribe: readonly Unsubscribe[];
  private list: readonly ContactState[] = [];
  private isAnnouncing = false;
  private isClosed = false;
  private connection: Client['connection'] | undefined;
  private appState: Client['appState'];

  constructor(private readonly client: Client) {
    for (const one of load()) this.all.set(one.contactId, this.contact(one.contactId, one));
    this.unsubscribe = [
      client.subscribe(() => this.clientChanged()),
      client.onResumed((contactId, cause) => {
        if (cause === 'time-limit') this.all.get(contactId)?.timeLimitReached();
      }),
    ];
  }

  get contacts(): readonly ContactState[] {
    return this.list;
  }

  subscribe(listener: () => void): Unsubscribe {
    const unsubscribe = this.changes.add(listener);
    listener();
    return unsubscribe;
  }

  record(contact: ContactInfo): void {
    const known = this.of(contact.contactId);
    const isNew = known?.wanted !== 'record';
    known?.record(contact);
    if (isOtherAgent(this.connection)) known?.otherAgent();
    if (isNew) this.client.connectNow();
  }

  stop(contactId: string): void {
    this.of(contactId)?.stop();
  }

  suspend(contactId: string, cause: string, reason?: string): void {
    this.of(contactId)?.suspend(cause, reason);
  }

  resume(contactId: string, cause: string): void {
    this.all.get(contactId)?.resume(cause);
  }

  resumeAll(contactId: string): void {
    if (this.isClosed) return;
    this.tabs.announceResumeAll(contactId);
    this.of(contactId)?.resumeAll();
  }

  settle(contactIds: readonly string[]): void {
    for (const contact of [...this.all.values()]) {
      if (contactIds.includes(contact.id)) continue;
      if (contact.wanted === 'inherited' || contact.wanted === 'unknown') contact.stop();
    }
  }

  idle(contactId: string): Promise<void> {
    return this.all.get(contactId)?.idle() ?? Promise.resolve();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    for (const contact of this.all.values()) contact.close();
    this.tabs.close();
    this.changes.clear();
  }

  private of(contactId: string): Contact | undefined {
    if (this.isClosed) return undefined;
    const known = this.all.get(contactId);
    if (known !== undefined) return known;
    const contact = this.contact(contactId);
    const recordings =
      this.appState?.contacts ?? (this.connection?.kind === 'connected' ? this.connection.recordings : null);
    if (recordings !== null)
      contact.connected(recordings.find((one) => one.contactId === contactId)?.state ?? null);
    this.all.set(contactId, contact);
    return contact;
  }

  private contact(contactId: string, remembered?: ConstructorParameters<typeof Contact>[2]): Contact {
    const { client, tabs } = this;
    return new Contact(contactId, { client, tabs, onChange: () => this.changed() }, remembered);
  }

  private clientChanged(): void {
    const { connection, appState } = this.client;
    const before = this.connection;
    this.connection = connection;
    const isNewState = appState !== this.appState;
    this.appState = appState;
    if (connection !== before) {
      if (connection.kind === 'connected') {
        const { recordings } = connection;
        this.each((contact, id) =>
          contact.connected(recordings.find(({ contactId }) => contactId === id)?.state ?? null),
        );
      } else if (before?.kind === 'connected') this.each((contact) => contact.disconnected());
      if (isOtherAgent(connection)) this.each((contact) => contact.otherAgent());
    }
    if (isNewState && appState !== undefined) {
      this.each((contact, id) =>
        contact.observed(appState.contacts.find(({ contactId }) => contactId === id)?.state ?? null),
      );
    }
    this.changed();
  }

  /** Those with causes first: no start may come before another contact's suspend. */
  private each(act: (contact: Contact, id: string) => void): void {
    const contacts = [...this.all.values()];
    for (const contact of contacts.filter(({ hasCauses }) => hasCauses)) act(contact, contact.id);
    for (const contact of contacts.filter(({ hasCauses }) => !hasCauses)) act(contact, contact.id);
  }

  /** Many changes in one step are one announcement. */
  private changed(): void {
    if (this.isAnnouncing) return;
    this.isAnnouncing = true;
    queueMicrotask(() => {
      this.isAnnouncing = false;
      if (this.isClosed) return;
      this.forget();
      save([...this.all.values()].flatMap((contact) => contact.remembered ?? []));
      const list = [...this.all.values()].filter((one) => one.isListed).map((one) => one.state);
      if (JSON.stringify(list) === JSON.stringify(this.list)) return;
      this.list = list;
      this.changes.call();
    });
  }

  private forget(): void {
    for (const [id, contact] of this.all) {
      const isOne = contact.isForgettable || (this.all.size > MAX_CONTACTS && contact.wanted === 'ended');
      if (!isOne) continue;
      contact.close();
      this.all.delete(id);
    }
  }
}

function isOtherAgent(connection: Client['connection'] | undefined): boolean {
  return connection?.kind === 'refused' && connection.code === 'MULTIPLE_CCP_INTERACTION';
}
