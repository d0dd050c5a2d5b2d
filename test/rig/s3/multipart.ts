// Multipart uploads of the S3 stand-in: begun, filled, listed, put together or thrown away.
import { createHash, randomBytes } from 'node:crypto';
import { CHECKSUM_HEADER, compositeChecksum } from './checksums.ts';
import { invalidArgument, invalidRequest, mistake } from './errors.ts';
import { encryptionHeaders, etagOf } from './objects.ts';
import { queryNumber, type Handler, type ObjectRequest } from './request.ts';
import { objectSettings, requireKey, SSE_HEADERS } from './settings.ts';
import { malformedXml, readParts, xmlDocument, type XmlNode } from './xml.ts';
import type { StoredPart, Upload } from './store.ts';

export const createMultipartUpload: Handler = (context, bucket, { key, headers }) => {
  const settings = objectSettings(headers, context);
  const [algorithm, type] = [headers['x-amz-checksum-algorithm'], headers['x-amz-checksum-type']];
  if ((algorithm ?? 'SHA256') !== 'SHA256' || (type ?? 'COMPOSITE') !== 'COMPOSITE') {
    throw invalidRequest('The stand-in knows the algorithm SHA256 and the type COMPOSITE only.');
  }
  const uploadId = randomBytes(24).toString('base64url');
  bucket.uploads.set(uploadId, { uploadId, key, settings, parts: new Map() });
  const body = xmlDocument('InitiateMultipartUploadResult', [
    ['Bucket', bucket.name],
    ['Key', key],
    ['UploadId', uploadId],
  ]);
  return { status: 200, headers: encryptionHeaders(settings), body };
};

export const uploadPart: Handler = (context, bucket, request) => {
  refuseEncryptionHeaders(request);
  const partNumber = queryNumber(request, 'partNumber', { from: 1, to: 10_000, otherwise: 0 });
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  requireKey(upload.settings.kmsKeyId, context);
  const { bytes, checksum } = request;
  if (checksum === null) {
    throw invalidRequest(
      'Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null',
    );
  }
  const etag = etagOf(bytes, upload.settings);
  upload.parts.set(partNumber, { partNumber, bytes, etag, checksum });
  return {
    status: 200,
    headers: { etag, ...encryptionHeaders(upload.settings), [CHECKSUM_HEADER]: checksum },
  };
};

export const completeMultipartUpload: Handler = (context, bucket, request) => {
  refuseEncryptionHeaders(request);
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  const { key, settings } = upload;
  requireKey(settings.kmsKeyId, context);
  const parts = listedParts(request.bytes, upload);
  for (const part of parts.slice(0, -1)) {
    if (part.bytes.length >= context.minPartBytes) continue;
    throw mistake(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      ProposedSize: String(part.bytes.length),
      MinSizeAllowed: String(context.minPartBytes),
      PartNumber: String(part.partNumber),
    });
  }
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  const size = request.headers['x-amz-mp-object-size'];
  if (size !== undefined && size !== String(bytes.length)) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${bytes.length}.`,
    );
  }
  request.checkCondition();
  const checksum = compositeChecksum(parts.map((part) => part.checksum));
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(bareEtag(part.etag), 'hex')));
  const etag = `"${createHash('md5').update(md5s).digest('hex')}-${parts.length}"`;
  bucket.objects.set(key, { ...settings, key, bytes, etag, checksum });
  bucket.uploads.delete(upload.uploadId);
  const body = xmlDocument('CompleteMultipartUploadResult', [
    ['Location', `/${bucket.name}/${key}`],
    ['Bucket', bucket.name],
    ['Key', key],
    ['ETag', etag],
    ['ChecksumSHA256', checksum],
    ['ChecksumType', 'COMPOSITE'],
  ]);
  return { status: 200, headers: encryptionHeaders(settings), body };
};

const FIELDS = ['PartNumber', 'ETag', 'ChecksumSHA256'];

/** The parts as the request lists them, each of them compared with what is there. */
function listedParts(body: Buffer, upload: Upload): StoredPart[] {
  return readParts(body.toString('utf8')).map((listed, index) => {
    const { PartNumber, ETag, ChecksumSHA256 } = listed;
    if (typeof ETag !== 'string' || Object.keys(listed).some((name) => !FIELDS.includes(name))) {
      throw malformedXml();
    }
    const partNumber = Number(PartNumber);
    // With checksums of parts the numbers must be without holes, says the documentation of CompletedPart.
    if (partNumber !== index + 1) {
      throw mistake(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        { UploadId: upload.uploadId },
      );
    }
    if (ChecksumSHA256 === undefined) {
      throw invalidRequest(
        `The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    }
    const part = upload.parts.get(partNumber);
    if (part === undefined || bareEtag(ETag) !== bareEtag(part.etag) || ChecksumSHA256 !== part.checksum) {
      throw mistake(
        400,
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { UploadId: upload.uploadId, PartNumber: String(partNumber), ETag: bareEtag(ETag) },
      );
    }
    return part;
  });
}

export const abortMultipartUpload: Handler = (_context, bucket, request) => {
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  bucket.uploads.delete(upload.uploadId);
  return { status: 204 };
};

export const listParts: Handler = (context, bucket, request) => {
  const upload = bucket.upload(request.query.get('uploadId') ?? '', request.key);
  const marker = queryNumber(request, 'part-number-marker', { from: 0, to: 2 ** 31 - 1, otherwise: 0 });
  const left = [...upload.parts.values()]
    .filter((part) => part.partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = left.slice(0, context.listPartsPage);
  const body = xmlDocument('ListPartsResult', [
    ['Bucket', bucket.name],
    ['Key', upload.key],
    ['UploadId', upload.uploadId],
    ['PartNumberMarker', marker],
    // S3 names one on the last page, too.
    ['NextPartNumberMarker', page.at(-1)?.partNumber ?? 0],
    ['IsTruncated', left.length > page.length],
    ['ChecksumAlgorithm', 'SHA256'],
    ['ChecksumType', 'COMPOSITE'],
    ...page.map((part): XmlNode => [
      'Part',
      [
        ['PartNumber', part.partNumber],
        ['ETag', part.etag],
        ['Size', part.bytes.length],
        ['ChecksumSHA256', part.checksum],
      ],
    ]),
  ]);
  return { status: 200, body };
};

export const listMultipartUploads: Handler = (_context, bucket, request) => {
  const prefix = request.query.get('prefix') ?? '';
  const found = [...bucket.uploads.values()].filter((upload) => upload.key.startsWith(prefix));
  const body = xmlDocument('ListMultipartUploadsResult', [
    ['Bucket', bucket.name],
    ['Prefix', prefix],
    ['IsTruncated', false],
    ...found.map(({ key, uploadId }): XmlNode => [
      'Upload',
      [
        ['Key', key],
        ['UploadId', uploadId],
      ],
    ]),
  ]);
  return { status: 200, body };
};

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
