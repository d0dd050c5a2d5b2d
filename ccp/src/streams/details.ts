// Who the agent is and what a contact is, from Streams to the protocol, cut to the protocol's limits: a long attribute must not
// cost the recording.
import { LONGEST_TEXT, contactInfo, instanceOf } from '../contactFacts.ts';
import type { Channel, ContactInfo, Identity } from '../contract.ts';
import type { StreamsAgent, StreamsContact, StreamsLibrary } from './library.ts';

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9-]{0,61}$/;

/** Of `https://acme.my.connect.aws/ccp-v2/` and `https://acme.awsapps.com/connect/ccp-v2/`: `acme`. */
export function aliasOf(ccpUrl: string | undefined): string | undefined {
  try {
    const { hostname } = new URL(ccpUrl ?? '');
    const alias = /^([^.]+)\.(?:my\.connect\.aws|awsapps\.com)$/.exec(hostname)?.[1];
    return alias !== undefined && ALIAS.test(alias) ? alias : undefined;
  } catch {
    return undefined; // no URL
  }
}

export function identityOf(
  agent: StreamsAgent,
  library: StreamsLibrary,
  alias: string | undefined,
): Identity {
  const { agentARN, username } = agent.getConfiguration();
  const instanceAlias = alias ?? aliasOf(library.initCCPParams?.ccpUrl);
  return {
    agentArn: agentARN,
    instanceArn: instanceOf(agentARN),
    ...(instanceAlias === undefined ? {} : { instanceAlias }),
    ...(username ? { agentUsername: username.slice(0, LONGEST_TEXT) } : {}),
    ...(typeof library.version === 'string'
      ? { ccpVersion: `streams ${library.version}`.slice(0, 100) }
      : {}),
  };
}

/** @param names the attributes that may leave the page; no other does */
export function infoOf(contact: StreamsContact, channel: Channel, names: readonly string[]): ContactInfo {
  const given = names.length > 0 ? contact.getAttributes() : {};
  return contactInfo(
    {
      contactId: contact.getContactId(),
      channel,
      initialContactId: contact.getInitialContactId?.(),
      queue: contact.getQueue()?.name,
      attribute: (name) => (Object.hasOwn(given, name) ? given[name]?.value : undefined),
    },
    names,
  );
}
