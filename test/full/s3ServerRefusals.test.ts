// What the S3 stand-in must not let pass: every request here is wrong in one way, and the same request without that fault is taken.
import {
  CompleteMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompleteMultipartUploadCommandInput,
  type PutObjectCommandInput,
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
  sendParts,
  sha256,
  start,
  threeParts,
} from '../rig/s3/fixture.ts';
import { sendHandmade, type HandmadeRequest } from '../rig/s3/handmade.ts';
import { startS3Server, TEST_KEY, type S3Server } from '../rig/s3Server.ts';
import { canonicalRequest, sha256Hex, signatureOf } from '../rig/s3Signature.ts';

const BODY = bytesOf(1000, 1);
const OTHER_SHA256 = sha256(bytesOf(1000, 2));
const PUT: HandmadeRequest = {
  method: 'PUT',
  url: `/${BUCKET}/a`,
  body: BODY,
  headers: { 'content-type': 'video/mp4', 'x-amz-checksum-sha256': sha256(BODY) },
};
const token = { ...TEST_KEY, accessKeyId: 'ASIATEST', sessionToken: 'right' };

/** The request is refused with that, leaves nothing behind, and is a problem or not. */
async function expectRefusal(
  server: S3Server,
  request: HandmadeRequest,
  status: number,
  code: string,
  { problem = true } = {},
): Promise<void> {
  const answer = await sendHandmade(server.endpoint, request);
  expect([answer.status, answer.code]).toEqual([status, code]);
  expect(answer.body).toMatch(/<Message>.+<\/Message>.*<RequestId>\w+<\/RequestId>/s);
  expect(server.objects(BUCKET)).toEqual([]);
  expect(server.problems.some((text) => text.includes(code))).toBe(problem);
}

describe('the signature', () => {
  it('is that of the example in the S3 documentation', () => {
    const headers = {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': sha256Hex(''),
      'x-amz-date': '20130524T000000Z',
    };
    const canonical = canonicalRequest('GET', '/test.txt', headers, Object.keys(headers), sha256Hex(''));
    const scope = { amzDate: '20130524T000000Z', day: '20130524', region: 'us-east-1', service: 's3' };
    expect(signatureOf(canonical, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope)).toBe(
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  it('of a request made by hand is taken', async () => {
    const server = await start();
    expect(await sendHandmade(server.endpoint, PUT)).toMatchObject({ status: 200 });
    expect(server.problems).toEqual([]);
  });

  const wrong: [string, Partial<HandmadeRequest>, number, string][] = [
    ['no signature', { afterSigning: { authorization: undefined } }, 403, 'AccessDenied'],
    ['another scheme', { afterSigning: { authorization: 'AWS a:b' } }, 400, 'AuthorizationHeaderMalformed'],
    ['another region', { region: 'us-east-1' }, 400, 'AuthorizationHeaderMalformed'],
    ['another secret', { credentials: { ...TEST_KEY, secretAccessKey: 'x' } }, 403, 'SignatureDoesNotMatch'],
    ['a header changed', { afterSigning: { 'content-type': 'text/plain' } }, 403, 'SignatureDoesNotMatch'],
    [
      'a signed header left out',
      { afterSigning: { 'content-type': undefined } },
      403,
      'SignatureDoesNotMatch',
    ],
    ['host unsigned', { unsigned: ['host'] }, 403, 'AccessDenied'],
    ['x-amz-date unsigned', { unsigned: ['x-amz-date'] }, 403, 'AccessDenied'],
    ['the checksum unsigned', { unsigned: ['x-amz-checksum-sha256'] }, 403, 'AccessDenied'],
    ['metadata added', { afterSigning: { 'x-amz-meta-a': 'b' } }, 403, 'AccessDenied'],
    ['no payload hash', { afterSigning: { 'x-amz-content-sha256': undefined } }, 400, 'InvalidRequest'],
    ['a payload hash of nothing known', { payloadHash: 'abc' }, 400, 'InvalidArgument'],
    ['the hash of another body', { payloadHash: sha256Hex('other') }, 400, 'XAmzContentSHA256Mismatch'],
    ['no date', { afterSigning: { 'x-amz-date': undefined } }, 403, 'AccessDenied'],
    ['a virtual host', { headers: { ...PUT.headers, host: 'recordings.localhost' } }, 400, 'InvalidRequest'],
  ];
  it.each(wrong)('with %s is refused', async (_what, change, status, code) => {
    const server = await start();
    await expectRefusal(server, { ...PUT, ...change }, status, code);
  });

  it('of a key nobody has, of a temporary one without its token or with a wrong one, is refused', async () => {
    const server = await start({ accessKeys: [TEST_KEY, token] });
    const cases = [
      [{ ...TEST_KEY, accessKeyId: 'AKIANOBODY' }, 403, 'InvalidAccessKeyId'],
      [{ ...TEST_KEY, accessKeyId: token.accessKeyId }, 403, 'InvalidAccessKeyId'],
      [{ ...token, sessionToken: 'wrong' }, 400, 'InvalidToken'],
      [{ ...TEST_KEY, sessionToken: 'right' }, 400, 'InvalidToken'],
    ] as const;
    for (const [credentials, status, code] of cases) {
      await expectRefusal(server, { ...PUT, credentials }, status, code, { problem: false });
    }
    expect(await sendHandmade(server.endpoint, { ...PUT, credentials: token })).toMatchObject({
      status: 200,
    });
  });

  it('is good for 15 minutes to either side', async () => {
    const nowMs = Date.parse('2026-11-21T08:00:00Z');
    const server = await start({ clock: () => nowMs });
    for (const minutes of [-16, 16]) {
      const request = { ...PUT, atMs: nowMs + minutes * 60_000 };
      await expectRefusal(server, request, 403, 'RequestTimeTooSkewed', { problem: false });
    }
    for (const minutes of [-14, 14]) {
      const answer = await sendHandmade(server.endpoint, { ...PUT, atMs: nowMs + minutes * 60_000 });
      expect(answer).toMatchObject({ status: 200, headers: { date: 'Sat, 21 Nov 2026 08:00:00 GMT' } });
    }
  });
});

describe('a body', () => {
  const wrong: [string, HandmadeRequest, number, string][] = [
    ['a wrong checksum', { ...PUT, headers: { 'x-amz-checksum-sha256': OTHER_SHA256 } }, 400, 'BadDigest'],
    [
      'a checksum that is none',
      { ...PUT, headers: { 'x-amz-checksum-sha256': 'abc' } },
      400,
      'InvalidRequest',
    ],
    [
      'two checksums',
      { ...PUT, headers: { ...PUT.headers, 'x-amz-checksum-crc32': 'AAAAAA==' } },
      ...([400, 'InvalidRequest'] as const),
    ],
    [
      'the name of a checksum and none',
      { ...PUT, headers: { 'x-amz-sdk-checksum-algorithm': 'SHA256' } },
      ...([400, 'InvalidRequest'] as const),
    ],
  ];
  it.each(wrong)('with %s is refused', async (_what, request, status, code) => {
    await expectRefusal(await start(), request, status, code);
  });

  it('without a checksum is taken and is a problem', async () => {
    const server = await start();
    expect(await sendHandmade(server.endpoint, { ...PUT, headers: {} })).toMatchObject({ status: 200 });
    expect(server.problems).toEqual(['PutObject a: no checksum but what S3 makes itself']);
  });
});

describe('an object', () => {
  const wrong: [string, Partial<PutObjectCommandInput>, string, number, boolean][] = [
    ['unknown bucket', { Bucket: 'other' }, 'NoSuchBucket', 404, false],
    [
      'unknown KMS key',
      { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'x' },
      'KMS.NotFoundException',
      400,
      false,
    ],
    ['KMS key without aws:kms', { SSEKMSKeyId: KMS_KEY }, 'InvalidArgument', 400, true],
    ['storage class', { StorageClass: 'CHEAP' as 'STANDARD' }, 'InvalidStorageClass', 400, true],
    ['a tag twice', { Tagging: 'a=b&a=c' }, 'InvalidArgument', 400, true],
    ['a tag with a comma', { Tagging: 'a=b%2Cc' }, 'InvalidTag', 400, true],
    ['too much metadata', { Metadata: { a: 'x'.repeat(2048) } }, 'MetadataTooLarge', 400, true],
    ['too long a key', { Key: 'k'.repeat(1025) }, 'KeyTooLongError', 400, true],
    ['an odd condition', { IfNoneMatch: '"abc"' }, 'NotImplemented', 501, true],
  ];
  it.each(wrong)('with %s is refused', async (_what, change, name, httpStatusCode, problem) => {
    const server = await start();
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', ...change });
    await expect(clientOf(server).send(put)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(server.objects(BUCKET)).toEqual([]);
    expect(server.problems).toHaveLength(problem ? 1 : 0);
  });

  it('that is not there has a 404 without a body for HEAD', async () => {
    const server = await start();
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: KEY });
    await expect(clientOf(server).send(head)).rejects.toMatchObject({ name: 'NotFound' });
    expect(server.requests[0]?.errorCode).toBe('NoSuchKey');
  });

  it.each([`/${BUCKET}?acl`, `/${BUCKET}/a`, `/`])('knows no GET of %s', async (url) => {
    await expectRefusal(await start(), { method: 'GET', url }, 501, 'NotImplemented');
  });

  it('with a header of no meaning there is taken and is a problem', async () => {
    const server = await start();
    const request = { ...PUT, headers: { ...PUT.headers, 'x-amz-mp-object-size': '1000' } };
    expect(await sendHandmade(server.endpoint, request)).toMatchObject({ status: 200 });
    expect(server.problems).toEqual(['PutObject a: x-amz-mp-object-size means nothing here']);
  });
});

describe('a multipart upload', () => {
  it('has the composite checksum that real S3 gave for three parts', () => {
    const parts = [
      'lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=',
      'gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=',
      '4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=',
    ];
    expect(compositeChecksum(parts)).toBe('rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3');
  });

  const wrongParts: [string, Record<string, unknown>, string][] = [
    [
      'without a checksum',
      { ChecksumAlgorithm: undefined, ChecksumSHA256: undefined, ChecksumCRC32: undefined },
      'InvalidRequest',
    ],
    ['of another algorithm', { ChecksumSHA256: undefined, ChecksumCRC32: 'AAAAAA==' }, 'NotImplemented'],
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
