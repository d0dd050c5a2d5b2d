// Whether a verified token belongs to the agent that a request names. Requests have the agent's ARN; a token may name the agent by
// that, by Connect's user id (the ARN's last part), or by the username with which federation signs in to Connect.

import { Refusal } from '../http/lambda.ts';
import type { Claims } from './verifier.ts';

export interface AgentClaim {
  readonly claim: string;
  readonly kind: 'arn' | 'userId' | 'username';
  /**
   * A claim with the instance's ARN or id. Required for usernames if several instances are served: each can have an "alice".
   */
  readonly instanceClaim: string | null;
}

/** The username of an agent, as Connect has it; null: there is no such agent. @throws Refusal 503 */
export type UsernameOf = (agentArn: string) => Promise<string | null>;

interface Named {
  readonly agentArn: string;
  readonly instanceArn: string;
}

/** @throws Refusal 401 if the token names no agent, 503 if the username cannot be looked up */
export async function isAgentOf(
  claims: Claims,
  { agentArn, instanceArn }: Named,
  agentClaim: AgentClaim,
  usernameOf: UsernameOf,
): Promise<boolean> {
  const { kind, instanceClaim } = agentClaim;
  const named = nameIn(claims, agentClaim);
  if (instanceClaim !== null) {
    const instance = textOf(claims, instanceClaim);
    if (instance !== instanceArn && instance !== lastPart(instanceArn)) return false;
  }
  switch (kind) {
    case 'arn':
      return named === agentArn;
    case 'userId':
      return named === lastPart(agentArn);
    case 'username': {
      const username = await usernameOf(agentArn);
      // Connect's usernames are not case-sensitive.
      return username !== null && username.toLowerCase() === named.toLowerCase();
    }
  }
}

/** An agent of this instance: its ARN is the instance's, and an id. */
export function isOfInstance({ agentArn, instanceArn }: Named): boolean {
  const prefix = `${instanceArn}/agent/`;
  return agentArn.startsWith(prefix) && /^[A-Za-z0-9._@+-]+$/.test(agentArn.slice(prefix.length));
}

/** As the token has it. @throws Refusal 401 */
export function nameIn(claims: Claims, { claim }: AgentClaim): string {
  return textOf(claims, claim);
}

function textOf(claims: Claims, name: string): string {
  const value = claims[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal(
    401,
    'TOKEN_NAMES_NO_AGENT',
    `The token has no claim "${name}". Add it at the identity provider.`,
  );
}

export function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
