// `Sightline.streams(connect)`: a page on Amazon Connect Streams records by this one call.

import type { Identity } from './contract.ts';
import { openBridge, type ConnectionOptions, type SightlineBridge } from './openBridge.ts';
import { bridgeStreams, type BridgeOptions } from './streams/bridge.ts';
import { identityOf } from './streams/details.ts';
import { stopLeftOver } from './streams/leftOver.ts';
import type { StreamsLibrary } from './streams/library.ts';

export interface StreamsOptions extends BridgeOptions, ConnectionOptions {
  /** The instance's alias; from the CCP's address (`https://<alias>.my.connect.aws/...`) unless told. */
  readonly alias?: string;
}

/**
 * Call it once on the page, after `connect.core.initCCP(...)`; before or after the agent has signed in.
 * @throws Error when initCCP was not called, TypeError for an option that cannot be used
 */
export function streams(library: StreamsLibrary, options: StreamsOptions = {}): SightlineBridge {
  let identify: (identity: Identity) => void = () => undefined;
  const identity = new Promise<Identity>((resolve) => (identify = resolve));
  return openBridge(options, identity, ({ client, contacts, warn, onClose }) =>
    bridgeStreams(
      library,
      contacts,
      options,
      (agent) => {
        identify(identityOf(agent, library, options.alias));
        onClose(
          stopLeftOver(client, contacts, (contactId) =>
            agent.getContacts().some((contact) => contact.getContactId() === contactId),
          ),
        );
      },
      warn,
    ),
  );
}
