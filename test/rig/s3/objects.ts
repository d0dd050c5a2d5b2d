// Operations of the S3 stand-in on whole objects.
import { createHash, randomBytes } from 'node:crypto';
import { base64Sha256, CHECKSUM_HEADER } from './checksums.ts';
import { invalidRequest, refusal } from './errors.ts';
import { objectSettings, type Encryption } from './settings.ts';
import type { Handler } from './request.ts';
import type { StoredObject } from './store.ts';
import type { HeaderValues } from '../s3Signature.ts';

export const putObject: Handler = (context, bucket, request) => {
  const settings = objectSettings(request.headers, context);
  const { bytes, key } = request;
  const checksum = request.checksum ?? base64Sha256(bytes);
  request.checkCondition();
  const etag = etagOf(bytes, settings);
  bucket.objects.set(key, { ...settings, key, bytes, etag, checksum });
  return {
    status: 200,
    headers: { etag, ...encryptionHeaders(settings), ...checksumHeaders(checksum) },
  };
};

/** An object as if somebody had uploaded it, without any header. */
export function plainObject(key: string, bytes: Buffer): StoredObject {
  const settings = { sse: 'AES256', kmsKeyId: null, bucketKey: false } as const;
  const more = { contentType: 'binary/octet-stream', metadata: {}, tags: {}, storageClass: 'STANDARD' };
  return { ...settings, ...more, key, bytes, etag: etagOf(bytes, settings), checksum: base64Sha256(bytes) };
}

export const headObject: Handler = (_context, bucket, { key, headers }) => {
  const found = bucket.objects.get(key);
  if (found === undefined) {
    throw refusal(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
  }
  const mode = headers['x-amz-checksum-mode'];
  if (mode !== undefined && mode !== 'ENABLED') throw invalidRequest('x-amz-checksum-mode must be ENABLED.');
  const metadata = Object.entries(found.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
  return {
    status: 200,
    headers: {
      etag: found.etag,
      'content-type': found.contentType,
      'content-length': String(found.bytes.length),
      ...encryptionHeaders(found),
      ...(mode === undefined ? {} : checksumHeaders(found.checksum)),
      ...(found.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': found.storageClass }),
      ...(Object.fromEntries(metadata) as HeaderValues),
    },
  };
};

export const deleteObject: Handler = (_context, bucket, { key }) => {
  bucket.objects.delete(key);
  return { status: 204 };
};

/** The MD5, unless KMS encrypts: then it is anything but. */
export function etagOf(bytes: Buffer, { kmsKeyId }: Encryption): string {
  const hex =
    kmsKeyId === null ? createHash('md5').update(bytes).digest('hex') : randomBytes(16).toString('hex');
  return `"${hex}"`;
}

export function encryptionHeaders({ sse, kmsKeyId, bucketKey }: Encryption): HeaderValues {
  return {
    'x-amz-server-side-encryption': sse,
    ...(kmsKeyId === null ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyId }),
    ...(bucketKey ? { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' } : {}),
  };
}

/** @param checksum that of an object in parts ends in `-N` */
function checksumHeaders(checksum: string): HeaderValues {
  const type = checksum.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT';
  return { [CHECKSUM_HEADER]: checksum, 'x-amz-checksum-type': type };
}
