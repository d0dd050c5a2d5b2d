// What a token is verified by, as a port, and what a verified one says. A verifier returns claims only if signature, issuer,
// audience and times are right.

import type { JWTPayload } from 'jose';
import { errors } from 'jose';
import { Refusal } from '../http/lambda.ts';

/** Of a token that was verified. */
export type Claims = JWTPayload & { readonly exp: number };

/** @throws Refusal 401 (this token will never do), or 503 (it could not be checked) */
export type TokenVerifier = (token: string) => Promise<Claims>;

/** How far the issuer's clock may be off. */
export const CLOCK_SKEW_SECONDS = 60;

/** What jose throws, as an answer. Its messages can quote claims, so they are not passed on. */
export function tokenRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTExpired)
    return new Refusal(401, 'TOKEN_EXPIRED', 'The token has expired. Sign in again.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return new Refusal(401, 'TOKEN_NOT_VALID', `The token’s claim "${error.claim}" is not valid here.`);
  if (isUnavailable(error))
    return new Refusal(503, 'KEYS_UNAVAILABLE', 'The issuer’s keys could not be read. Try again later.', 5);
  return new Refusal(401, 'TOKEN_NOT_VALID', 'The token is not one that this service accepts.');
}

/** The issuer's keys could not be fetched: jose has no class for it other than the general one. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return !(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC';
}
