// Usernames of agents by Connect's DescribeUser, remembered for a while: an agent asks every few minutes, and Connect allows two calls a
// second.

import { Refusal } from '../http/lambda.ts';
import type { ConnectApi } from '../aws/connectApi.ts';
import { lastPart, type UsernameOf } from './agent.ts';

/** A renamed user can still use the old name for that time. */
const REMEMBER_MS = 10 * 60 * 1000;
const MAX_REMEMBERED = 10_000;

/** @param apiFor the API in a region */
export function connectUsernames(
  apiFor: (region: string) => Pick<ConnectApi, 'usernameOf'>,
  now = Date.now,
): UsernameOf {
  const known = new Map<string, { username: string | null; until: number }>();
  return async (agentArn) => {
    const remembered = known.get(agentArn);
    if (remembered !== undefined && remembered.until > now()) return remembered.username;
    const [, , , region = '', , resource = ''] = agentArn.split(':');
    const [, instanceId = ''] = resource.split('/');
    const username = await apiFor(region)
      .usernameOf(instanceId, lastPart(agentArn))
      .catch(() => {
        throw new Refusal(
          503,
          'USERNAME_UNKNOWN',
          'Amazon Connect did not name the agent. Try again later.',
          2,
        );
      });
    known.delete(agentArn);
    known.set(agentArn, { username, until: now() + REMEMBER_MS });
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size > MAX_REMEMBERED) known.delete(oldest);
    return username;
  };
}
