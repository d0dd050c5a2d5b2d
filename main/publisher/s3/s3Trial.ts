// A small object for the health check: put as a recording's manifest would be, looked at, and deleted again. Its name is
// always the same for one computer, so that where it may not be deleted there is never more than one.

import { createHash, randomBytes } from 'node:crypto';
import type { S3Settings } from './s3Client.ts';
import { S3Calls, toBase64 } from './s3Client.ts';
import { DeliveryError } from '../deliveryError.ts';
import { s3Advice, saidOf } from './s3Errors.ts';
import { Throttle } from './throttle.ts';

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
  /** With forward slashes, without an end. */
  readonly prefix: string;
  /** Tells this computer's object from others'. */
  readonly machine: string;
  /** Told the Date header of each answer. */
  readonly onDate: (date: string) => void;
}

const TIMEOUT_MS = 20_000;

export async function tryS3(options: S3TrialOptions): Promise<S3TrialResult> {
  const { settings, prefix, machine, onDate } = options;
  const name = createHash('sha256').update(machine).digest('hex').slice(0, 16);
  const key = [prefix, '.sightline-doctor', `${name}.txt`].filter((part) => part !== '').join('/');
  const calls = await S3Calls.open(settings, new Throttle(), null);
  try {
    calls.onDate(onDate);
    const data = Buffer.from(`Sightline's trial ${randomBytes(8).toString('hex')}\n`);
    const bytes = { data, sha256: createHash('sha256').update(data).digest('hex') };
    await calls.put(key, bytes, {
      contentType: 'text/plain',
      metadata: {},
      mayReplace: true,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const found = await calls.find(key);
    const problems = [
      ...(found === null ? ['It cannot be seen afterwards: the credentials need s3:GetObject.'] : []),
      ...(await removed(calls, key)),
    ];
    if (found !== null && found.checksum !== null && found.checksum !== toBase64(bytes.sha256)) {
      return {
        kind: 'refused',
        said: `s3://${settings.bucket}/${key} holds something else than was put`,
        remedy: 'Do not use this store: it does not keep what it is given.',
      };
    }
    const { kmsKeyId } = settings;
    return {
      kind: 'put',
      location: `s3://${settings.bucket}/${key}`,
      encryption: kmsKeyId === null ? "the bucket's own encryption" : `encrypted with ${kmsKeyId}`,
      problem: problems.length === 0 ? null : problems.join(' '),
    };
  } catch (error) {
    return {
      kind: 'refused',
      said: saidOf(error instanceof DeliveryError ? (error.cause ?? error) : error),
      remedy: s3Advice(error),
    };
  } finally {
    calls.close();
  }
}

async function removed(calls: S3Calls, key: string): Promise<string[]> {
  try {
    await calls.remove(key);
    return [];
  } catch {
    return [
      `It could not be deleted (s3:DeleteObject is needed for that, and for nothing else) and stays; the next trial replaces it.`,
    ];
  }
}
