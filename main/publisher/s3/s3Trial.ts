// The health check's test object: uploaded like a recording's manifest, verified, and deleted. Its name is always the same on
// one computer, so that there is never more than one where it may not be deleted.

import { randomBytes } from 'node:crypto';
import type { Network } from '../../platform/network/network.ts';
import { expectedOf, hashed, isWhole } from './checksums.ts';
import type { Encryption } from './encryption.ts';
import {
  ENCRYPTION_REMEDY,
  EncryptionNotConfirmed,
  describe,
  isAlias,
  isEncryptedWith,
} from './encryption.ts';
import { S3Calls } from './s3Client.ts';
import { UploadError } from '../uploadError.ts';
import { quoteError, s3Advice } from './s3Errors.ts';
import type { S3Settings } from './settings.ts';
import { Throttle } from './throttle.ts';
import { trialKey } from './trialKey.ts';

export type S3TrialResult =
  | {
      readonly kind: 'put';
      readonly location: string;
      readonly encryption: string;
      readonly problem: string | null;
    }
  | { readonly kind: 'refused'; readonly said: string; readonly remedy: string };

export interface S3TrialOptions {
  readonly settings: S3Settings;
  readonly network: Network;
  /** With forward slashes, without one at its end. */
  readonly prefix: string;
  /** Distinguishes this computer's object from others'. */
  readonly machine: string;
  /** Called with the Date header of each response. */
  readonly onDate: (date: string) => void;
}

const TIMEOUT_MS = 20_000;

export async function tryS3(options: S3TrialOptions): Promise<S3TrialResult> {
  const { settings, network, prefix, machine, onDate } = options;
  const key = trialKey(prefix, machine);
  const calls = await S3Calls.open(settings, new Throttle(), null, network);
  try {
    calls.onDate(onDate);
    const bytes = hashed(Buffer.from(`Sightline's test object ${randomBytes(8).toString('hex')}\n`));
    const put = await calls.put(key, bytes, {
      contentType: 'text/plain',
      metadata: {},
      mayReplace: true,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const found = await calls.find(key);
    const problems = [
      ...(found === null ? ['It cannot be read back: the credentials need s3:GetObject.'] : []),
      ...(await removed(calls, key)),
    ];
    if (found !== null && found.checksum !== null && !isWhole(found, expectedOf(bytes))) {
      return {
        kind: 'refused',
        said: `s3://${settings.bucket}/${key} is not what was uploaded`,
        remedy: 'Do not use this store: it changes what is uploaded.',
      };
    }
    return {
      kind: 'put',
      location: `s3://${settings.bucket}/${key}`,
      encryption: await encryptionOf(put?.encryption ?? null, calls, key),
      problem: problems.length === 0 ? null : problems.join(' '),
    };
  } catch (error) {
    if (error instanceof EncryptionNotConfirmed)
      return {
        kind: 'refused',
        said: `the store names ${describe(error.found)} for an upload with the key ${settings.kmsKeyId ?? ''}`,
        remedy: ENCRYPTION_REMEDY,
      };
    return {
      kind: 'refused',
      said: quoteError(error instanceof UploadError ? (error.cause ?? error) : error),
      remedy: s3Advice(error),
    };
  } finally {
    calls.close();
  }
}

/** What the store answered, and how the bucket encrypts what requests no key. */
async function encryptionOf(confirmed: Encryption | null, calls: S3Calls, key: string): Promise<string> {
  const { kmsKeyId } = calls;
  if (kmsKeyId === null) return confirmed === null ? 'the store names no encryption' : describe(confirmed);
  const alias = isAlias(kmsKeyId) ? `, now the key of ${kmsKeyId}` : '';
  const standard = await calls.defaultEncryption(key).then(
    (found) =>
      isEncryptedWith(confirmed?.keyId ?? kmsKeyId, found)
        ? "as is the bucket's default"
        : `the bucket's default is another: ${describe(found)}`,
    (error: unknown) => `the bucket's default is not known: ${quoteError(error)}`,
  );
  return `${describe(confirmed)}${alias}; ${standard}`;
}

async function removed(calls: S3Calls, key: string): Promise<string[]> {
  try {
    await calls.remove(key);
    return [];
  } catch {
    return [
      'It could not be deleted (s3:DeleteObject is needed for that only) and stays; the next check replaces it.',
    ];
  }
}
