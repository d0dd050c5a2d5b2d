// Whether a store encrypts with the key that policy "s3KmsKeyId" names. Only what the store's answers name counts, never what was
// requested.

import { quoted } from '../../platform/limits.ts';
import { UploadError } from '../uploadError.ts';

export interface Encryption {
  /** `AES256`, `aws:kms`, `aws:kms:dsse` */
  readonly algorithm: string;
  /** AWS answers with the key's ARN, other stores with what was requested. */
  readonly keyId: string | null;
}

interface Answer {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
}

export const ENCRYPTION_REMEDY =
  'Check "s3KmsKeyId", the encryption of the bucket, and whether the store supports SSE-KMS.';

export class EncryptionNotConfirmed extends UploadError {
  constructor(
    what: string,
    readonly found: Encryption | null,
  ) {
    super(
      'ENCRYPTION_NOT_CONFIRMED',
      `The store does not confirm that ${what} is encrypted with the key of "s3KmsKeyId": it names ${describe(found)}. ` +
        `${ENCRYPTION_REMEDY} The recording is kept in the spool.`,
      // Until an administrator changes the policy, the bucket or the store.
      true,
    );
  }
}

/** Both go into the log and the manifest: a hostile store could name anything else, a session token for example. */
const ALGORITHM = /^[\w:-]{1,32}$/;
/** Ids, ARNs and aliases of KMS keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
const KEY = /^[\w:/.-]{1,512}$/;

/** null: the answer names none. */
export function encryptionIn({ ServerSideEncryption = '', SSEKMSKeyId = '' }: Answer): Encryption | null {
  if (!ALGORITHM.test(ServerSideEncryption)) return null;
  return { algorithm: ServerSideEncryption, keyId: KEY.test(SSEKMSKeyId) ? SSEKMSKeyId : null };
}

export function describe(found: Encryption | null): string {
  if (found === null) return 'no encryption';
  const { algorithm, keyId } = found;
  return quoted(keyId === null ? algorithm : `${algorithm} with the key ${keyId}`);
}

/**
 * @param required policy's key: its id, its ARN, an alias (`alias/name`) or the ARN of an alias; null: any or no encryption
 */
export function isEncryptedWith(required: string | null, found: Encryption | null): boolean {
  if (required === null) return true;
  if (found === null || found.keyId === null) return false;
  // DSSE encrypts twice, with the same key.
  if (found.algorithm !== 'aws:kms' && found.algorithm !== 'aws:kms:dsse') return false;
  return isSameKey(partsOf(required), partsOf(found.keyId));
}

export function isAlias(key: string): boolean {
  return partsOf(key).name.startsWith('alias/');
}

interface KeyParts {
  /** Partition, service, region and account; null: not stated. */
  readonly place: string | null;
  /** The id of a key, or `alias/name`. */
  readonly name: string;
}

function isSameKey(required: KeyParts, named: KeyParts): boolean {
  if (named.name === '') return false;
  if (required.place !== null && named.place !== null && required.place !== named.place) return false;
  // Only kms:DescribeKey knows the key of an alias. Both are of one account and region.
  const isUnknown = required.name.startsWith('alias/') && !named.name.startsWith('alias/');
  return isUnknown || required.name === named.name;
}

/** `arn:aws:kms:<region>:<account>:key/<id>`; MinIO has `arn:aws:kms:<name>`. */
function partsOf(key: string): KeyParts {
  const words = key.split(':');
  const isArn = words.length === 6 && words[0] === 'arn';
  return {
    place: isArn ? words.slice(1, 5).join(':') : null,
    name: (words.at(-1) ?? '').replace(/^key\//, ''),
  };
}
