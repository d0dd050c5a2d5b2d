// What an Agent Workspace app can find out about a contact, cut to the protocol's limits.

import type { Channel, ContactInfo } from '../contract.ts';
import { channelOf } from '../streams/details.ts';
import type { LifecycleEvent, WorkspaceContactClient } from './clients.ts';

const LONGEST_TEXT = 1024;
const LONGEST_ATTRIBUTE_NAME = 256;
const MOST_ATTRIBUTES = 50;
const CONTACT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Queue and attributes are worth waiting for, but not long: nothing is recorded until then. */
const LOOKUP_MS = 3_000;

/** Undefined: not a kind of contact that is recorded (emails, and what Amazon may add). */
export function recordedChannel({ contactId, type }: LifecycleEvent): Channel | undefined {
  return CONTACT_ID.test(contactId) ? channelOf(type) : undefined;
}

/**
 * Queue and attributes are missing where the workspace does not name them in time.
 * @param names the attributes that may leave the page; no other does
 */
export async function contactInfo(
  { contactId, initialContactId }: LifecycleEvent,
  channel: Channel,
  client: WorkspaceContactClient,
  names: readonly string[],
): Promise<ContactInfo> {
  const asked = names.filter((name) => name.length <= LONGEST_ATTRIBUTE_NAME).slice(0, MOST_ATTRIBUTES);
  const [queue, given] = await Promise.all([
    inTime(client.getQueue(contactId)),
    asked.length === 0 ? undefined : inTime(client.getAttributes(contactId, asked)),
  ]);
  const attributes: Record<string, string> = {};
  for (const name of asked) {
    const value: unknown = given !== undefined && Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof value === 'string') attributes[name] = value.slice(0, LONGEST_TEXT);
  }
  return {
    ...{ contactId, channel },
    ...(typeof initialContactId === 'string' && CONTACT_ID.test(initialContactId)
      ? { initialContactId }
      : {}),
    ...(queue?.name ? { queue: queue.name.slice(0, LONGEST_TEXT) } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
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
