// What a request's headers say about the object to be made: type, metadata, tags, storage class, encryption.
import { invalidArgument, mistake, refusal } from './errors.ts';
import type { HeaderValues } from '../s3Signature.ts';

export type KmsKeyState = 'enabled' | 'disabled';
export type Sse = 'AES256' | 'aws:kms';

export interface Encryption {
  sse: Sse;
  /** The key's ARN; null without KMS. */
  kmsKeyId: string | null;
  bucketKey: boolean;
}

export interface ObjectSettings extends Encryption {
  contentType: string;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  storageClass: string;
}

export interface KmsContext {
  region: string;
  accountId: string;
  kmsKeys: ReadonlyMap<string, KmsKeyState>;
}

/** Headers that only CreateMultipartUpload and PutObject may carry. */
export const SSE_HEADERS = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
] as const;

const STORAGE_CLASSES = [
  ...['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING'],
  ...['GLACIER', 'DEEP_ARCHIVE', 'GLACIER_IR'],
];
const MAX_METADATA_BYTES = 2048;

export function objectSettings(headers: HeaderValues, kms: KmsContext): ObjectSettings {
  const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD';
  if (!STORAGE_CLASSES.includes(storageClass)) {
    throw mistake(400, 'InvalidStorageClass', 'The storage class you specified is not valid');
  }
  return {
    contentType: headers['content-type'] ?? 'binary/octet-stream',
    metadata: metadataOf(headers),
    tags: tagsOf(headers['x-amz-tagging']),
    storageClass,
    ...encryptionOf(headers, kms),
  };
}

function metadataOf(headers: HeaderValues): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-meta-')) continue;
    const key = name.slice('x-amz-meta-'.length);
    if (/[^\x20-\x7e]/.test(value)) {
      throw invalidArgument(
        'Metadata must be US-ASCII: encode other characters.',
        name,
        encodeURIComponent(value),
      );
    }
    metadata[key] = value;
    bytes += key.length + value.length;
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw mistake(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: String(bytes),
      MaxSizeAllowed: String(MAX_METADATA_BYTES),
    });
  }
  return metadata;
}

function tagsOf(header: string | undefined): Record<string, string> {
  const tags: Record<string, string> = {};
  if (header === undefined || header === '') return tags;
  for (const pair of header.split('&')) {
    const words = pair.split('=');
    const [key, value] = words.map(decodeQueryWord);
    if (key === undefined || value === undefined || words.length !== 2 || Object.hasOwn(tags, key)) {
      throw invalidArgument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        'x-amz-tagging',
        header,
      );
    }
    if (key === '' || key.length > 128 || !TAG_CHARACTERS.test(key) || key.startsWith('aws:')) {
      throw mistake(400, 'InvalidTag', 'The TagKey you have provided is invalid', { TagKey: key });
    }
    if (value.length > 256 || !TAG_CHARACTERS.test(value)) {
      throw mistake(400, 'InvalidTag', 'The TagValue you have provided is invalid', { TagKey: key });
    }
    tags[key] = value;
  }
  if (Object.keys(tags).length > 10) {
    throw mistake(400, 'BadRequest', 'Object tags cannot be greater than 10');
  }
  return tags;
}

const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

function decodeQueryWord(word: string): string | undefined {
  try {
    return decodeURIComponent(word.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function encryptionOf(headers: HeaderValues, kms: KmsContext): Encryption {
  const [sse, keyId, bucketKey] = SSE_HEADERS.map((name) => headers[name]);
  if (sse === undefined && keyId === undefined && bucketKey === undefined)
    return { sse: 'AES256', kmsKeyId: null, bucketKey: false };
  if (sse !== 'aws:kms') {
    throw invalidArgument(
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      SSE_HEADERS[0],
      sse ?? '',
    );
  }
  const kmsKeyId = keyArn(keyId ?? 'aws/s3', kms);
  requireKey(kmsKeyId, kms);
  return { sse, kmsKeyId, bucketKey: bucketKey === 'true' };
}

/** @throws {S3Error} the key is none of the server's, or disabled */
export function requireKey(arn: string | null, kms: KmsContext): void {
  if (arn === null || arn === keyArn('aws/s3', kms)) return;
  const found = [...kms.kmsKeys].find(([id]) => keyArn(id, kms) === arn);
  if (found === undefined) throw refusal(400, 'KMS.NotFoundException', `Key '${arn}' does not exist`);
  if (found[1] === 'disabled') throw refusal(400, 'KMS.DisabledException', `${arn} is disabled.`);
}

function keyArn(id: string, kms: KmsContext): string {
  return id.startsWith('arn:') ? id : `arn:aws:kms:${kms.region}:${kms.accountId}:key/${id}`;
}
