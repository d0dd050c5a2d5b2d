// `Sightline.workspace({ contactClient, agentClient, record })`: an Agent Workspace app records by this one call.

import { instanceOf } from './contactFacts.ts';
import type { Identity } from './contract.ts';
import { openBridge, type ConnectionOptions, type SightlineBridge } from './openBridge.ts';
import { stopLeftOver } from './streams/leftOver.ts';
import type { WorkspaceAgentClient, WorkspaceContactClient } from './workspace/clients.ts';
import { ContactFollower, type FollowOptions } from './workspace/followContacts.ts';

export interface WorkspaceOptions extends FollowOptions, ConnectionOptions {
  /** `new ContactClient(provider)` and `new AgentClient(provider)` of `@amazon-connect/contact`. */
  readonly contactClient: WorkspaceContactClient;
  readonly agentClient: WorkspaceAgentClient;
  /** The instance's alias: `acme` of `https://acme.my.connect.aws`. An app cannot find it out. */
  readonly alias?: string;
  /** The agent's login, for the manifest. An app cannot find it out. */
  readonly agentUsername?: string;
}

/**
 * Call it once in the app, after `AmazonConnectApp.init(...)`.
 * @throws TypeError for an option that cannot be used
 */
export function workspace(options: WorkspaceOptions): SightlineBridge {
  const { contactClient, record } = options;
  if (typeof record !== 'function')
    throw new TypeError(
      'Sightline.workspace needs "record": an app cannot see which contacts the flow records.',
    );
  const identity = identityOf(options);
  identity.catch((error: unknown) => {
    // eslint-disable-next-line no-console -- the page's developer reads it there
    console.error('Sightline: the workspace does not say who the agent is, so nothing is recorded.', error);
  });
  return openBridge(options, identity, ({ client, contacts, warn, onClose }) => {
    const follower = new ContactFollower(contactClient, contacts, options, warn);
    onClose(stopLeftOver(client, contacts, (contactId) => follower.has(contactId)));
    return follower;
  });
}

async function identityOf({ agentClient, alias, agentUsername }: WorkspaceOptions): Promise<Identity> {
  const agentArn = await agentClient.getARN();
  return {
    agentArn,
    instanceArn: instanceOf(agentArn),
    ...(alias === undefined ? {} : { instanceAlias: alias }),
    ...(agentUsername === undefined ? {} : { agentUsername }),
    ccpVersion: 'agent workspace app',
  };
}
