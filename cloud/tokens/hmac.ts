// Tokens signed with a shared secret (HS256), for tests and for sites without an identity provider: the page's own server signs
// them. Whoever has the secret can be any agent, so it must be in that server and here only.

import { jwtVerify } from 'jose';
import { withExpiry } from './oidc.ts';
import { CLOCK_SKEW_SECONDS, tokenRefusal, type TokenVerifier } from './verifier.ts';

export interface HmacOptions {
  readonly issuer: string;
  readonly audience: string;
  /** At least 32 bytes (RFC 7518, 3.2). */
  readonly secret: string;
  readonly now?: () => Date;
}

const MIN_SECRET_BYTES = 32;

/** @throws Error for a short secret */
export function hmacVerifier({ issuer, audience, secret, now }: HmacOptions): TokenVerifier {
  const key = new TextEncoder().encode(secret);
  if (key.length < MIN_SECRET_BYTES)
    throw new Error(
      `The secret of the tokens has ${key.length} bytes. Use at least ${MIN_SECRET_BYTES} random ones.`,
    );
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        issuer,
        audience,
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['exp', 'aud'],
        ...(now === undefined ? {} : { currentDate: now() }),
      });
      return withExpiry(payload);
    } catch (error) {
      throw tokenRefusal(error);
    }
  };
}
