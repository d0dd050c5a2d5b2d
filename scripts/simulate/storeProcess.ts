// Stand-ins for S3, STS and EventBridge under load, in one process: they read everything, compute what an answer must contain, count, and
// keep no byte of a recording. Signatures are not verified; that is for the tests' strict stand-in (test/rig/s3Server.ts).
// STS_PER_SECOND: more AssumeRole requests than that are throttled as AWS does it (a token bucket with one second's worth); empty: none.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveOrders, type Said } from './messages.ts';

const KEY = process.env['KMS_KEY_ARN'] ?? '';
const ENCRYPTED = {
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': KEY,
};
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const counts: Record<string, number> = {};
const count = (name: string, by = 1): void => void (counts[name] = (counts[name] ?? 0) + by);
const stsPerSecond = Number(process.env['STS_PER_SECOND'] || Infinity);
let sts = { tokens: stsPerSecond, at: performance.now() };
let isOut = false;

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const server = createServer(
  (request, response) => void serve(request, response).catch(() => response.destroy()),
);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  const isPart = request.method === 'PUT';
  const texts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return void request.destroy();
    if (isPart) hash.update(chunk);
    else texts.push(chunk);
  }
  const { status, headers, body } = answerTo(request, hash, bytes, Buffer.concat(texts).toString());
  response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);
}

function answerTo(
  request: IncomingMessage,
  hash: ReturnType<typeof createHash>,
  bytes: number,
  text: string,
): Answer {
  const { method, url = '/' } = request;
  if (request.headers['x-amz-target'] !== undefined) return putEvents(text);
  if (url === '/') return assumeRole();
  if (isOut) {
    count('S3 503');
    return {
      status: 503,
      body: '<Error><Code>ServiceUnavailable</Code><Message>Try again.</Message></Error>',
    };
  }
  const query = new URL(url, 'http://store').searchParams;
  if (method === 'PUT') {
    count(query.has('partNumber') ? 'UploadPart' : 'PutObject');
    count('bytes', bytes);
    const checksum = hash.digest('base64');
    if (request.headers['x-amz-checksum-sha256'] !== checksum) {
      count('wrong checksums');
      return { status: 400, body: '<Error><Code>BadDigest</Code></Error>' };
    }
    const etag = `"${randomBytes(16).toString('hex')}"`;
    return { status: 200, headers: { ...ENCRYPTED, etag, 'x-amz-checksum-sha256': checksum } };
  }
  if (method === 'POST' && query.has('uploads')) {
    count('CreateMultipartUpload');
    const id = randomUUID();
    return { status: 200, headers: ENCRYPTED, body: `<R><UploadId>${id}</UploadId></R>` };
  }
  if (method === 'POST') return complete(text);
  count(`${method} ${query.has('uploads') ? 'uploads' : query.has('uploadId') ? 'upload' : 'object'}`);
  if (method === 'DELETE') return { status: 204 };
  if (method === 'GET' && query.has('uploads')) return { status: 200, body: '<R></R>' };
  return { status: 404, body: '<Error><Code>NoSuchUpload</Code></Error>' };
}

/** The object's checksum is that of its parts' checksums, which the request lists. */
function complete(text: string): Answer {
  count('CompleteMultipartUpload');
  const parts = [...text.matchAll(/<ChecksumSHA256>([^<]+)</g)].map(([, sum = '']) =>
    Buffer.from(sum, 'base64'),
  );
  const whole = createHash('sha256').update(Buffer.concat(parts)).digest('base64');
  const body = `<R><ETag>"x-${parts.length}"</ETag><ChecksumSHA256>${whole}-${parts.length}</ChecksumSHA256></R>`;
  return { status: 200, headers: ENCRYPTED, body };
}

function assumeRole(): Answer {
  const at = performance.now();
  const tokens = Math.min(stsPerSecond, sts.tokens + ((at - sts.at) / 1000) * stsPerSecond);
  const passes = tokens >= 1;
  sts = { tokens: passes && tokens !== Infinity ? tokens - 1 : tokens, at };
  count(passes ? 'AssumeRole' : 'AssumeRole throttled');
  if (!passes)
    return {
      status: 400,
      body: '<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
    };
  const until = new Date(Date.now() + 900_000).toISOString();
  const session = randomBytes(300).toString('base64');
  return {
    status: 200,
    body:
      '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
      `<AccessKeyId>ASIASIMULATED0000000</AccessKeyId><SecretAccessKey>simulated</SecretAccessKey>` +
      `<SessionToken>${session}</SessionToken><Expiration>${until}</Expiration>` +
      '</Credentials></AssumeRoleResult></AssumeRoleResponse>',
  };
}

function putEvents(text: string): Answer {
  const { Entries } = JSON.parse(text) as { Entries: unknown[] };
  count('PutEvents');
  count('events', Entries.length);
  const body = JSON.stringify({
    FailedEntryCount: 0,
    Entries: Entries.map(() => ({ EventId: randomUUID() })),
  });
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

server.listen(0, '127.0.0.1', () => {
  serveOrders(counts, (out) => (isOut = out));
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } satisfies Said);
});
