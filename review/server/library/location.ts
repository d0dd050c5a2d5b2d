// What a user names as a library: a folder of this computer or of a share, or `s3://bucket/prefix`.

import { resolve } from 'node:path';
import { ReviewFailure } from '../failure.ts';

export type Location =
  | { readonly kind: 'folder'; readonly folder: string; readonly name: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** '' or with a slash at its end: `acme` must not contain what is in `acme-test`. */
      readonly prefix: string;
      readonly name: string;
    };

/** AWS allows fewer characters than stores that are compatible with it. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

/** @throws ReviewFailure INVALID_REQUEST */
export function parseLocation(text: string): Location {
  // `C:\recordings` and `\\server\share` are folders, too.
  if (!/^s3:/i.test(text)) {
    if (text.trim() === '' || text.includes('\0')) throw invalid('The name of the folder is empty.');
    const folder = resolve(text);
    return { kind: 'folder', folder, name: folder };
  }
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(text) ?? [];
  if (!BUCKET.test(bucket)) throw invalid('Name an S3 library as s3://bucket or s3://bucket/prefix.');
  const parts = path.replace(/^\/+|\/+$/g, '').split('/');
  const prefix = parts.length === 1 && parts[0] === '' ? '' : `${parts.join('/')}/`;
  if (prefix !== '' && parts.some((part) => part === '' || part === '.' || part === '..'))
    throw invalid('The prefix of the S3 library has an empty part, "." or "..".');
  return { kind: 's3', bucket, prefix, name: `s3://${bucket}/${prefix}` };
}

function invalid(message: string): ReviewFailure {
  return new ReviewFailure('INVALID_REQUEST', message);
}
