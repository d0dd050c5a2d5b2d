// What an Agent Workspace app can find out about a contact: it has to ask the workspace for each thing.

import { contactInfo, usableNames } from '../contactFacts.ts';
import type { Channel, ContactInfo } from '../contract.ts';
import type { LifecycleEvent, WorkspaceContactClient } from './clients.ts';

/** Queue and attributes are worth waiting for, but not long: nothing is recorded until then. */
const LOOKUP_MS = 3_000;

/** What `record` gets: the facts, and the reads that the helpers `queue` and `attribute` use. */
export interface WorkspaceContact extends ContactInfo {
  getQueue(): { readonly name?: string };
  /** Of those that the option `attributes` names. */
  getAttributes(): Readonly<Record<string, { readonly value: string }>>;
}

export function contactForChoice(contact: ContactInfo): WorkspaceContact {
  const { queue, attributes = {} } = contact;
  const values = Object.entries(attributes).map(([name, value]) => [name, { value }] as const);
  return {
    ...contact,
    getQueue: () => (queue === undefined ? {} : { name: queue }),
    getAttributes: () => Object.fromEntries(values),
  };
}

/** Queue and attributes are missing where the workspace does not name them in time. */
export async function lookUp(
  { contactId, initialContactId }: LifecycleEvent,
  channel: Channel,
  client: WorkspaceContactClient,
  names: readonly string[],
): Promise<ContactInfo> {
  const asked = usableNames(names);
  const [queue, given = {}] = await Promise.all([
    inTime(client.getQueue(contactId)),
    asked.length === 0 ? undefined : inTime(client.getAttributes(contactId, asked)),
  ]);
  const attribute = (name: string) => (Object.hasOwn(given, name) ? given[name] : undefined);
  return contactInfo({ contactId, channel, initialContactId, queue: queue?.name, attribute }, names);
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
