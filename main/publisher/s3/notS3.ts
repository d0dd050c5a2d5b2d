// What a store may not answer: a hostile or broken one could make Sightline read without end, or keep what it should not.

import { DeliveryError } from '../deliveryError.ts';

/** S3 has 1000 parts on a page and 10,000 in an upload; other stores may have fewer on a page. */
const MAX_PAGES = 200;
const MAX_PARTS = 10_000;
/** Those of AWS have about 130 characters. It is kept in the journal. */
const MAX_UPLOAD_ID = 1024;
const MAX_ETAG = 128;

export function usableUploadId(uploadId: string | undefined): string {
  if (uploadId === undefined || uploadId === '' || uploadId.length > MAX_UPLOAD_ID)
    throw notS3('no usable upload id');
  return uploadId;
}

/** Of a list that goes on, so far. @param until in milliseconds of performance.now() */
export function requireEnd(pages: number, parts: number, until: number): void {
  if (performance.now() > until)
    throw Object.assign(new Error('the list took too long'), { name: 'TimeoutError' });
  if (pages > MAX_PAGES || parts > MAX_PARTS) throw notS3('a list of parts without an end');
}

/** Part numbers, each page's greater than the one's before. */
export function nextMarker(before: string | undefined, next: string | undefined): string {
  if (next === undefined || !/^\d{1,5}$/.test(next) || Number(next) <= Number(before ?? 0))
    throw notS3('a list of parts that does not go on');
  return next;
}

export function usableETag(eTag: string): string {
  if (eTag.length > MAX_ETAG) throw notS3('no usable ETag');
  return eTag;
}

function notS3(what: string): DeliveryError {
  return new DeliveryError(
    'SERVICE_ISSUE',
    `The store gave ${what}: it does not speak S3 as Sightline needs it. Check "s3Endpoint" and the store. The recording is kept in the spool.`,
    true,
  );
}
