// Recordings of contacts that the agent no longer has: a tab was closed in mid-call, the call ended, and another tab was opened.
// Nobody else would end them while a page is connected. Not at once: Connect's snapshots in two browsers may differ for moments.
import type { Client, ContactRecorder, Unsubscribe } from '../contract.ts';

const AFTER_MS = 2000;

/**
 * @param has whether the agent has the contact
 * @param client only what is read
 */
export function stopLeftOver(
  client: Pick<Client, 'appState' | 'subscribe'>,
  contacts: ContactRecorder,
  has: (contactId: string) => boolean,
): Unsubscribe {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const isLeftOver = (contactId: string): boolean =>
    !has(contactId) && !contacts.contacts.some((contact) => contact.contactId === contactId);
  const open = (): readonly string[] => client.appState?.contacts.map(({ contactId }) => contactId) ?? [];

  const unsubscribe = client.subscribe(() => {
    const leftOver = new Set(open().filter(isLeftOver));
    for (const [contactId, timer] of timers) {
      if (leftOver.has(contactId)) continue;
      clearTimeout(timer);
      timers.delete(contactId);
    }
    for (const contactId of leftOver) {
      if (timers.has(contactId)) continue;
      const check = (): void => {
        timers.delete(contactId);
        if (isLeftOver(contactId) && open().includes(contactId)) contacts.stop(contactId);
      };
      timers.set(contactId, setTimeout(check, AFTER_MS));
    }
  });
  return () => {
    unsubscribe();
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  };
}
