// What the S3 stand-in must not let pass: every request here is wrong in one way, and the same request without that
// fault is taken.
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import {
  BUCKET,
  KEY,
  KMS_KEY,
  PART_BYTES,
  bytesOf,
  clientOf,
  sha256,
  start,
  threeParts,
} from '../rig/s3/fixture.ts';
import { awsChunked, sendHandmade, type HandmadeRequest } from '../rig/s3/handmade.ts';
import { TEST_KEY, type S3Server } from '../rig/s3Server.ts';
import {
  canonicalRequest,
  sha256Hex,
  signatureOf,
  signHeaders,
  UNSIGNED_PAYLOAD,
  UNSIGNED_TRAILER,
} from '../rig/s3Signature.ts';

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
  const trailer = `x-amz-checksum-sha256:${sha256(Buffer.concat([threeParts[0]!, BODY]))}`;
  const chunked = (
    chunks: readonly Uint8Array[],
    end = trailer,
    length = PART_BYTES + 1000,
  ): HandmadeRequest => ({
    ...{ method: 'PUT', url: `/${BUCKET}/a`, body: awsChunked(chunks, end), payloadHash: UNSIGNED_TRAILER },
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(length),
      'x-amz-trailer': 'x-amz-checksum-sha256',
    },
  });
  const chunks = [threeParts[0]!, BODY];

  it('may be unsigned, and may come in chunks', async () => {
    const server = await start();
    expect(await sendHandmade(server.endpoint, { ...PUT, payloadHash: UNSIGNED_PAYLOAD })).toMatchObject({
      status: 200,
    });
    expect(await sendHandmade(server.endpoint, chunked(chunks))).toMatchObject({ status: 200 });
    expect(server.objects(BUCKET)[0]?.bytes.equals(Buffer.concat(chunks))).toBe(true);
    expect(server.problems).toEqual([]);
  });

  const wrong: [string, HandmadeRequest, number, string][] = [
    ['small chunks', chunked([BODY, threeParts[0]!]), 403, 'InvalidChunkSizeError'],
    ['a wrong checksum behind', chunked(chunks, `x-amz-checksum-sha256:${OTHER_SHA256}`), 400, 'BadDigest'],
    [
      'another trailer than announced',
      chunked(chunks, 'x-amz-checksum-crc32:AAAAAA=='),
      400,
      'MalformedTrailerError',
    ],
    ['fewer bytes than announced', chunked(chunks, trailer, PART_BYTES + 1001), 400, 'IncompleteBody'],
    ['a wrong checksum', { ...PUT, headers: { 'x-amz-checksum-sha256': OTHER_SHA256 } }, 400, 'BadDigest'],
    ['a wrong CRC32', { ...PUT, headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, 400, 'BadDigest'],
    [
      'a wrong CRC64NVME',
      { ...PUT, headers: { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' } },
      400,
      'BadDigest',
    ],
    ['a wrong MD5', { ...PUT, headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } }, 400, 'BadDigest'],
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

  /** The request signed for BODY's length, as text, without its body. */
  const headOf = (server: S3Server): string => {
    const headers = signHeaders({
      ...{ method: 'PUT', url: PUT.url, region: 'eu-west-1', atMs: Date.now(), credentials: TEST_KEY },
      payloadHash: sha256Hex(BODY),
      headers: { ...PUT.headers, host: server.endpoint.slice(7), 'content-length': String(BODY.length) },
    });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `PUT ${PUT.url} HTTP/1.1\r\n${lines.join('')}\r\n`;
  };
  /** Sends that on a bare connection; gives what came back when it is closed. */
  const sendRaw = async (
    server: S3Server,
    parts: readonly (string | Buffer)[],
    end: boolean,
  ): Promise<string> => {
    const socket = connect(Number(new URL(server.endpoint).port), '127.0.0.1');
    const closed = once(socket, 'close');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
    if (end) socket.end();
    await closed;
    return answer;
  };

  it('that stops short of its Content-Length gets RequestTimeout', async () => {
    const server = await start({ bodyIdleMs: 200 });
    const answer = await sendRaw(server, [headOf(server), BODY.subarray(1)], false);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*<Code>RequestTimeout</s);
    expect(server.objects(BUCKET)).toEqual([]);
  });

  it('that ends short of its Content-Length gets no answer', async () => {
    const server = await start();
    expect(await sendRaw(server, [headOf(server), BODY.subarray(1)], true)).toBe('');
    expect(server.requests).toMatchObject([{ status: null, bytes: BODY.length - 1 }]);
    expect(server.objects(BUCKET)).toEqual([]);
  });

  it('longer than its Content-Length kills the connection', async () => {
    const server = await start();
    await sendRaw(server, [headOf(server), BODY, 'and more'], false);
    expect(server.problems.some((text) => text.startsWith('not HTTP'))).toBe(true);
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
    ['another owner', { ExpectedBucketOwner: '999999999999' }, 'AccessDenied', 403, false],
    ['storage class', { StorageClass: 'CHEAP' as 'STANDARD' }, 'InvalidStorageClass', 400, true],
    ['an ACL', { ACL: 'public-read' }, 'AccessControlListNotSupported', 400, true],
    ['a tag twice', { Tagging: 'a=b&a=c' }, 'InvalidArgument', 400, true],
    ['a tag with a comma', { Tagging: 'a=b%2Cc' }, 'InvalidTag', 400, true],
    ['too much metadata', { Metadata: { a: 'x'.repeat(2048) } }, 'MetadataTooLarge', 400, true],
    ['too long a key', { Key: 'k'.repeat(1025) }, 'KeyTooLongError', 400, true],
    ['a lock', { ObjectLockMode: 'GOVERNANCE' }, 'InvalidRequest', 400, true],
    ['an odd condition', { IfNoneMatch: '"abc"' }, 'NotImplemented', 501, true],
  ];
  it.each(wrong)('with %s is refused', async (_what, change, name, httpStatusCode, problem) => {
    const server = await start();
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', ...change });
    await expect(clientOf(server).send(put)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(server.objects(BUCKET)).toEqual([]);
    expect(server.problems).toHaveLength(problem ? 1 : 0);
  });

  it('is not written over, nor when it was deleted meanwhile', async () => {
    const server = await start();
    const client = clientOf(server);
    const put = new PutObjectCommand({ Bucket: BUCKET, Key: KEY, Body: 'x', IfNoneMatch: '*' });
    await client.send(put);
    await expect(client.send(put)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    const fault = server.inject({ kind: 'slow', delayMs: 200, operation: 'PutObject' });
    const slow = client.send(put);
    await fault.struck;
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: KEY }));
    await expect(slow).rejects.toMatchObject({ name: 'ConditionalRequestConflict' });
    await client.send(put);
    expect(server.problems).toEqual([]);
  });

  it('that is not there has a 404 without a body for HEAD', async () => {
    const server = await start();
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: KEY });
    await expect(clientOf(server).send(head)).rejects.toMatchObject({ name: 'NotFound' });
    expect(server.requests[0]?.errorCode).toBe('NoSuchKey');
  });

  it.each([`/${BUCKET}?acl`, `/${BUCKET}/a?versionId=1`, `/`])('knows no GET of %s', async (url) => {
    await expectRefusal(await start(), { method: 'GET', url }, 501, 'NotImplemented');
  });

  it('with a header of no meaning there is taken and is a problem', async () => {
    const server = await start();
    const request = { ...PUT, headers: { ...PUT.headers, 'x-amz-mp-object-size': '1000' } };
    expect(await sendHandmade(server.endpoint, request)).toMatchObject({ status: 200 });
    expect(server.problems).toEqual(['PutObject a: x-amz-mp-object-size means nothing here']);
  });
});
