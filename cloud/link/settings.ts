// The settings of links (docs/aws-services.md).

import type { AccessSettings, Environment } from '../settings.ts';
import type { LinkSettings } from './link.ts';

/** @throws Error that names the variable */
export function linkSettings(env: Environment, { instances, agentClaim }: AccessSettings): LinkSettings {
  const seconds = Number(env['LINK_SECONDS'] ?? 120);
  if (!(seconds >= 10 && seconds <= 900)) throw new Error('LINK_SECONDS must be 10 to 900.');
  if (instances.length > 1 && agentClaim.instanceClaim === null)
    throw new Error(
      'TOKEN_INSTANCE_CLAIM is missing. Without it, readers of one instance could read those of all others.',
    );
  return { claim: env['LINK_CLAIM'] ?? 'scope', value: env['LINK_VALUE'] ?? 'recordings:read', seconds };
}
