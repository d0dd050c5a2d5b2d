// Objects and parts of S3 with their checksums, and whether a stored object is a certain recording (its confirmation may have
// been lost). In doubt it is not, and is sent again.

import { createHash } from 'node:crypto';
import type { Encryption } from './encryption.ts';

export interface Bytes {
  readonly data: Uint8Array;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Part {
  /** From 1 on. */
  readonly number: number;
  readonly eTag: string;
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** The object under a key. */
export interface StoredObject {
  readonly recordingId: string | null;
  readonly sizeBytes: number;
  /** As S3 returns it: base64, followed by `-N` for an object of N parts. */
  readonly checksum: string | null;
  /** Without quotation marks; null: none. */
  readonly eTag: string | null;
  /** null: none is named. */
  readonly encryption: Encryption | null;
}

export function hashed(data: Uint8Array): Bytes {
  return { data, sha256: createHash('sha256').update(data).digest('hex') };
}

export function toBase64(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** S3's checksum of an object of parts: that of the parts' checksums, and their number. */
export function compositeChecksum(parts: readonly { sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(Buffer.from(sha256, 'hex'));
  return `${hash.digest('base64')}-${parts.length}`;
}

export function sizeOf(parts: readonly { sizeBytes: number }[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Of a part, or of the whole object where it has one part. */
export interface Expected {
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** In hexadecimal; null: unknown. */
  readonly md5: string | null;
}

/** null where MD5 is not permitted (FIPS 140). It detects accidents in a trusted store, not attacks. */
export function md5Of(data: Uint8Array): string | null {
  try {
    return createHash('md5').update(data).digest('hex');
  } catch {
    return null;
  }
}

export function expectedOf({ data, sha256 }: Bytes): Expected {
  return { sizeBytes: data.byteLength, sha256, md5: md5Of(data) };
}

/** For an object that was uploaded in one request, or in one part. */
export function isWhole(found: StoredObject, expected: Expected): boolean {
  if (isOfParts(found, [expected])) return true;
  if (found.sizeBytes !== expected.sizeBytes) return false;
  if (found.checksum !== null) return found.checksum === toBase64(expected.sha256);
  return expected.md5 !== null && found.eTag === expected.md5;
}

/** For an object of these parts, in this order. */
export function isOfParts(found: StoredObject, parts: readonly Expected[]): boolean {
  if (found.sizeBytes !== sizeOf(parts)) return false;
  // Without "-N" it is not a checksum of parts; moto returns such.
  if (found.checksum?.includes('-') === true) return found.checksum === compositeChecksum(parts);
  const eTag = compositeETag(parts);
  return eTag !== null && found.eTag === eTag;
}

/**
 * The ETag that S3 and compatible stores give an object of parts: the MD5 of the parts' MD5s, and their number. Objects
 * encrypted with a KMS key have a different one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
function compositeETag(parts: readonly Expected[]): string | null {
  const sums = parts.flatMap(({ md5 }) => (md5 === null ? [] : [Buffer.from(md5, 'hex')]));
  const whole = sums.length === parts.length ? md5Of(Buffer.concat(sums)) : null;
  return whole === null ? null : `${whole}-${parts.length}`;
}
