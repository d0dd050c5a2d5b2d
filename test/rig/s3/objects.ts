// Operations of the S3 stand-in on whole objects and on the bucket.
import { createHash, randomBytes } from 'node:crypto';
import { base64Digest, checksumHeader, type Checksum } from './checksums.ts';
import { invalidRequest, refusal } from './errors.ts';
import { objectSettings, requireKey, type Encryption } from './settings.ts';
import type { Answer, Handler, ObjectRequest } from './request.ts';
import type { Bucket, StoredObject } from './store.ts';
import type { HeaderValues } from '../s3Signature.ts';

export const putObject: Handler = (context, bucket, request) => {
  const settings = objectSettings(request.headers, context);
  const { bytes } = request;
  // S3 computes one of its own when the client sent none.
  const checksum: Checksum = {
    ...(request.checksum ?? { algorithm: 'CRC64NVME', value: base64Digest('CRC64NVME', bytes) }),
    type: 'FULL_OBJECT',
  };
  request.checkCondition();
  const etag = etagOf(bytes, settings);
  bucket.objects.set(request.key, {
    ...settings,
    key: request.key,
    bytes,
    etag,
    lastModifiedMs: context.nowMs(),
    checksum,
    checksumSha256: checksum.algorithm === 'SHA256' ? checksum.value : null,
    partSizes: [bytes.length],
  });
  return {
    status: 200,
    headers: { etag, ...encryptionHeaders(settings), ...checksumHeaders(checksum) },
  };
};

export const headObject: Handler = (_context, bucket, request) => ({
  status: 200,
  headers: objectHeaders(foundObject(bucket, request), request),
});

export const getObject: Handler = (context, bucket, request) => {
  const found = foundObject(bucket, request);
  if (found.storageClass === 'GLACIER' || found.storageClass === 'DEEP_ARCHIVE') {
    throw refusal(403, 'InvalidObjectState', "The operation is not valid for the object's storage class", {
      StorageClass: found.storageClass,
    });
  }
  requireKey(found.kmsKeyId, context);
  return { status: 200, headers: objectHeaders(found, request), body: found.bytes };
};

export const deleteObject: Handler = (_context, bucket, request) => {
  bucket.delete(request.key);
  return { status: 204 };
};

export const headBucket: Handler = (context): Answer => ({
  status: 200,
  headers: { 'x-amz-bucket-region': context.region, 'x-amz-access-point-alias': 'false' },
});

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

function checksumHeaders(checksum: Checksum): HeaderValues {
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

function foundObject(bucket: Bucket, request: ObjectRequest): StoredObject {
  const found = bucket.objects.get(request.key);
  if (found === undefined) {
    throw refusal(404, 'NoSuchKey', 'The specified key does not exist.', { Key: request.key });
  }
  return found;
}

function objectHeaders(found: StoredObject, { headers }: ObjectRequest): HeaderValues {
  const mode = headers['x-amz-checksum-mode'];
  if (mode !== undefined && mode !== 'ENABLED') throw invalidRequest('x-amz-checksum-mode must be ENABLED.');
  const tags = Object.keys(found.tags).length;
  const metadata = Object.entries(found.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
  return {
    ...found.systemHeaders,
    etag: found.etag,
    'last-modified': new Date(found.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': found.contentType,
    'content-length': String(found.bytes.length),
    ...encryptionHeaders(found),
    ...(mode === undefined ? {} : checksumHeaders(found.checksum)),
    ...(found.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': found.storageClass }),
    ...(tags === 0 ? {} : { 'x-amz-tagging-count': String(tags) }),
    ...(Object.fromEntries(metadata) as HeaderValues),
  };
}
