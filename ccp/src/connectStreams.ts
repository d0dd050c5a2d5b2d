// `Sightline.streams(connect)`: a page on Amazon Connect Streams records by this one call.

import { announceBridge } from './bridges.ts';
import { createClient } from './client/client.ts';
import { createContactRecorder } from './contacts/contactRecorder.ts';
import type { Client, ContactRecorder, Identity } from './contract.ts';
import { reportFailures } from './failures/report.ts';
import type { FailuresTo } from './failures/send.ts';
import { suspendWhile, type SuspendWhileOptions } from './suspendWhile.ts';
import { bridgeStreams, type BridgeOptions } from './streams/bridge.ts';
import { identityOf } from './streams/details.ts';
import { stopLeftOver } from './streams/leftOver.ts';
import type { StreamsLibrary } from './streams/library.ts';

export interface StreamsOptions extends BridgeOptions {
  /** The instance's alias; from the CCP's address (`https://<alias>.my.connect.aws/...`) unless told. */
  readonly alias?: string;
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

/**
 * Call it once on the page, after `connect.core.initCCP(...)`; before or after the agent has signed in.
 * @throws Error when initCCP was not called, TypeError for an option that cannot be used
 */
export function streams(library: StreamsLibrary, options: StreamsOptions = {}): SightlineBridge {
  const { alias, token, port, failuresTo, ...bridgeOptions } = options;
  let identify: (identity: Identity) => void = () => undefined;
  const identity = new Promise<Identity>((resolve) => (identify = resolve));
  const client = createClient({
    identity,
    ...(token === undefined ? {} : { token }),
    ...(port === undefined ? {} : { port }),
  });
  const contacts = createContactRecorder(client);
  const ends: (() => void)[] = [() => contacts.close(), () => client.close()];
  try {
    if (failuresTo !== undefined) {
      const failures = reportFailures({ client, contacts, identity, to: failuresTo });
      ends.unshift(() => failures.close());
    }
    const bridge = bridgeStreams(
      library,
      contacts,
      bridgeOptions,
      (agent) => {
        identify(identityOf(agent, library, alias));
        ends.unshift(
          stopLeftOver(client, contacts, (contactId) =>
            agent.getContacts().some((contact) => contact.getContactId() === contactId),
          ),
        );
      },
      (text) => console.warn(`Sightline: ${text}`),
    );
    ends.unshift(() => bridge.close());
    const { suspensions } = bridge;
    const made: SightlineBridge = {
      client,
      contacts,
      suspend: (contactId) => suspensions.suspend(contactId),
      resume: (contactId) => suspensions.resume(contactId),
      suspendWhile(where, whileOptions = {}) {
        const end = suspendWhile(where, whileOptions, suspensions);
        ends.unshift(end);
        return end;
      },
      close: closeAll,
    };
    ends.unshift(announceBridge(made));
    return made;
  } catch (error) {
    closeAll();
    throw error;
  }

  function closeAll(): void {
    for (const end of ends.splice(0)) end();
  }
}
