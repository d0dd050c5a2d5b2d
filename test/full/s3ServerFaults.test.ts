// The faults of the S3 stand-in, seen through the real SDK: each does what it says, as often as it was told, and no
// more.
import {
  CompleteMultipartUploadCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import {
  BUCKET,
  KEY,
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
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    expect(done).toBe(false);
    expect(server.bytesReceived).toBe(0);
    fault.release();
    await stalled;
    expect(server.objects(BUCKET)).toHaveLength(1);
  });

  it('lets a client give up a stalled request, whose work is then not done', async () => {
    const server = await start();
    const client = clientOf(server);
    const fault = server.inject({ kind: 'stall' });
    const giveUp = new AbortController();
    const stalled = client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', IfNoneMatch: '*' }),
      {
        abortSignal: giveUp.signal,
      },
    );
    await fault.struck;
    giveUp.abort();
    await expect(stalled).rejects.toMatchObject({ name: 'AbortError' });
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    fault.release();
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    expect(server.objects(BUCKET)).toEqual([]);
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

  it('answers a repeated Complete as the first one, where it is told to', async () => {
    const server = await start({ repeatedComplete: 'sameAnswer' });
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const parts = await sendParts(client, upload, threeParts);
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    const first = await client.send(complete);
    expect((await client.send(complete)).ETag).toBe(first.ETag);
  });

  it('answers late, and a conditional write is in progress meanwhile', async () => {
    const server = await start();
    const client = clientOf(server);
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', IfNoneMatch: '*' });
    const fault = server.inject({ kind: 'slow', delayMs: 300 });
    const startedMs = performance.now();
    const slow = client.send(command).then(() => performance.now() - startedMs);
    await fault.struck;
    await expect(client.send(command)).rejects.toMatchObject({
      ...{ name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } },
    });
    expect(await slow).toBeGreaterThanOrEqual(290);
    await expect(client.send(command)).rejects.toMatchObject({
      ...{ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
    });
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
    expect(server.objects(BUCKET)[0]?.checksumSha256).toBe(compositeOf(threeParts));
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

  it('goes down, by call and by fault, and comes up on the same port with all it had', async () => {
    const server = await start();
    const client = clientOf(server);
    const { endpoint } = server;
    await put(client);
    await server.down();
    const other = clientOf(server);
    await expect(put(other)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.up();
    const struck = server.inject({ kind: 'down', operation: 'HeadObject' });
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: KEY });
    await expect(other.send(head)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(other.send(head)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(struck.hits).toBe(1);
    await server.up();
    expect(server.endpoint).toBe(endpoint);
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
