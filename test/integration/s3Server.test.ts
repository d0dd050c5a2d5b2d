// The S3 stand-in against the real SDK: what it does with requests that are right.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import {
  BUCKET,
  KEY,
  KMS_KEY,
  PART_BYTES,
  beginUpload,
  bytesOf,
  clientOf,
  compositeOf,
  sendParts,
  sha256,
  start,
  threeParts,
} from '../rig/s3/fixture.ts';
import { TEST_KEY } from '../rig/s3Server.ts';

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
        ...{ key: KEY, metadata: { contact: 'c-1' }, tags: { team: 'a b', queue: 'x+y' } },
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
          ...{ partNumber: index + 1, checksumSha256: sha256(bytes) },
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
    expect(server.objects(BUCKET)[0]?.bytes.equals(Buffer.concat(threeParts))).toBe(true);
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

  it('lists parts page by page, and uploads', async () => {
    const server = await start({ listPartsPage: 2 });
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const bodies = [1, 2, 3, 4, 5].map((seed) => bytesOf(100 * seed, seed));
    await sendParts(client, upload, bodies);
    // Not paginateListParts: it looks for a marker, and S3 gives one on the last page too.
    const pages = [];
    for (let marker: string | undefined, more = true; more;) {
      const page = await client.send(new ListPartsCommand({ ...upload, PartNumberMarker: marker }));
      pages.push(page);
      marker = page.NextPartNumberMarker;
      more = page.IsTruncated === true;
    }
    expect(pages.map((page) => [page.IsTruncated, page.Parts?.map((part) => part.PartNumber)])).toEqual([
      [true, [1, 2]],
      [true, [3, 4]],
      [false, [5]],
    ]);
    expect(pages.flatMap((page) => page.Parts).map((part) => [part?.Size, part?.ChecksumSHA256])).toEqual(
      bodies.map((body) => [body.length, sha256(body)]),
    );
    expect(pages[0]).toMatchObject({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' });
    const one = await client.send(new ListPartsCommand({ ...upload, MaxParts: 1, PartNumberMarker: '3' }));
    expect(one).toMatchObject({ NextPartNumberMarker: '4', IsTruncated: true, MaxParts: 1 });

    await beginUpload(client, { Key: 'other' });
    const first = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, MaxUploads: 1 }));
    expect(first.Uploads).toMatchObject([{ Key: KEY, UploadId: upload.UploadId }]);
    const second = await client.send(
      new ListMultipartUploadsCommand({
        ...{ Bucket: BUCKET, KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker },
      }),
    );
    expect(second).toMatchObject({ IsTruncated: false, Uploads: [{ Key: 'other' }] });
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(server.uploads(BUCKET).map(({ key }) => key)).toEqual(['other']);
    await expect(client.send(new ListPartsCommand(upload))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect(server.problems).toEqual([]);
  });

  it('streams a body of unknown checksum in chunks, with the checksum behind', async () => {
    const server = await start();
    const client = clientOf(server);
    const Body = bytesOf(150_000, 7);
    const put = await client.send(
      new PutObjectCommand({
        ...{ Bucket: BUCKET, Key: KEY, ContentLength: Body.length, ChecksumAlgorithm: 'SHA256' },
        Body: Readable.from([Body.subarray(0, 70_000), Body.subarray(70_000)]),
      }),
    );
    expect(put.ChecksumSHA256).toBe(sha256(Body));
    expect(server.objects(BUCKET)[0]?.bytes.equals(Body)).toBe(true);
    expect(server.requests[0]?.headers['x-amz-content-sha256']).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    expect(server.problems).toEqual([]);
  });

  it('sends a large body only after the server agreed to its headers', async () => {
    const server = await start();
    const Body = bytesOf(3_000_000, 1);
    const client = clientOf(server);
    const wrong = clientOf(server, { credentials: { ...TEST_KEY, accessKeyId: 'AKIANOBODY' } });
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body, ChecksumSHA256: sha256(Body) });
    await expect(wrong.send(put)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
    expect(server.bytesReceived).toBe(0);
    await client.send(put);
    expect(server.requests.map(({ bytes }) => bytes)).toEqual([0, Body.length]);
  });

  it('has its own clock, by which the SDK corrects its requests', async () => {
    const server = await start({ clock: () => Date.now() + 3_600_000 });
    const client = clientOf(server, { maxAttempts: 2 });
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x' }));
    expect(server.requests.map(({ errorCode }) => errorCode)).toEqual(['RequestTimeTooSkewed', null]);
    expect(server.problems).toEqual([]);
  });

  it('takes the SDK at its defaults: CRC32, and CRC64NVME when asked for', async () => {
    const server = await start();
    const client = clientOf(server);
    const Body = Buffer.from('123456789');
    const crc32 = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body }));
    expect(crc32).toMatchObject({ ChecksumCRC32: 'y/Q5Jg==', ChecksumType: 'FULL_OBJECT' });
    const crc64 = await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'b', Body, ChecksumCRC64NVME: 'rosUhgp5mIg=' }),
    );
    expect(crc64).toMatchObject({ ChecksumCRC64NVME: 'rosUhgp5mIg=' });
    const got = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    expect(await got.Body?.transformToString()).toBe('123456789');
    expect(server.problems).toEqual([]);
  });
});
