// What S3's answers say: parts, objects and checksums, and which refusals mean that a name is taken.

import type { HeadObjectCommandOutput, Part as AwsPart } from '@aws-sdk/client-s3';
import { UploadError } from '../uploadError.ts';
import type { Part, StoredObject } from './checksums.ts';
import { encryptionIn } from './encryption.ts';
import { usableETag } from './responseLimits.ts';
import { explainS3, nameOf, statusOf } from './s3Errors.ts';

export const RECORDING_ID = 'sightline-recording-id';

/** Parts without our checksum are sent again. */
export function usablePart({ PartNumber, ETag, Size, ChecksumSHA256 }: AwsPart): Part[] {
  if (PartNumber === undefined || ETag === undefined || ChecksumSHA256 === undefined) return [];
  const sha256 = Buffer.from(ChecksumSHA256, 'base64').toString('hex');
  return [{ number: PartNumber, eTag: usableETag(ETag), sizeBytes: Size ?? 0, sha256 }];
}

export function storedObject(found: HeadObjectCommandOutput): StoredObject {
  return {
    recordingId: found.Metadata?.[RECORDING_ID] ?? null,
    sizeBytes: found.ContentLength ?? 0,
    checksum: found.ChecksumSHA256 ?? null,
    eTag: found.ETag?.replaceAll('"', '') ?? null,
    encryption: encryptionIn(found),
  };
}

export async function explained<T>(where: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw explainS3(error, where);
  }
}

/** @returns null when the name is taken (unless the object may be replaced) */
export async function unlessTaken<T>(
  where: string,
  mayReplace: boolean,
  request: () => Promise<T>,
): Promise<T | null> {
  try {
    return await request();
  } catch (error) {
    const isTaken = nameOf(error) === 'PreconditionFailed' || statusOf(error) === 412;
    if (isTaken && !mayReplace) return null;
    throw explainS3(error, where);
  }
}

/** Nothing counts as uploaded that S3 has not confirmed. */
export function requireChecksum(received: string | undefined, expected: string, what: string): void {
  if (received === expected) return;
  throw new UploadError(
    'UPLOAD_FAILED',
    received === undefined
      ? `The store does not confirm the checksum of ${what}: it must support SHA-256 checksums, as S3 does.`
      : `S3 stored different bytes than were sent as ${what}. It is sent again.`,
    received === undefined,
  );
}
