// Tokens of an OpenID Connect provider (Cognito, Entra ID, Okta, Keycloak, ...): signed with one of the issuer's published keys.
// Only RS256 and ES256: with a fixed list neither "none" nor a public key used as a shared secret can pass.

import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { Refusal } from '../http/lambda.ts';
import { CLOCK_SKEW_SECONDS, tokenRefusal, type Claims, type TokenVerifier } from './verifier.ts';

export interface OidcOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Cognito's access tokens name the client in `client_id` and have no `aud`. */
  readonly audienceClaim: 'aud' | 'client_id';
  readonly jwksUrl: string;
  /** Seams for tests. */
  readonly now?: () => Date;
}

const ALGORITHMS = ['RS256', 'ES256'];
/** The recorder waits 5 s for the whole answer (docs/auth.md). */
const KEYS_TIMEOUT_MS = 3000;

export function oidcVerifier(options: OidcOptions): TokenVerifier {
  const { issuer, audience, audienceClaim, jwksUrl, now } = options;
  // Kept for 10 minutes. An unknown key id fetches them again, but not more often than every 30 s.
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: KEYS_TIMEOUT_MS });
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        ...(audienceClaim === 'aud' ? { audience } : {}),
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['exp', audienceClaim],
        ...(now === undefined ? {} : { currentDate: now() }),
      });
      if (audienceClaim === 'client_id' && payload['client_id'] !== audience)
        throw new Refusal(401, 'TOKEN_NOT_VALID', 'The token’s claim "client_id" is not valid here.');
      return withExpiry(payload);
    } catch (error) {
      throw tokenRefusal(error);
    }
  };
}

/** jwtVerify has checked it: it is required. */
export function withExpiry(payload: JWTPayload): Claims {
  return payload as Claims;
}
