// From the contact events of an Agent Workspace app to what is recorded: a contact is recorded from its connected event until
// its after-contact work begins, or until it is cleared where the page wants that. Amazon's clients replay no event, so the
// contacts from before this page are asked for once.

import { channelOf, isInSample, type Decision } from '../contactFacts.ts';
import type { ContactInfo, ContactRecorder } from '../contract.ts';
import { suspensions, type Suspensions } from '../suspendAll.ts';
import type { LifecycleEvent, LifecycleHandler, WorkspaceContactClient } from './clients.ts';
import { contactForChoice, lookUp, type WorkspaceContact } from './details.ts';

export interface FollowOptions {
  /**
   * Which contacts to record; asked once for each contact, when it is connected. Required: an app cannot see what the flow
   * asks for.
   */
  readonly record: (contact: WorkspaceContact) => Decision | Promise<Decision>;
  /** Record after-contact work too, until the contact is cleared. */
  readonly throughACW?: boolean;
  /** Names of contact attributes to pass on to `record` and to the recorder's manifest. No others leave the page. */
  readonly attributes?: readonly string[];
}

const LIVE: ReadonlySet<string> = new Set(['connected', 'hold', 'barge']);
const MAX_ENDED = 1_000;
const MAX_RUNNING = 100;

export class ContactFollower {
  readonly suspensions: Suspensions;
  /** Contacts that are connected, whether they are recorded or not. */
  readonly #running = new Set<string>();
  /** An answer that comes too late must not begin a recording. */
  readonly #ended = new Set<string>();
  readonly #detach: (() => void)[] = [];
  #isDetached = false;
  /** Of the workspace; undefined until it has listed them. */
  #listed: ReadonlySet<string> | undefined;

  constructor(
    private readonly client: WorkspaceContactClient,
    private readonly contacts: ContactRecorder,
    private readonly options: FollowOptions,
    private readonly warn: (text: string) => void,
  ) {
    this.suspensions = suspensions(contacts, () => this.#running);
    const connected: LifecycleHandler = (event) => this.#connected(event);
    const afterWork: LifecycleHandler = ({ contactId }) => {
      if (options.throughACW !== true) this.#end(contactId);
      return Promise.resolve();
    };
    const over: LifecycleHandler = ({ contactId }) => {
      this.#end(contactId);
      return Promise.resolve();
    };
    client.onConnected(connected);
    client.onStartingAcw(afterWork);
    client.onCleared(over);
    client.onMissed(over);
    client.onError(over);
    this.#detach.push(
      () => client.offConnected(connected),
      () => client.offStartingAcw(afterWork),
      () => client.offCleared(over),
      () => client.offMissed(over),
      () => client.offError(over),
    );
    void this.#followRunning();
  }

  /** Whether the agent may have the contact. */
  has(contactId: string): boolean {
    if (this.#listed === undefined || this.#running.has(contactId)) return true;
    return this.#listed.has(contactId) && !this.#ended.has(contactId);
  }

  close(): void {
    this.#isDetached = true;
    for (const detach of this.#detach) detach();
  }

  /** Contacts from before this page: the list does not say their state, but the agent's own participant has one. */
  async #followRunning(): Promise<void> {
    let list: readonly LifecycleEvent[];
    try {
      list = await this.client.listContacts();
    } catch (error) {
      this.warn(
        `The workspace does not list its contacts; those from before this page stay as they are. ${String(error)}`,
      );
      return;
    }
    if (this.#isDetached) return;
    this.#listed = new Set(list.map(({ contactId }) => contactId));
    this.contacts.settle([...this.#listed]);
    await Promise.all(
      list.slice(0, MAX_RUNNING).map(async (contact) => {
        const state = await this.#ownState(contact.contactId);
        if (state === undefined || this.#isDetached) return;
        if (LIVE.has(state) || (state === 'disconnected' && this.options.throughACW === true)) {
          await this.#connected(contact);
        } else if (state === 'disconnected') this.#end(contact.contactId);
      }),
    );
  }

  /** Undefined where the workspace does not say: then the next event of the contact decides. */
  async #ownState(contactId: string): Promise<string | undefined> {
    try {
      const self = (await this.client.listParticipants(contactId)).find(({ isSelf }) => isSelf);
      return self && (await this.client.getParticipantState(self.participantId)).value;
    } catch {
      return undefined;
    }
  }

  async #connected(event: LifecycleEvent): Promise<void> {
    const { contactId } = event;
    const channel = channelOf(event.type);
    if (channel === undefined || this.#running.has(contactId) || this.#ended.has(contactId)) return;
    this.#running.add(contactId);
    this.suspensions.apply(contactId);
    const contact = await lookUp(event, channel, this.client, this.options.attributes ?? []);
    const isWanted = await this.#isWanted(contact);
    if (isWanted && this.#running.has(contactId) && !this.#isDetached) this.contacts.record(contact);
  }

  async #isWanted(contact: ContactInfo): Promise<boolean> {
    try {
      const decision = await this.options.record(contactForChoice(contact));
      if (typeof decision !== 'object') return decision === true;
      return isInSample(contact.contactId, decision.percent);
    } catch (error) {
      // In doubt recorded: a page that cannot decide must not lose the recording.
      this.warn(`The function "record" failed, so the contact is recorded: ${String(error)}`);
      return true;
    }
  }

  #end(contactId: string): void {
    this.#running.delete(contactId);
    this.#ended.add(contactId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(oldest);
    }
    // Also when this page did not want it: an earlier life of it may have.
    this.contacts.stop(contactId);
  }
}
