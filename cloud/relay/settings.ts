// The relay's own settings (docs/aws-services.md).

import type { Environment } from '../settings.ts';
import { hmacVerifier } from '../tokens/hmac.ts';
import type { TokenVerifier } from '../tokens/verifier.ts';

/** Tokens of callers have this audience: one of an agent cannot suspend or resume. */
export const CALLER_AUDIENCE = 'sightline-relay';

export interface RelaySettings {
  readonly deadlineMs: number;
  readonly origins: readonly string[];
}

/** @throws Error that names the variable */
export function relaySettings(env: Environment): RelaySettings {
  const deadlineMs = Number(env['RELAY_DEADLINE_MS'] ?? 5000);
  if (!(deadlineMs >= 100 && deadlineMs <= 25_000))
    throw new Error('RELAY_DEADLINE_MS must be 100 to 25000.');
  return { deadlineMs, origins: (env['RELAY_ORIGINS'] ?? '').split(',').filter((one) => one !== '') };
}

/** null without RELAY_CALLER_SECRET: then callers need IAM. */
export function callerVerifier(env: Environment): TokenVerifier | null {
  const secret = env['RELAY_CALLER_SECRET'];
  if (secret === undefined || secret === '') return null;
  return hmacVerifier({ secret, issuer: CALLER_AUDIENCE, audience: CALLER_AUDIENCE });
}
