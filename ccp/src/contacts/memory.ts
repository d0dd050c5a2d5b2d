// What survives a reload of the page, in sessionStorage: which contacts this tab started and what suspends them. No names,
// numbers or attributes of customers.

import type { Channel } from '../protocol.ts';

export interface Remembered {
  readonly contactId: string;
  readonly channel: Channel;
  readonly causes: readonly string[];
  /** A suspension of this tab may be in force. */
  readonly ours: boolean;
  /** The recording is to be stopped; the recorder has not confirmed it. */
  readonly stopping: boolean;
}

const KEY = 'sightline.contacts';
/** An agent has 21 contacts at most: 1 call, 10 chats, 10 tasks. */
const MAX_REMEMBERED = 64;

/** A page without storage (blocked by the user, or an opaque origin) forgets at a reload. */
export function load(): Remembered[] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.slice(-MAX_REMEMBERED).filter(isRemembered) : [];
  } catch {
    return [];
  }
}

export function save(contacts: readonly Remembered[]): void {
  try {
    const text = JSON.stringify(contacts.slice(-MAX_REMEMBERED));
    if (text !== (sessionStorage.getItem(KEY) ?? '[]')) sessionStorage.setItem(KEY, text);
  } catch {
    // See above; the page goes on.
  }
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Partial<Record<keyof Remembered, unknown>>;
  return (
    typeof one.contactId === 'string' &&
    (one.channel === 'VOICE' || one.channel === 'CHAT' || one.channel === 'TASK') &&
    Array.isArray(one.causes) &&
    one.causes.every((cause) => typeof cause === 'string') &&
    typeof one.ours === 'boolean' &&
    typeof one.stopping === 'boolean'
  );
}
