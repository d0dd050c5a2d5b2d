// Objects and parts of S3 with their checksums. An object that exists already (its confirmation may have been lost) counts as
// a recording only if its size and checksum match; in doubt the recording is sent again.

import { createHash } from 'node:crypto';

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
