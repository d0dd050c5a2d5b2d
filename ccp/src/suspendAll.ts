// Suspensions for all contacts of a bridge, also those that come later: the page's "Suspend" button without a contact, and
// protected forms. The bridge says which contacts there are.

import type { ContactRecorder } from './contract.ts';

export const PAGE_CAUSE = 'page';
const PAGE_REASON = 'suspended by the agent';
/** ContactRecorder's name for a suspension from before this page, of which no tab knows the cause. */
const UNKNOWN_CAUSE = 'unknown';

export interface Suspensions {
  /** For the page's button: one contact, or all of them and those that come until `resume()`. */
  suspend(contactId?: string): void;
  /** Ends what `suspend` began, and a suspension of unknown cause. Those of forms and flows stay. */
  resume(contactId?: string): void;
  suspendAll(cause: string, reason: string): void;
  resumeAll(cause: string): void;
  /** A contact has come, perhaps for the first time in this life of the page. */
  apply(contactId: string): void;
}

/** Also ends the button's suspension of another tab, and one of unknown cause. */
function resumePage(contacts: ContactRecorder, contactId: string): void {
  const causes = contacts.contacts.find((contact) => contact.contactId === contactId)?.causes ?? [];
  contacts.resumeAll(contactId);
  // In the same turn, so nothing is resumed in between.
  for (const cause of causes) {
    if (cause !== PAGE_CAUSE && cause !== UNKNOWN_CAUSE) contacts.suspend(contactId, cause);
  }
}

export function suspensions(contacts: ContactRecorder, contactIds: () => Iterable<string>): Suspensions {
  /** Causes for every contact, with their reasons; null for those that have ended. */
  const forAll = new Map<string, string | null>();
  const made: Suspensions = {
    suspend(contactId) {
      if (contactId === undefined) made.suspendAll(PAGE_CAUSE, PAGE_REASON);
      else contacts.suspend(contactId, PAGE_CAUSE, PAGE_REASON);
    },
    resume(contactId) {
      if (contactId === undefined) forAll.delete(PAGE_CAUSE);
      for (const one of contactId === undefined ? [...contactIds()] : [contactId]) resumePage(contacts, one);
    },
    suspendAll(cause, reason) {
      forAll.set(cause, reason);
      // Copies: a bridge may forget a contact meanwhile.
      for (const contactId of [...contactIds()]) contacts.suspend(contactId, cause, reason);
    },
    resumeAll(cause) {
      forAll.set(cause, null);
      for (const contactId of [...contactIds()]) contacts.resume(contactId, cause);
    },
    apply(contactId) {
      for (const [cause, reason] of forAll) {
        if (reason !== null) contacts.suspend(contactId, cause, reason);
        // An earlier life of the page may have left it suspended for this cause.
        else contacts.resume(contactId, cause);
      }
    },
  };
  return made;
}
