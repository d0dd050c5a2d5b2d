// The S3 stand-in itself, through the real SDK: what is right is taken, and each fault does what it says, as often as it was told.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
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
import { TEST_KEY, type Fault } from '../rig/s3Server.ts';

describe('the real SDK', () => {
  it('puts, heads and deletes an object', async () => {
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
    expect(server.objects(BUCKET)).toMatchObject([
      {
        ...{ key: KEY, metadata: { contact: 'c-1' }, tags: { team: 'a b', queue: 'x+y' } },
        ...{ contentType: 'video/mp4', storageClass: 'STANDARD_IA', sse: 'aws:kms', kmsKeyId: KMS_KEY },
        ...{ bucketKey: true, checksum: sha256(Body) },
      },
    ]);
    const head = await client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: KEY, ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({
      ...{ ContentLength: 5000, ContentType: 'video/mp4', Metadata: { contact: 'c-1' } },
      ...{ ETag: put.ETag, ChecksumSHA256: sha256(Body), StorageClass: 'STANDARD_IA' },
    });
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(server.objects(BUCKET)).toEqual([]);
    expect(server.requests.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      ...['PutObject 200', 'HeadObject 200', 'DeleteObject 204'],
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
          ...{ partNumber: index + 1, checksum: sha256(bytes) },
        })),
      },
    ]);
    const done = await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        ...{ MultipartUpload: { Parts: parts }, IfNoneMatch: '*', MpuObjectSize: 2 * PART_BYTES + 1000 },
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
        ...{ checksum: compositeOf(threeParts) },
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
    await beginUpload(client, { Key: 'other' });
    const listed = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'other' }));
    expect(listed.Uploads).toMatchObject([{ Key: 'other' }]);
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(server.uploads(BUCKET).map(({ key }) => key)).toEqual(['other']);
    await expect(client.send(new ListPartsCommand(upload))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect(server.problems).toEqual([]);
  });
});

describe('faults', () => {
  const put = (client: S3Client, body = 'x'): Promise<unknown> =>
    client.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: KEY,
        Body: body,
        ChecksumSHA256: sha256(Buffer.from(body)),
      }),
    );

  const answered: [Fault, { name: string; status: number }][] = [
    [{ kind: 'internalError' }, { name: 'InternalError', status: 500 }],
    [{ kind: 'slowDown' }, { name: 'SlowDown', status: 503 }],
    [{ kind: 'expiredToken' }, { name: 'ExpiredToken', status: 400 }],
    [{ kind: 'clockSkew' }, { name: 'RequestTimeTooSkewed', status: 403 }],
    [{ kind: 'accessDenied' }, { name: 'AccessDenied', status: 403 }],
    [{ kind: 'kmsAccessDenied' }, { name: 'AccessDenied', status: 403 }],
    [{ kind: 'noSuchBucket' }, { name: 'NoSuchBucket', status: 404 }],
    [{ kind: 'conflict' }, { name: 'ConditionalRequestConflict', status: 409 }],
  ];
  it.each(answered)('answers $kind, once, and does nothing', async (fault, { name, status }) => {
    const server = await start();
    const client = clientOf(server);
    server.inject(fault);
    await expect(put(client)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
    expect(server.objects(BUCKET)).toEqual([]);
    expect(server.requests[0]).toMatchObject({ status, errorCode: name, fault: fault.kind });
    await put(client);
    expect(server.objects(BUCKET)).toHaveLength(1);
    expect(server.problems).toEqual([]);
  });

  it('names the KMS action in kmsAccessDenied', async () => {
    const server = await start();
    server.inject({ kind: 'kmsAccessDenied' });
    await expect(put(clientOf(server))).rejects.toThrow(/kms:GenerateDataKey/);
  });

  it('strikes the n-th matching requests and no others', async () => {
    const server = await start();
    const client = clientOf(server);
    const fault = server.inject({ kind: 'slowDown', operation: 'PutObject', skip: 1, times: 2 });
    await put(client);
    await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(fault.hits).toBe(0);
    await expect(put(client)).rejects.toMatchObject({ name: 'SlowDown' });
    await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: KEY }));
    await expect(put(client)).rejects.toMatchObject({ name: 'SlowDown' });
    await put(client);
    expect(fault.hits).toBe(2);
    server.inject({ kind: 'slowDown' });
    server.clearFaults();
    await put(client);
  });

  it.each([0, 30_000])('resets the connection after %i bytes of a body', async (afterBytes) => {
    const server = await start();
    const client = clientOf(server);
    const Body = bytesOf(2_000_000, 1);
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body, ChecksumSHA256: sha256(Body) });
    server.inject({ kind: 'reset', afterBytes });
    await expect(client.send(command)).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/) as string,
    });
    expect(server.objects(BUCKET)).toEqual([]);
    const [struck] = server.requests;
    expect(struck).toMatchObject({ status: null, fault: 'reset' });
    expect(struck?.bytes).toBeGreaterThanOrEqual(afterBytes);
    expect(struck?.bytes).toBeLessThan(Body.length);
    await client.send(command);
  });

  it('stalls until released', async () => {
    const server = await start();
    const client = clientOf(server);
    const fault = server.inject({ kind: 'stall' });
    let done = false;
    const stalled = put(client).then(() => (done = true));
    await fault.struck;
    await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(done).toBe(false);
    expect(server.bytesReceived).toBe(0);
    fault.release();
    await stalled;
    expect(server.objects(BUCKET)).toHaveLength(1);
  });

  it('does the work and loses the answer', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const parts = await sendParts(client, upload, threeParts);
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    server.inject({ kind: 'lostAnswer', operation: 'CompleteMultipartUpload' });
    await expect(client.send(complete)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.objects(BUCKET)).toHaveLength(1);
    expect(server.requests.at(-1)).toMatchObject({ status: null, fault: 'lostAnswer' });
    await expect(client.send(complete)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('gives wrong checksums in answers', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const parts = await sendParts(client, upload, threeParts);
    server.inject({ kind: 'wrongChecksumInAnswer', operation: 'UploadPart' });
    server.inject({ kind: 'wrongChecksumInAnswer', operation: 'CompleteMultipartUpload' });
    const part = await client.send(
      new UploadPartCommand({
        ...upload,
        PartNumber: 3,
        Body: threeParts[2]!,
        ChecksumSHA256: sha256(threeParts[2]!),
      }),
    );
    expect(part.ChecksumSHA256).toMatch(/^.{43}=$/);
    expect(part.ChecksumSHA256).not.toBe(sha256(threeParts[2]!));
    const done = await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
    );
    expect(done.ChecksumSHA256).toMatch(/^.{43}=-3$/);
    expect(done.ChecksumSHA256).not.toBe(compositeOf(threeParts));
    expect(server.objects(BUCKET)[0]?.checksum).toBe(compositeOf(threeParts));
  });

  it('answers 200 with an error in it, and the upload stays', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const parts = await sendParts(client, upload, threeParts);
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    server.inject({ kind: 'error200' });
    await expect(client.send(complete)).rejects.toMatchObject({ name: 'InternalError' });
    expect(server.requests.at(-1)).toMatchObject({ status: 200, errorCode: 'InternalError' });
    expect(server.objects(BUCKET)).toEqual([]);
    await client.send(complete);
    expect(server.objects(BUCKET)).toHaveLength(1);
  });

  it('names another encryption in answers', async () => {
    const server = await start();
    const client = clientOf(server);
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY } as const;
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', ...kms });
    server.inject({ kind: 'encryptionInAnswer', named: { sse: 'AES256', kmsKeyId: null } });
    expect(await client.send(command)).toMatchObject({ ServerSideEncryption: 'AES256' });
    server.inject({ kind: 'encryptionInAnswer', named: null });
    expect(await client.send(command)).not.toHaveProperty('ServerSideEncryption');
    expect(await client.send(command)).toMatchObject(kms);
  });

  it('goes down, and comes up on the same port with all it had', async () => {
    const server = await start();
    const client = clientOf(server);
    const { endpoint } = server;
    await put(client);
    await server.down();
    const other = clientOf(server);
    await expect(put(other)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.up();
    expect(server.endpoint).toBe(endpoint);
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: KEY });
    expect(await other.send(head)).toMatchObject({ ContentLength: 1 });
  });

  it('expires a token while it runs', async () => {
    const credentials = { ...TEST_KEY, accessKeyId: 'ASIATEST', sessionToken: 'token-1' };
    const server = await start({ accessKeys: [credentials] });
    const client = clientOf(server, { credentials });
    await put(client);
    server.accessKeys = [{ ...credentials, expiresAtMs: Date.now() }];
    await expect(put(client)).rejects.toMatchObject({ name: 'ExpiredToken' });
    server.accessKeys = [{ ...credentials, sessionToken: 'token-2' }];
    await expect(put(client)).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});
