// What the S3 stand-in holds: buckets, objects, open multipart uploads, all in memory.
import { noSuchBucket, noSuchUpload, refusal } from './errors.ts';
import type { Algorithm, Checksum, ChecksumType } from './checksums.ts';
import type { ObjectSettings } from './settings.ts';

export interface StoredObject extends ObjectSettings {
  key: string;
  bytes: Buffer;
  /** With its quotes. */
  etag: string;
  lastModifiedMs: number;
  checksum: Checksum;
  /** Base64, with `-N` when it is of parts; null when another algorithm was used. */
  checksumSha256: string | null;
  /** One for an object that was put at once. */
  partSizes: number[];
}

export interface StoredPart {
  partNumber: number;
  bytes: Buffer;
  etag: string;
  lastModifiedMs: number;
  /** Base64, of the upload's algorithm. */
  checksum: string;
  checksumSha256: string | null;
}

export interface Upload {
  uploadId: string;
  key: string;
  initiatedMs: number;
  settings: ObjectSettings;
  checksum: {
    algorithm: Algorithm;
    type: ChecksumType;
    /** False: nobody asked for it, S3 keeps its own. */
    asked: boolean;
  };
  parts: Map<number, StoredPart>;
}

export class Bucket {
  readonly name: string;
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();
  /** Answers of completed uploads, by upload id. */
  readonly completed = new Map<string, StoredObject>();
  readonly #conditionalWrites = new Set<string>();
  readonly #deletions = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  upload(uploadId: string, key: string): Upload {
    const upload = this.uploads.get(uploadId);
    if (upload?.key !== key) throw noSuchUpload(uploadId);
    return upload;
  }

  delete(key: string): void {
    this.objects.delete(key);
    this.#deletions.set(key, (this.#deletions.get(key) ?? 0) + 1);
  }

  /**
   * A write with If-None-Match begins.
   * @returns how it goes on: `check` just before the object is made, `end` when all is over
   * @throws {S3Error} another one of the same key is in progress
   */
  beginConditionalWrite(key: string): { check(): void; end(): void } {
    if (this.#conditionalWrites.has(key)) throw conflict(key);
    this.#conditionalWrites.add(key);
    const deletions = this.#deletions.get(key);
    return {
      check: () => {
        if (this.objects.has(key)) {
          throw refusal(
            412,
            'PreconditionFailed',
            'At least one of the pre-conditions you specified did not hold',
            {
              Condition: 'If-None-Match',
            },
          );
        }
        if (this.#deletions.get(key) !== deletions) throw conflict(key);
      },
      end: () => void this.#conditionalWrites.delete(key),
    };
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
