// Limits for responses: a hostile or broken store could make Sightline read without end, or store too much.

import { UploadError } from '../uploadError.ts';

/** S3 has 1000 parts on a page and 10,000 in an upload; other stores may have smaller pages. */
const MAX_PAGES = 200;
const MAX_PARTS = 10_000;
/** Those of AWS have about 130 characters. The journal stores it. */
const MAX_UPLOAD_ID = 1024;
const MAX_ETAG = 128;

export function usableUploadId(uploadId: string | undefined): string {
  if (uploadId === undefined || uploadId === '' || uploadId.length > MAX_UPLOAD_ID)
    throw notS3('an unusable upload id');
  return uploadId;
}

/** @param pages and `parts` so far @param until in milliseconds of performance.now() */
export function requireEnd(pages: number, parts: number, until: number): void {
  if (performance.now() > until)
    throw Object.assign(new Error('the list took too long'), { name: 'TimeoutError' });
  if (pages > MAX_PAGES || parts > MAX_PARTS) throw notS3('an endless list of parts');
}

/** Each page must continue at a greater part number. */
export function nextMarker(before: string | undefined, next: string | undefined): string {
  if (next === undefined || !/^\d{1,5}$/.test(next) || Number(next) <= Number(before ?? 0))
    throw notS3('a list of parts that does not continue');
  return next;
}

export function usableETag(eTag: string): string {
  if (eTag.length > MAX_ETAG) throw notS3('an unusable ETag');
  return eTag;
}

function notS3(what: string): UploadError {
  return new UploadError(
    'SERVICE_ISSUE',
    `The store returned ${what}: it is not compatible with S3 as Sightline needs it. Check "s3Endpoint" and the store. The recording is kept in the spool.`,
    true,
  );
}
