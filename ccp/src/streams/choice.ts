// Which contacts are recorded: what their flow asks for, or what the page decides, with small helpers for the usual rules.
import type { StreamsContact } from './library.ts';

/** `undefined`: not known yet, ask again when the contact changes. `percent`: record that share of contacts. */
export type Decision = boolean | { readonly percent: number } | undefined;
export type Choose = (contact: StreamsContact) => Decision;

/**
 * What the flow's block "Set recording and analytics behavior" asked for: undefined where the contact does not say.
 */
export function askedByFlow(contact: StreamsContact): boolean | undefined {
  const features = contact.getContactFeatures?.();
  const enabled = features?.screenRecordingConfig?.screenRecordingEnabled ?? features?.screenRecordingEnabled;
  return enabled ?? undefined;
}

/** Contacts of these queues, by name. */
export function queue(...names: readonly string[]): Choose {
  return (contact) => names.includes(contact.getQueue()?.name ?? '');
}

/** Contacts whose attribute has this value. Not known, and asked again, while it has none. */
export function attribute(name: string, value: string): Choose {
  return (contact) => {
    const attributes = contact.getAttributes();
    const found = Object.hasOwn(attributes, name) ? attributes[name]?.value : undefined;
    return found === undefined || found === null ? undefined : found === value;
  };
}

/** A share of all contacts, 0 to 100. The same contact gets the same answer on every page and after a reload. */
export function sample(percent: number): Choose {
  return () => ({ percent });
}

/** Whether a contact is in a sample of so many percent: by a hash of its id (FNV-1a and MurmurHash3's final mix). */
export function isInSample(contactId: string, percent: number): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < contactId.length; index++) {
    hash = Math.imul(hash ^ contactId.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  const share = ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  return share * 100 < percent;
}

/** A decision of the page for one contact; undefined while it has none. */
export function decide(choose: Choose, contact: StreamsContact): boolean | undefined {
  const decision = choose(contact);
  return typeof decision === 'object' ? isInSample(contact.getContactId(), decision.percent) : decision;
}
