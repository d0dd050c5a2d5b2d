// The S3 stand-in against the real SDK, and against requests that real S3 would not take: what it lets pass, the
// tests of the S3 sink will believe.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { startS3Server, TEST_KEY, type S3Server, type S3ServerOptions } from '../rig/s3Server.ts';

const BUCKET = 'recordings';
const KEY = 'connect/acme/ScreenRecordings/2026/11/21/contact 1+ü_20261121T080000Z.mp4';
const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/1111-2222';
const PART_BYTES = 64 * 1024;

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(options: Partial<S3ServerOptions> = {}): Promise<S3Server> {
  const server = await startS3Server({
    buckets: [BUCKET],
    kmsKeys: [KMS_KEY],
    minPartBytes: PART_BYTES,
    ...options,
  });
  opened.push(() => server.close());
  return server;
}

function clientOf(server: S3Server, options: ConstructorParameters<typeof S3Client>[0] = {}): S3Client {
  const client = new S3Client({
    region: 'eu-west-1',
    endpoint: server.endpoint,
    credentials: TEST_KEY,
    maxAttempts: 1,
    ...options,
  });
  opened.push(() => client.destroy());
  return client;
}

/** The same bytes for the same seed, and no two parts alike. */
function bytesOf(length: number, seed: number): Buffer {
  const block = createHash('sha512').update(`seed ${seed}`).digest();
  return Buffer.alloc(length, block);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

function compositeOf(parts: readonly Buffer[]): string {
  const digests = parts.map((part) => createHash('sha256').update(part).digest());
  return `${sha256(Buffer.concat(digests))}-${parts.length}`;
}

async function beginUpload(
  client: S3Client,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<{ Bucket: string; Key: string; UploadId: string }> {
  const target = { Bucket: BUCKET, Key: KEY };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256', ...more }),
  );
  return { ...target, UploadId: UploadId! };
}

async function sendParts(
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

const threeParts = [bytesOf(PART_BYTES, 1), bytesOf(PART_BYTES, 2), bytesOf(1000, 3)];

describe('the real SDK', () => {
  it('puts, heads, gets and deletes an object', async () => {
    const server = await start();
    const client = clientOf(server);
    const Body = bytesOf(5000, 1);
    const put = await client.send(
      new PutObjectCommand({
        ...{ Bucket: BUCKET, Key: KEY, Body, ContentType: 'video/mp4', ChecksumSHA256: sha256(Body) },
        ...{ IfNoneMatch: '*', Metadata: { contact: 'c-1' }, Tagging: 'team=a%20b&queue=x%2By' },
        ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY, BucketKeyEnabled: true },
        StorageClass: 'STANDARD_IA',
      }),
    );
    expect(put).toMatchObject({
      ...{ ChecksumSHA256: sha256(Body), ChecksumType: 'FULL_OBJECT', ServerSideEncryption: 'aws:kms' },
      ...{ SSEKMSKeyId: KMS_KEY, BucketKeyEnabled: true },
    });
    expect(put.ETag).not.toContain(createHash('md5').update(Body).digest('hex'));
    expect(server.objects(BUCKET)).toMatchObject([
      {
        ...{ key: KEY, bytes: Body, metadata: { contact: 'c-1' }, tags: { team: 'a b', queue: 'x+y' } },
        ...{ contentType: 'video/mp4', storageClass: 'STANDARD_IA', sse: 'aws:kms', kmsKeyId: KMS_KEY },
        ...{ bucketKey: true, checksumSha256: sha256(Body), partSizes: [5000] },
      },
    ]);
    const head = await client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: KEY, ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({
      ...{ ContentLength: 5000, ContentType: 'video/mp4', Metadata: { contact: 'c-1' }, TagCount: 2 },
      ...{ ETag: put.ETag, ChecksumSHA256: sha256(Body), StorageClass: 'STANDARD_IA' },
    });
    const got = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Body)).toBe(true);
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(server.objects(BUCKET)).toEqual([]);
    expect(server.requests.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      ...['PutObject 200', 'HeadObject 200', 'GetObject 200', 'HeadBucket 200', 'DeleteObject 204'],
    ]);
    expect(server.requests[0]).toMatchObject({ method: 'PUT', bucket: BUCKET, key: KEY, bytes: 5000 });
    expect(server.bytesReceived).toBe(5000);
    expect(server.problems).toEqual([]);
  });

  it('puts three parts with checksums together', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client, {
      ...{ ContentType: 'video/mp4', Tagging: 'kind=screen', Metadata: { contact: 'c-2' } },
      ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY },
    });
    const parts = await sendParts(client, upload, threeParts);
    expect(server.uploads(BUCKET)).toMatchObject([
      {
        ...{ uploadId: upload.UploadId, key: KEY },
        parts: threeParts.map((bytes, index) => ({
          ...{ partNumber: index + 1, bytes, checksumSha256: sha256(bytes) },
        })),
      },
    ]);
    const done = await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        ...{ MultipartUpload: { Parts: parts }, IfNoneMatch: '*', MpuObjectSize: 2 * PART_BYTES + 1000 },
        ...{ ChecksumSHA256: compositeOf(threeParts), ChecksumType: 'COMPOSITE' },
      }),
    );
    expect(done).toMatchObject({
      ...{ ChecksumSHA256: compositeOf(threeParts), ChecksumType: 'COMPOSITE', SSEKMSKeyId: KMS_KEY },
      ETag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/) as string,
    });
    expect(server.uploads(BUCKET)).toEqual([]);
    expect(server.objects(BUCKET)).toMatchObject([
      {
        ...{
          key: KEY,
          bytes: Buffer.concat(threeParts),
          tags: { kind: 'screen' },
          metadata: { contact: 'c-2' },
        },
        ...{ checksumSha256: compositeOf(threeParts), partSizes: [PART_BYTES, PART_BYTES, 1000] },
      },
    ]);
    expect(server.problems).toEqual([]);
  });
});
