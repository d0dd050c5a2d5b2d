// From the contact events of an Agent Workspace app to what is recorded: a contact is recorded from its connected event until
// its after-contact work begins, or until it is cleared where the page wants that. Amazon's clients replay no event, so what
// runs already when the page loads is asked for once.

import type { Channel, ContactInfo, ContactRecorder } from '../contract.ts';
import type { LifecycleEvent, WorkspaceContactClient } from './clients.ts';

export interface FollowOptions {
  readonly contactClient: WorkspaceContactClient;
  readonly contacts: ContactRecorder;
  /** Of a connected contact; an error or a rejection counts as no. */
  readonly record: (contact: ContactInfo) => boolean | Promise<boolean>;
  readonly throughACW: boolean;
  /** Names of the attributes that are passed on to the recorder. */
  readonly attributes: readonly string[];
}

const CHANNELS: Readonly<Record<string, Channel>> = {
  voice: 'VOICE',
  queue_callback: 'VOICE',
  chat: 'CHAT',
  task: 'TASK',
};
/** Queue and attributes are worth waiting for, but not long: nothing is recorded until then. */
const LOOKUP_MS = 3_000;
const MAX_ENDED = 1_000;
const MAX_RUNNING = 100;

/** Follows until the result is called. */
export function followContacts(options: FollowOptions): () => void {
  const follower = new ContactFollower(options);
  follower.attach();
  void follower.attachRunning();
  return () => follower.detach();
}

class ContactFollower {
  /** Contacts that are connected, whether they are recorded or not. */
  readonly #running = new Set<string>();
  /** An answer that comes too late must not begin a recording. */
  readonly #ended = new Set<string>();
  #isDetached = false;

  constructor(private readonly options: FollowOptions) {}

  readonly #onConnected = (event: LifecycleEvent): Promise<void> => this.#connected(event);
  readonly #onAcw = ({ contactId }: LifecycleEvent): Promise<void> => {
    if (!this.options.throughACW) this.#end(contactId);
    return Promise.resolve();
  };
  readonly #onEnd = ({ contactId }: LifecycleEvent): Promise<void> => {
    this.#end(contactId);
    return Promise.resolve();
  };

  attach(): void {
    const { contactClient: client } = this.options;
    client.onConnected(this.#onConnected);
    client.onStartingAcw(this.#onAcw);
    client.onCleared(this.#onEnd);
    client.onMissed(this.#onEnd);
    client.onError(this.#onEnd);
  }

  detach(): void {
    const { contactClient: client } = this.options;
    this.#isDetached = true;
    client.offConnected(this.#onConnected);
    client.offStartingAcw(this.#onAcw);
    client.offCleared(this.#onEnd);
    client.offMissed(this.#onEnd);
    client.offError(this.#onEnd);
  }

  /** Contacts from before this page: the list does not say their state, but the agent's own participant has one. */
  async attachRunning(): Promise<void> {
    const { contactClient, contacts, throughACW } = this.options;
    let list: readonly LifecycleEvent[];
    try {
      list = await contactClient.listContacts();
    } catch (error) {
      console.warn(
        'Sightline: running contacts cannot be listed; contacts from before this page are left as they are.',
        error,
      );
      return;
    }
    if (this.#isDetached) return;
    contacts.settle(list.map(({ contactId }) => contactId));
    for (const contact of list.slice(0, MAX_RUNNING)) {
      const state = await this.#ownState(contact.contactId);
      if (this.#isDetached) return;
      if (state === 'connected' || state === 'hold' || state === 'barge') void this.#connected(contact);
      else if (state === 'disconnected') {
        if (throughACW) void this.#connected(contact);
        else this.#end(contact.contactId);
      }
    }
  }

  async #ownState(contactId: string): Promise<string | undefined> {
    const { contactClient } = this.options;
    try {
      const self = (await contactClient.listParticipants(contactId)).find(({ isSelf }) => isSelf);
      return self && (await contactClient.getParticipantState(self.participantId)).value;
    } catch {
      // The next event of the contact decides.
      return undefined;
    }
  }

  async #connected({ contactId, initialContactId, type }: LifecycleEvent): Promise<void> {
    const channel = Object.hasOwn(CHANNELS, type) ? CHANNELS[type] : undefined;
    if (channel === undefined || this.#running.has(contactId) || this.#ended.has(contactId)) return;
    this.#running.add(contactId);
    const { contactClient, attributes: names } = this.options;
    const [queue, attributes] = await Promise.all([
      inTime(contactClient.getQueue(contactId)),
      names.length === 0 ? undefined : inTime(contactClient.getAttributes(contactId, [...names])),
    ]);
    const contact: ContactInfo = {
      ...{ contactId, channel },
      ...(initialContactId === undefined ? {} : { initialContactId }),
      ...(typeof queue?.name === 'string' ? { queue: queue.name } : {}),
      ...(attributes === undefined ? {} : { attributes: picked(attributes, names) }),
    };
    const isWanted = await this.#isWanted(contact);
    if (isWanted && this.#running.has(contactId) && !this.#isDetached) this.options.contacts.record(contact);
  }

  async #isWanted(contact: ContactInfo): Promise<boolean> {
    try {
      return await this.options.record(contact);
    } catch (error) {
      console.error('Sightline: "record" has failed; the contact is not recorded.', error);
      return false;
    }
  }

  #end(contactId: string): void {
    this.#running.delete(contactId);
    this.#ended.add(contactId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(oldest);
    }
    this.options.contacts.stop(contactId);
  }
}

/** Only what the page allows, whatever the answer contains. */
function picked(
  attributes: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

/** The answer, or undefined where there is none in time. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), LOOKUP_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
