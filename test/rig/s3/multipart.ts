// Multipart uploads of the S3 stand-in: begun, filled, listed, put together or thrown away.
import { createHash, randomBytes } from 'node:crypto';
import {
  ALGORITHMS,
  badDigest,
  base64Digest,
  checksumElement,
  checksumHeader,
  claimedChecksum,
  compositeChecksum,
  toAlgorithm,
  type Checksum,
} from './checksums.ts';
import { invalidArgument, invalidRequest, mistake, noSuchUpload } from './errors.ts';
import { encryptionHeaders, etagOf } from './objects.ts';
import { queryNumber, type Answer, type Handler, type ObjectRequest, type ServerContext } from './request.ts';
import { objectSettings, requireKey, SSE_HEADERS } from './settings.ts';
import { malformedXml, parseXml, xmlDocument, type XmlNode } from './xml.ts';
import type { Bucket, StoredObject, StoredPart, Upload } from './store.ts';

export const createMultipartUpload: Handler = (context, bucket, request) => {
  const settings = objectSettings(request.headers, context);
  const checksum = uploadChecksum(request);
  const uploadId = randomBytes(24).toString('base64url');
  bucket.uploads.set(uploadId, {
    uploadId,
    key: request.key,
    initiatedMs: context.nowMs(),
    settings,
    checksum,
    parts: new Map(),
  });
  const body = xmlDocument('InitiateMultipartUploadResult', [
    ['Bucket', bucket.name],
    ['Key', request.key],
    ['UploadId', uploadId],
  ]);
  return {
    status: 200,
    headers: {
      ...encryptionHeaders(settings),
      ...(checksum.asked
        ? { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type }
        : {}),
    },
    body,
  };
};

function uploadChecksum({ headers }: ObjectRequest): Upload['checksum'] {
  const name = headers['x-amz-checksum-algorithm'];
  const type = headers['x-amz-checksum-type'];
  if (name === undefined) {
    if (type !== undefined) {
      throw invalidRequest(
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      );
    }
    return { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', asked: false };
  }
  const algorithm = toAlgorithm(name.toUpperCase());
  if (algorithm === null) {
    throw invalidRequest(
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types.',
    );
  }
  const usual = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const wanted = type ?? usual;
  const possible =
    wanted === usual || (algorithm === 'CRC32' && (wanted === 'FULL_OBJECT' || wanted === 'COMPOSITE'));
  if (!possible) {
    throw invalidRequest(`The ${wanted} checksum type cannot be used with the ${name} checksum algorithm.`);
  }
  return { algorithm, type: wanted === 'COMPOSITE' ? 'COMPOSITE' : 'FULL_OBJECT', asked: true };
}

export const uploadPart: Handler = (context, bucket, request) => {
  refuseEncryptionHeaders(request);
  const partNumber = queryNumber(request, 'partNumber', { from: 1, to: 10_000, otherwise: 0 });
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  requireKey(upload.settings.kmsKeyId, context);
  const { algorithm, asked } = upload.checksum;
  const sent = request.checksum;
  if (sent === null ? asked : sent.algorithm !== algorithm) {
    const names = { expected: algorithm.toLowerCase(), actual: sent?.algorithm.toLowerCase() ?? 'null' };
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${names.expected}, actual checksum Type: ${names.actual}`,
    );
  }
  const { bytes } = request;
  const etag = etagOf(bytes, upload.settings);
  const checksum = sent?.value ?? base64Digest(algorithm, bytes);
  upload.parts.set(partNumber, {
    partNumber,
    bytes,
    etag,
    lastModifiedMs: context.nowMs(),
    checksum,
    checksumSha256: algorithm === 'SHA256' ? checksum : null,
  });
  return {
    status: 200,
    headers: { etag, ...encryptionHeaders(upload.settings), [checksumHeader(algorithm)]: checksum },
  };
};

export const completeMultipartUpload: Handler = (context, bucket, request) => {
  refuseEncryptionHeaders(request);
  const uploadId = request.query.get('uploadId') ?? '';
  const before = bucket.completed.get(uploadId);
  if (before?.key === request.key) {
    if (context.repeatedComplete === 'sameAnswer') return completed(bucket, before);
    throw noSuchUpload(uploadId);
  }
  const upload = bucket.upload(uploadId, request.key);
  requireKey(upload.settings.kmsKeyId, context);
  const parts = listedParts(request.bytes, upload);
  for (const part of parts.slice(0, -1)) {
    if (part.bytes.length >= context.minPartBytes) continue;
    throw mistake(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      ProposedSize: String(part.bytes.length),
      MinSizeAllowed: String(context.minPartBytes),
      PartNumber: String(part.partNumber),
      ETag: part.etag,
    });
  }
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  const checksum = objectChecksum(upload, parts, bytes);
  requireClaims(request, checksum, bytes.length);
  request.checkCondition();
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(bareEtag(part.etag), 'hex')));
  const object: StoredObject = {
    ...upload.settings,
    key: upload.key,
    bytes,
    etag: `"${createHash('md5').update(md5s).digest('hex')}-${parts.length}"`,
    lastModifiedMs: context.nowMs(),
    checksum,
    checksumSha256: checksum.algorithm === 'SHA256' ? checksum.value : null,
    partSizes: parts.map((part) => part.bytes.length),
  };
  bucket.objects.set(upload.key, object);
  bucket.uploads.delete(uploadId);
  bucket.completed.set(uploadId, object);
  return completed(bucket, object);
};

function completed(bucket: Bucket, object: StoredObject): Answer {
  const body = xmlDocument('CompleteMultipartUploadResult', [
    ['Location', `/${bucket.name}/${object.key}`],
    ['Bucket', bucket.name],
    ['Key', object.key],
    ['ETag', object.etag],
    [checksumElement(object.checksum.algorithm), object.checksum.value],
    ['ChecksumType', object.checksum.type],
  ]);
  return { status: 200, headers: encryptionHeaders(object), body };
}

/** The parts as the request lists them, each of them compared with what is there. */
function listedParts(body: Buffer, upload: Upload): StoredPart[] {
  const root = parseXml(body.toString('utf8'));
  if (root.name !== 'CompleteMultipartUpload' || root.children.length === 0) throw malformedXml();
  const { algorithm, type, asked } = upload.checksum;
  let last = 0;
  return root.children.map((listed, index) => {
    const fields = new Map(listed.children.map((child) => [child.name, child.text.trim()]));
    const known = ['PartNumber', 'ETag', ...ALGORITHMS.map(checksumElement)];
    const partNumber = Number(fields.get('PartNumber'));
    const etag = fields.get('ETag');
    if (
      listed.name !== 'Part' ||
      etag === undefined ||
      !Number.isInteger(partNumber) ||
      fields.size !== listed.children.length ||
      [...fields.keys()].some((name) => !known.includes(name))
    ) {
      throw malformedXml();
    }
    // With checksums of parts the numbers must be without holes, says the documentation of CompletedPart.
    if (partNumber <= last || (asked && type === 'COMPOSITE' && partNumber !== index + 1)) {
      throw mistake(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        { UploadId: upload.uploadId },
      );
    }
    last = partNumber;
    const claimed = [...fields].filter(([name]) => name.startsWith('Checksum'));
    if (asked && type === 'COMPOSITE' && !fields.has(checksumElement(algorithm))) {
      const word = algorithm.toLowerCase();
      throw invalidRequest(
        `The upload was created using a ${word} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    }
    const part = upload.parts.get(partNumber);
    const right =
      part !== undefined &&
      bareEtag(etag) === bareEtag(part.etag) &&
      claimed.every(([name, value]) => name === checksumElement(algorithm) && value === part.checksum);
    if (!right) {
      throw mistake(
        400,
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { UploadId: upload.uploadId, PartNumber: String(partNumber), ETag: bareEtag(etag) },
      );
    }
    return part;
  });
}

function objectChecksum(upload: Upload, parts: readonly StoredPart[], bytes: Buffer): Checksum {
  const { algorithm, type } = upload.checksum;
  const value =
    type === 'COMPOSITE'
      ? compositeChecksum(
          algorithm,
          parts.map((part) => part.checksum),
        )
      : base64Digest(algorithm, bytes);
  return { algorithm, type, value };
}

/** What the request says of the whole object. */
function requireClaims({ headers }: ObjectRequest, checksum: Checksum, sizeBytes: number): void {
  const type = headers['x-amz-checksum-type'];
  if (type !== undefined && type !== checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const size = headers['x-amz-mp-object-size'];
  if (size !== undefined && size !== String(sizeBytes)) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${sizeBytes}.`,
    );
  }
  const claim = claimedChecksum(headers, {}, { composite: checksum.type === 'COMPOSITE' });
  if (claim === null) return;
  // S3 takes a composite checksum with and without the number of its parts.
  const right = claim.value === checksum.value || claim.value === checksum.value.replace(/-\d+$/, '');
  if (claim.algorithm !== checksum.algorithm || !right) throw badDigest(claim.algorithm);
}

export const abortMultipartUpload: Handler = (_context, bucket, request) => {
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  bucket.uploads.delete(upload.uploadId);
  return { status: 204 };
};

export const listParts: Handler = (context, bucket, request) => {
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  const any = { from: 0, to: 2 ** 31 - 1 };
  const marker = queryNumber(request, 'part-number-marker', { ...any, otherwise: 0 });
  const asked = queryNumber(request, 'max-parts', { ...any, otherwise: 1000 });
  const maxParts = Math.min(asked, 1000, context.listPartsPage);
  const left = [...upload.parts.values()]
    .filter((part) => part.partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = left.slice(0, maxParts);
  const { algorithm, type } = upload.checksum;
  const body = xmlDocument('ListPartsResult', [
    ['Bucket', bucket.name],
    ['Key', upload.key],
    ['UploadId', upload.uploadId],
    ...owners(context),
    ['StorageClass', upload.settings.storageClass],
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', page.at(-1)?.partNumber ?? 0],
    ['MaxParts', maxParts],
    ['IsTruncated', left.length > page.length],
    ['ChecksumAlgorithm', algorithm],
    ['ChecksumType', type],
    ...page.map((part): XmlNode => [
      'Part',
      [
        ['PartNumber', part.partNumber],
        ['LastModified', new Date(part.lastModifiedMs).toISOString()],
        ['ETag', part.etag],
        ['Size', part.bytes.length],
        [checksumElement(algorithm), part.checksum],
      ],
    ]),
  ]);
  return { status: 200, body };
};

export const listMultipartUploads: Handler = (context, bucket, request) => {
  const prefix = request.query.get('prefix') ?? '';
  const keyMarker = request.query.get('key-marker') ?? '';
  const idMarker = request.query.get('upload-id-marker') ?? '';
  const maxUploads = queryNumber(request, 'max-uploads', { from: 1, to: 1000, otherwise: 1000 });
  const all = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix))
    .sort(
      (a, b) => compare(a.key, b.key) || a.initiatedMs - b.initiatedMs || compare(a.uploadId, b.uploadId),
    );
  const marked = all.findIndex((upload) => upload.key === keyMarker && upload.uploadId === idMarker);
  const left =
    marked === -1
      ? all.filter((upload) => keyMarker === '' || compare(upload.key, keyMarker) > 0)
      : all.slice(marked + 1);
  const page = left.slice(0, maxUploads);
  const last = left.length > page.length ? page.at(-1) : undefined;
  const body = xmlDocument('ListMultipartUploadsResult', [
    ['Bucket', bucket.name],
    ['KeyMarker', keyMarker],
    ['UploadIdMarker', idMarker],
    ...(last === undefined
      ? []
      : ([
          ['NextKeyMarker', last.key],
          ['NextUploadIdMarker', last.uploadId],
        ] as const)),
    ['Prefix', prefix],
    ['MaxUploads', maxUploads],
    ['IsTruncated', last !== undefined],
    ...page.map((upload): XmlNode => [
      'Upload',
      [
        ['Key', upload.key],
        ['UploadId', upload.uploadId],
        ...owners(context),
        ['StorageClass', upload.settings.storageClass],
        ['Initiated', new Date(upload.initiatedMs).toISOString()],
        ['ChecksumAlgorithm', upload.checksum.algorithm],
        ['ChecksumType', upload.checksum.type],
      ],
    ]),
  ]);
  return { status: 200, body };
};

function owners({ accountId }: ServerContext): XmlNode[] {
  const fields: XmlNode[] = [
    ['ID', accountId],
    ['DisplayName', accountId],
  ];
  return [
    ['Initiator', fields],
    ['Owner', fields],
  ];
}

function refuseEncryptionHeaders({ headers }: ObjectRequest): void {
  for (const name of SSE_HEADERS) {
    const value = headers[name];
    if (value !== undefined)
      throw invalidArgument(`${name} header is not supported for this operation.`, name, value);
  }
}

function bareEtag(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}

/** By UTF-8 bytes, as S3 sorts keys. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
