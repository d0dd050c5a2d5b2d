// Who the agent is and what a contact is, from Streams to the protocol, cut to the protocol's limits: a long attribute must not
// cost the recording.
import type { Channel, ContactInfo, Identity } from '../contract.ts';
import type { StreamsAgent, StreamsContact, StreamsLibrary } from './library.ts';

const LONGEST_TEXT = 1024;
const LONGEST_ATTRIBUTE_NAME = 256;
const MOST_ATTRIBUTES = 50;
const CONTACT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const ALIAS = /^[A-Za-z0-9][A-Za-z0-9-]{0,61}$/;

/** An agent's ARN is `<instance's ARN>/agent/<id>`. */
export function instanceOf(agentArn: string): string {
  return agentArn.replace(/\/agent\/.*$/, '');
}

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

/** undefined for emails, and for what Connect may add: they are not recorded. */
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

/** @param names the attributes that may leave the page; no other does */
export function infoOf(contact: StreamsContact, channel: Channel, names: readonly string[]): ContactInfo {
  const initialContactId = contact.getInitialContactId?.();
  const queue = contact.getQueue()?.name;
  const given = names.length > 0 ? contact.getAttributes() : {};
  const attributes: Record<string, string> = {};
  for (const name of names.slice(0, MOST_ATTRIBUTES)) {
    const value = Object.hasOwn(given, name) ? given[name]?.value : undefined;
    if (typeof value === 'string' && name.length <= LONGEST_ATTRIBUTE_NAME) {
      attributes[name] = value.slice(0, LONGEST_TEXT);
    }
  }
  return {
    contactId: contact.getContactId(),
    channel,
    ...(typeof initialContactId === 'string' && CONTACT_ID.test(initialContactId)
      ? { initialContactId }
      : {}),
    ...(queue ? { queue: queue.slice(0, LONGEST_TEXT) } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}
