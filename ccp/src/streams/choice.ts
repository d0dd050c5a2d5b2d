// Which contacts are recorded: what their flow asks for, or what the page decides, with small helpers for the usual rules.
import { isInSample, type Decision } from '../contactFacts.ts';
import type { StreamsContact } from './library.ts';

export { isInSample, type Decision };

/** `undefined`: ask again when the contact changes. */
export type Choose<Contact = StreamsContact> = (contact: Contact) => Decision;

/**
 * What the flow's block "Set recording and analytics behavior" asked for: undefined where the contact does not say.
 */
export function askedByFlow(contact: StreamsContact): boolean | undefined {
  const features = contact.getContactFeatures?.();
  const enabled = features?.screenRecordingConfig?.screenRecordingEnabled ?? features?.screenRecordingEnabled;
  return enabled ?? undefined;
}

/** Contacts of these queues, by name. */
export function queue(...names: readonly string[]): Choose<Pick<StreamsContact, 'getQueue'>> {
  return (contact) => names.includes(contact.getQueue()?.name ?? '');
}

/** Contacts whose attribute has this value. Not known, and asked again, while it has none. */
export function attribute(name: string, value: string): Choose<Pick<StreamsContact, 'getAttributes'>> {
  return (contact) => {
    const attributes = contact.getAttributes();
    const found = Object.hasOwn(attributes, name) ? attributes[name]?.value : undefined;
    return found === undefined || found === null ? undefined : found === value;
  };
}

/** A share of all contacts, 0 to 100. The same contact gets the same answer on every page and after a reload. */
export function sample(percent: number): Choose<unknown> {
  return () => ({ percent });
}

/** A decision of the page for one contact; undefined while it has none. */
export function decide(choose: Choose, contact: StreamsContact): boolean | undefined {
  const decision = choose(contact);
  return typeof decision === 'object' ? isInSample(contact.getContactId(), decision.percent) : decision;
}
