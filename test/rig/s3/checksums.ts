// SHA-256 as S3 wants it: of a body, of an object in parts, and in the header that carries it. Sightline uses no other algorithm.
import { createHash } from 'node:crypto';
import { invalidRequest, mistake } from './errors.ts';
import type { HeaderValues } from '../s3Signature.ts';

export const CHECKSUM_HEADER = 'x-amz-checksum-sha256';

export function base64Sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** The checksum of the parts' checksums, with their number. */
export function compositeChecksum(partDigests: readonly string[]): string {
  return `${base64Sha256(Buffer.concat(partDigests.map((part) => Buffer.from(part, 'base64'))))}-${partDigests.length}`;
}

/**
 * The checksum that a request claims; null when it claims none.
 * @throws {S3Error} two of them, a broken one, or not the one that x-amz-sdk-checksum-algorithm names
 */
export function claimedChecksum(headers: HeaderValues): string | null {
  const claims = Object.keys(headers).filter((name) => /^x-amz-checksum-(crc|sha)/.test(name));
  if (claims.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const wanted = headers['x-amz-sdk-checksum-algorithm'];
  const value = headers[CHECKSUM_HEADER];
  if (claims.length === 1 && value === undefined)
    throw mistake(501, 'NotImplemented', `The stand-in knows no ${claims.join()}; use ${CHECKSUM_HEADER}.`);
  if (value === undefined) {
    if (wanted === undefined) return null;
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (wanted !== undefined && wanted !== 'SHA256') {
    throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const raw = Buffer.from(value, 'base64');
  if (raw.length !== 32 || raw.toString('base64') !== value) {
    throw invalidRequest(`Value for ${CHECKSUM_HEADER} header is invalid.`);
  }
  return value;
}

export function badDigest(): Error {
  return mistake(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
}
