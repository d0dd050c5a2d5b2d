// What every bridge is made of: a client, its contacts, the reports of failures, and the suspensions of all contacts.

import { announceBridge } from './bridges.ts';
import { createClient } from './client/client.ts';
import { createContactRecorder } from './contacts/contactRecorder.ts';
import type { Client, ContactRecorder, Identity } from './contract.ts';
import { reportFailures } from './failures/report.ts';
import type { FailuresTo } from './failures/send.ts';
import type { Suspensions } from './suspendAll.ts';
import { suspendWhile, type SuspendWhileOptions } from './suspendWhile.ts';

export interface ConnectionOptions {
  /** A fresh token, where policy `auth` is `endpoint`. */
  readonly token?: () => string | Promise<string>;
  /** The recorder's port; 5431 unless told. */
  readonly port?: number;
  /** Where to post what the recorder cannot report itself. */
  readonly failuresTo?: FailuresTo;
}

export interface SightlineBridge {
  readonly client: Client;
  readonly contacts: ContactRecorder;
  /** Pending until the agent has signed in. */
  readonly identity: Promise<Identity>;
  /** For the page's button: one contact, or all of them and those that come until `resume()`. Takes effect at once. */
  suspend(contactId?: string): void;
  /** Ends what `suspend` began, and a suspension of unknown cause. Those of forms and flows stay. */
  resume(contactId?: string): void;
  /**
   * Suspends all contacts while an element has focus, or can be seen.
   * @returns ends it
   */
  suspendWhile(where: string | Element, options?: SuspendWhileOptions): () => void;
  /** Ends everything that this page does for recordings. Those that have begun go on until Sightline's grace period is over. */
  close(): void;
}

/** The part that follows the contacts. */
export interface Follower {
  readonly suspensions: Suspensions;
  close(): void;
}

export interface BridgeParts {
  readonly client: Client;
  readonly contacts: ContactRecorder;
  /** For what a page's developer should read. */
  readonly warn: (text: string) => void;
  /** What is called when the bridge closes, the latest first. */
  readonly onClose: (end: () => void) => void;
}

/**
 * @param follow is called once
 * @throws what `follow` throws, and TypeError for an option that cannot be used
 */
export function openBridge(
  { token, port, failuresTo }: ConnectionOptions,
  identity: Promise<Identity>,
  follow: (parts: BridgeParts) => Follower,
): SightlineBridge {
  const client = createClient({
    identity,
    ...(token === undefined ? {} : { token }),
    ...(port === undefined ? {} : { port }),
  });
  const contacts = createContactRecorder(client);
  const ends: (() => void)[] = [() => contacts.close(), () => client.close()];
  const close = (): void => {
    for (const end of ends.splice(0)) end();
  };
  try {
    if (failuresTo !== undefined) {
      const failures = reportFailures({ client, contacts, identity, to: failuresTo });
      ends.unshift(() => failures.close());
    }
    const follower = follow({
      client,
      contacts,
      // eslint-disable-next-line no-console -- the page's developer reads it there
      warn: (text) => console.warn(`Sightline: ${text}`),
      onClose: (end) => ends.unshift(end),
    });
    ends.unshift(() => follower.close());
    const { suspensions } = follower;
    const bridge: SightlineBridge = {
      client,
      contacts,
      identity,
      suspend: (contactId) => suspensions.suspend(contactId),
      resume: (contactId) => suspensions.resume(contactId),
      suspendWhile(where, options = {}) {
        const end = suspendWhile(where, options, suspensions);
        ends.unshift(end);
        return end;
      },
      close,
    };
    ends.unshift(announceBridge(bridge));
    return bridge;
  } catch (error) {
    close();
    throw error;
  }
}
