// Multipart uploads of the S3 stand-in: parts and completions that are wrong in one way, and are refused for it.
import {
  CompleteMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompleteMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compositeChecksum } from '../rig/s3/checksums.ts';
import {
  BUCKET,
  KEY,
  KMS_KEY,
  beginUpload,
  bytesOf,
  clientOf,
  compositeOf,
  sendParts,
  sha256,
  start,
  threeParts,
} from '../rig/s3/fixture.ts';
import { sendHandmade, type HandmadeRequest } from '../rig/s3/handmade.ts';
import { startS3Server } from '../rig/s3Server.ts';

const BODY = bytesOf(1000, 1);
const OTHER_SHA256 = sha256(bytesOf(1000, 2));
const PUT: HandmadeRequest = {
  method: 'PUT',
  url: `/${BUCKET}/a`,
  body: BODY,
  headers: { 'content-type': 'video/mp4', 'x-amz-checksum-sha256': sha256(BODY) },
};

describe('a multipart upload', () => {
  it('has the composite checksum that real S3 gave for three parts', () => {
    const parts = [
      'lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=',
      'gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=',
      '4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=',
    ];
    expect(compositeChecksum('SHA256', parts)).toBe('rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3');
  });

  const wrongParts: [string, Record<string, unknown>, string][] = [
    [
      'without a checksum',
      { ChecksumAlgorithm: undefined, ChecksumSHA256: undefined, ChecksumCRC32: undefined },
      'InvalidRequest',
    ],
    ['of another algorithm', { ChecksumSHA256: undefined, ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
    ['with the checksum of another', { ChecksumSHA256: OTHER_SHA256 }, 'BadDigest'],
    ['number 0', { PartNumber: 0 }, 'InvalidArgument'],
    ['number 10001', { PartNumber: 10_001 }, 'InvalidArgument'],
    ['of an unknown upload', { UploadId: 'nobody' }, 'NoSuchUpload'],
    ['of another key', { Key: 'other' }, 'NoSuchUpload'],
  ];
  it.each(wrongParts)('takes no part %s', async (_what, change, name) => {
    const server = await start();
    const client = clientOf(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const upload = await beginUpload(client);
    const part = { ...upload, PartNumber: 1, Body: BODY, ChecksumSHA256: sha256(BODY), ...change };
    await expect(client.send(new UploadPartCommand(part))).rejects.toMatchObject({ name });
    expect(server.uploads(BUCKET)[0]?.parts).toEqual([]);
    expect(server.problems).toHaveLength(name === 'NoSuchUpload' ? 0 : 1);
  });

  it('takes no part of another algorithm than it was created with', async () => {
    const server = await start();
    const client = clientOf(server);
    const crc32 = new UploadPartCommand({ ...(await beginUpload(client)), PartNumber: 1, Body: BODY });
    await expect(client.send(crc32)).rejects.toThrow(
      /expected checksum Type: sha256, actual checksum Type: crc32/,
    );
    const created = await beginUpload(client, { ChecksumAlgorithm: undefined });
    const sha = new UploadPartCommand({
      ...created,
      PartNumber: 1,
      Body: BODY,
      ChecksumSHA256: sha256(BODY),
    });
    await expect(client.send(sha)).rejects.toThrow(/actual checksum Type: sha256/);
  });

  it('takes encryption headers at its creation only, and needs its key to the end', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY });
    const sse = { 'x-amz-server-side-encryption': 'aws:kms' };
    const url = `/${BUCKET}/${KEY.split('/').map(encodeURIComponent).join('/')}?uploadId=${upload.UploadId}`;
    const xml = Buffer.from('<CompleteMultipartUpload></CompleteMultipartUpload>');
    const wrong: [HandmadeRequest, string][] = [
      [{ ...PUT, url: `${url}&partNumber=1`, headers: { ...PUT.headers, ...sse } }, 'InvalidArgument'],
      [{ method: 'POST', url, body: xml, headers: sse }, 'InvalidArgument'],
      [{ method: 'POST', url, body: xml }, 'MalformedXML'],
      [{ method: 'POST', url, body: Buffer.from('<a>') }, 'MalformedXML'],
    ];
    for (const [request, code] of wrong) {
      expect(await sendHandmade(server.endpoint, request)).toMatchObject({ status: 400, code });
    }
    await sendParts(client, upload, [BODY]);
    server.kmsKeys.set(KMS_KEY, 'disabled');
    await expect(sendParts(client, upload, [BODY])).rejects.toMatchObject({ name: 'KMS.DisabledException' });
    await expect(
      beginUpload(client, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY }),
    ).rejects.toMatchObject({ name: 'KMS.DisabledException' });
  });

  type Change = (input: CompleteMultipartUploadCommandInput) => Partial<CompleteMultipartUploadCommandInput>;
  const listed = (change: (parts: Record<string, unknown>[]) => object[]): Change => {
    return ({ MultipartUpload }) => ({
      MultipartUpload: { Parts: change((MultipartUpload?.Parts ?? []).map((part) => ({ ...part }))) },
    });
  };
  const wrongCompletes: [string, Change, string, number][] = [
    ['a wrong composite', () => ({ ChecksumSHA256: `${OTHER_SHA256}-3` }), 'BadDigest', 400],
    [
      'a wrong count',
      () => ({ ChecksumSHA256: compositeOf(threeParts).replace('-3', '-2') }),
      'BadDigest',
      400,
    ],
    ['the object checksum', () => ({ ChecksumSHA256: sha256(Buffer.concat(threeParts)) }), 'BadDigest', 400],
    ['another type', () => ({ ChecksumType: 'FULL_OBJECT' }), 'InvalidRequest', 400],
    ['another size', () => ({ MpuObjectSize: 5 }), 'InvalidRequest', 400],
    ['parts in disorder', listed((parts) => parts.reverse()), 'InvalidPartOrder', 400],
    ['a part twice', listed(([first]) => [first!, first!]), 'InvalidPartOrder', 400],
    ['a part left out', listed(([first, , third]) => [first!, third!]), 'InvalidPartOrder', 400],
    ['a part never sent', listed((parts) => [...parts, { ...parts[0], PartNumber: 4 }]), 'InvalidPart', 400],
    ['a wrong ETag', listed(([first, ...more]) => [{ ...first, ETag: '"a"' }, ...more]), 'InvalidPart', 400],
    [
      'a wrong part checksum',
      listed(([first, ...more]) => [{ ...first, ChecksumSHA256: OTHER_SHA256 }, ...more]),
      ...(['InvalidPart', 400] as const),
    ],
    [
      'no part checksum',
      listed(([first, ...more]) => [{ ...first, ChecksumSHA256: undefined }, ...more]),
      ...(['InvalidRequest', 400] as const),
    ],
    ['an unknown upload', () => ({ UploadId: 'nobody' }), 'NoSuchUpload', 404],
  ];
  it.each(wrongCompletes)('is not completed with %s', async (_what, change, name, httpStatusCode) => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const Parts = await sendParts(client, upload, threeParts);
    const input: CompleteMultipartUploadCommandInput = { ...upload, MultipartUpload: { Parts } };
    const wrong = new CompleteMultipartUploadCommand({ ...input, ...change(input) });
    await expect(client.send(wrong)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(server.problems).toHaveLength(name === 'NoSuchUpload' ? 0 : 1);
    expect(server.objects(BUCKET)).toEqual([]);
    await client.send(new CompleteMultipartUploadCommand(input));
    expect(server.objects(BUCKET)).toHaveLength(1);
  });

  it('is not completed with small parts, nor over an object, and stays', async () => {
    const server = await start();
    const client = clientOf(server);
    const upload = await beginUpload(client);
    const small = await sendParts(client, upload, [BODY, threeParts[0]!]);
    const complete = { ...upload, IfNoneMatch: '*' };
    await expect(
      client.send(new CompleteMultipartUploadCommand({ ...complete, MultipartUpload: { Parts: small } })),
    ).rejects.toMatchObject({ name: 'EntityTooSmall', $metadata: { httpStatusCode: 400 } });
    const Parts = await sendParts(client, upload, threeParts);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'first' }));
    await expect(
      client.send(new CompleteMultipartUploadCommand({ ...complete, MultipartUpload: { Parts } })),
    ).rejects.toMatchObject({ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } });
    expect(server.uploads(BUCKET)).toHaveLength(1);
  });

  it('has parts of 5 MiB at least, unless told otherwise', async () => {
    const server = await startS3Server({ buckets: [BUCKET] });
    onTestFinished(() => server.close());
    const client = clientOf(server);
    const upload = await beginUpload(client);
    for (const [length, ok] of [
      [5 * 1024 * 1024 - 1, false],
      [5 * 1024 * 1024, true],
    ] as const) {
      const Parts = await sendParts(client, upload, [bytesOf(length, 1), BODY]);
      const done = client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
      if (ok) expect((await done).ETag).toMatch(/-2"$/);
      else await expect(done).rejects.toMatchObject({ name: 'EntityTooSmall' });
    }
  });
});
