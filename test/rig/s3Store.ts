// What the sink's tests know of a store: its address, its keys, and what is in it. This one is our strict stand-in; stores that
// we did not write are in otherStores.ts.
import { startS3Server, TEST_KEY, type S3Server } from './s3Server.ts';

export const BUCKET = 'recordings';
export const REGION = 'eu-west-1';
export const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';

export interface StoredRecording {
  readonly key: string;
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string | null;
  readonly kmsKeyId: string | null;
  readonly bucketKey: boolean;
}

export interface S3Store {
  readonly name: string;
  readonly endpoint: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  /** A KMS key that exists, as this store wants it to be named. */
  readonly kmsKey: string;
  /** The stand-in itself; null for other stores. */
  readonly strict: S3Server | null;
  objects(): Promise<StoredRecording[]>;
  /** How many multipart uploads are open. */
  openUploads(): Promise<number>;
  stop(): Promise<void>;
}

export async function startStrictStore(
  options: { listPartsPage?: number; clock?: () => number } = {},
): Promise<S3Store> {
  const strict = await startS3Server({ buckets: [BUCKET], region: REGION, kmsKeys: [KMS_KEY], ...options });
  return {
    name: 'our strict stand-in',
    endpoint: strict.endpoint,
    credentials: TEST_KEY,
    kmsKey: KMS_KEY,
    strict,
    objects: () =>
      Promise.resolve(
        strict.objects(BUCKET).map((one) => ({
          ...{ key: one.key, bytes: one.bytes, metadata: one.metadata, tags: one.tags },
          ...{ storageClass: one.storageClass, kmsKeyId: one.kmsKeyId, bucketKey: one.bucketKey },
        })),
      ),
    openUploads: () => Promise.resolve(strict.uploads(BUCKET).length),
    stop: () => strict.close(),
  };
}
