// What the tests of the S3 stand-in share: a client, bytes and their sums, an upload with its parts.
import { createHash } from 'node:crypto';
import {
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { afterEach } from 'vitest';
import { startS3Server, TEST_KEY, type S3Server, type S3ServerOptions } from '../s3Server.ts';

export const BUCKET = 'recordings';
export const KEY = 'connect/acme/ScreenRecordings/2026/11/21/contact 1+ü_20261121T080000Z.mp4';
export const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/1111-2222';
export const PART_BYTES = 64 * 1024;

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Closed after the test. */
export async function start(options: Partial<S3ServerOptions> = {}): Promise<S3Server> {
  const server = await startS3Server({
    buckets: [BUCKET],
    kmsKeys: [KMS_KEY],
    minPartBytes: PART_BYTES,
    ...options,
  });
  opened.push(() => server.close());
  return server;
}

export function clientOf(
  server: S3Server,
  options: ConstructorParameters<typeof S3Client>[0] = {},
): S3Client {
  const client = new S3Client({
    region: 'eu-west-1',
    endpoint: server.endpoint,
    credentials: TEST_KEY,
    maxAttempts: 1,
    // As Sightline's own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    ...options,
  });
  opened.push(() => client.destroy());
  return client;
}

/** The same bytes for the same seed, and no two parts alike. */
export function bytesOf(length: number, seed: number): Buffer {
  const block = createHash('sha512').update(`seed ${seed}`).digest();
  return Buffer.alloc(length, block);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

export function compositeOf(parts: readonly Buffer[]): string {
  const digests = parts.map((part) => createHash('sha256').update(part).digest());
  return `${sha256(Buffer.concat(digests))}-${parts.length}`;
}

export async function beginUpload(
  client: S3Client,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const target = { Bucket: BUCKET, Key: more.Key ?? KEY };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256', ...more }),
  );
  return { ...target, UploadId: UploadId! };
}

export async function sendParts(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
  parts: readonly Buffer[],
): Promise<CompletedPart[]> {
  const sent: CompletedPart[] = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const ChecksumSHA256 = sha256(Body);
    const { ETag } = await client.send(
      new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumSHA256 }),
    );
    sent.push({ PartNumber, ETag, ChecksumSHA256 });
  }
  return sent;
}

export const threeParts = [bytesOf(PART_BYTES, 1), bytesOf(PART_BYTES, 2), bytesOf(1000, 3)];
