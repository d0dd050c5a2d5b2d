// What all bridges know of contacts and agents, and the protocol's limits: a long attribute must not cost the recording.

import type { Channel, ContactInfo } from './contract.ts';

export const LONGEST_TEXT = 1024;
const LONGEST_ATTRIBUTE_NAME = 256;
const MOST_ATTRIBUTES = 50;
const CONTACT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `undefined`: not known yet. `percent`: record that share of contacts. */
export type Decision = boolean | { readonly percent: number } | undefined;

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

/** An agent's ARN is `<instance's ARN>/agent/<id>`. */
export function instanceOf(agentArn: string): string {
  return agentArn.replace(/\/agent\/.*$/, '');
}

/** By Amazon's name; undefined for emails, and for what Connect may add: they are not recorded. */
export function channelOf(type: string): Channel | undefined {
  switch (type) {
    case 'voice':
    case 'queue_callback':
      return 'VOICE';
    case 'chat':
      return 'CHAT';
    case 'task':
      return 'TASK';
    default:
      return undefined;
  }
}

/** As Amazon's library gave them; what is missing or of another type is left out. */
export interface GivenFacts {
  readonly contactId: string;
  readonly channel: Channel;
  readonly initialContactId: unknown;
  readonly queue: unknown;
  readonly attribute: (name: string) => unknown;
}

/** @param names the attributes that may leave the page; no other does */
export function contactInfo(given: GivenFacts, names: readonly string[]): ContactInfo {
  const { contactId, channel, initialContactId, queue } = given;
  const attributes: Record<string, string> = {};
  for (const name of usableNames(names)) {
    const value = given.attribute(name);
    if (typeof value === 'string') attributes[name] = value.slice(0, LONGEST_TEXT);
  }
  return {
    contactId,
    channel,
    ...(typeof initialContactId === 'string' && CONTACT_ID.test(initialContactId)
      ? { initialContactId }
      : {}),
    ...(typeof queue === 'string' && queue !== '' ? { queue: queue.slice(0, LONGEST_TEXT) } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}

export function usableNames(names: readonly string[]): string[] {
  return names.slice(0, MOST_ATTRIBUTES).filter((name) => name.length <= LONGEST_ATTRIBUTE_NAME);
}
