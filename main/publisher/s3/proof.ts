// Whether the object under a recording's name is that recording, when the answer that would have confirmed it was lost. In
// doubt it is not, and is sent again.

import { createHash } from 'node:crypto';
import type { Found } from './s3Client.ts';
import { compositeChecksum, toBase64 } from './s3Client.ts';

/** What is expected of a part, or of the whole where it went in one. */
export interface Expected {
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** In hexadecimal; null: not known. */
  readonly md5: string | null;
}

/** null where MD5 may not be used (FIPS 140). It proves what a store that is trusted holds, and guards against nobody. */
export function md5Of(data: Uint8Array): string | null {
  try {
    return createHash('md5').update(data).digest('hex');
  } catch {
    return null;
  }
}

/** An object that was put in one piece. */
export function isWhole(found: Found, expected: Expected): boolean {
  if (found.sizeBytes !== expected.sizeBytes) return false;
  if (found.checksum !== null) return found.checksum === toBase64(expected.sha256);
  return expected.md5 !== null && found.eTag === expected.md5;
}

/** An object of these parts, in their order. */
export function isOfParts(found: Found, parts: readonly Expected[]): boolean {
  if (found.sizeBytes !== parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)) return false;
  // What has no "-N" is no checksum of parts; moto says such.
  if (found.checksum?.includes('-') === true) return found.checksum === compositeChecksum(parts);
  const eTag = compositeETag(parts);
  return eTag !== null && found.eTag === eTag;
}

/**
 * What S3 and stores like it have as the ETag of an object of parts: the MD5 of the parts' MD5s, and how many there are. An
 * object that is encrypted with a KMS key has another.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
function compositeETag(parts: readonly Expected[]): string | null {
  const sums: Buffer[] = [];
  for (const { md5 } of parts) {
    if (md5 === null) return null;
    sums.push(Buffer.from(md5, 'hex'));
  }
  const whole = md5Of(Buffer.concat(sums));
  return whole === null ? null : `${whole}-${parts.length}`;
}
