// Who is asking: verifies the token of a request and whether it is that of the agent whom the request names. Broker, authorizer and relay
// have it in common.

import { Refusal } from '../http/lambda.ts';
import { isAgentOf, isOfInstance, nameIn, type UsernameOf } from '../tokens/agent.ts';
import type { Claims, TokenVerifier } from '../tokens/verifier.ts';
import type { AccessSettings, Instance } from '../settings.ts';

export interface Access {
  readonly settings: Pick<AccessSettings, 'instances' | 'agentClaim'>;
  readonly verify: TokenVerifier;
  readonly usernameOf: UsernameOf;
}

interface Named {
  readonly agentArn: string;
  readonly instanceArn: string;
}

export interface Verified {
  readonly claims: Claims;
  readonly instance: Instance;
  /** false: the token is good, and another agent's. */
  readonly isOwn: boolean;
}

/**
 * The token first: without a valid one nobody learns which instances are served.
 * @param admit is called with the name in the verified token, before anything is looked up; it may throw a Refusal
 * @throws Refusal 401, 403 INSTANCE_NOT_SERVED or AGENT_NOT_OF_INSTANCE, 503
 */
export async function verified(
  access: Access,
  token: string,
  named: Named,
  admit: (who: string) => void = () => undefined,
): Promise<Verified> {
  const { settings, verify, usernameOf } = access;
  const claims = await verify(token);
  admit(nameIn(claims, settings.agentClaim));
  const instance = settings.instances.find(({ instanceArn }) => instanceArn === named.instanceArn);
  if (instance === undefined)
    throw new Refusal(403, 'INSTANCE_NOT_SERVED', 'This service does not serve the Amazon Connect instance.');
  if (!isOfInstance(named))
    throw new Refusal(403, 'AGENT_NOT_OF_INSTANCE', 'The agent’s ARN is not one of the instance.');
  return { claims, instance, isOwn: await isAgentOf(claims, named, settings.agentClaim, usernameOf) };
}
