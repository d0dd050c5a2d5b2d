// What the S3 stand-in has: buckets, objects, open multipart uploads, all in memory.
import { noSuchBucket, noSuchUpload, refusal } from './errors.ts';
import type { ObjectSettings } from './settings.ts';

export interface StoredObject extends ObjectSettings {
  key: string;
  bytes: Buffer;
  /** With its quotes. */
  etag: string;
  /** SHA-256 in base64, with `-N` when it is of parts. */
  checksum: string;
}

export interface StoredPart {
  partNumber: number;
  bytes: Buffer;
  etag: string;
  /** SHA-256 in base64. */
  checksum: string;
}

export interface Upload {
  uploadId: string;
  key: string;
  settings: ObjectSettings;
  parts: Map<number, StoredPart>;
}

export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();

  constructor(readonly name: string) {}

  upload(uploadId: string, key: string): Upload {
    const upload = this.uploads.get(uploadId);
    if (upload?.key !== key) throw noSuchUpload(uploadId);
    return upload;
  }

  /** @throws {S3Error} for a write with If-None-Match */
  requireFree(key: string): void {
    if (!this.objects.has(key)) return;
    const details = { Condition: 'If-None-Match' };
    const message = 'At least one of the pre-conditions you specified did not hold';
    throw refusal(412, 'PreconditionFailed', message, details);
  }
}

export function conflict(key: string): Error {
  return refusal(
    409,
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    { Condition: 'If-None-Match', Key: key },
  );
}

export class Store {
  readonly buckets: ReadonlyMap<string, Bucket>;

  constructor(names: readonly string[]) {
    this.buckets = new Map(names.map((name) => [name, new Bucket(name)]));
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return bucket;
  }
}
