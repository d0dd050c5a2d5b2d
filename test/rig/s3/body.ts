// The body of a request to the S3 stand-in: read with an eye on the clock, taken out of aws-chunked, and compared with
// every sum that the request claims of it.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { badDigest, claimedChecksum, base64Digest, type Algorithm } from './checksums.ts';
import { invalidRequest, mistake, refusal } from './errors.ts';
import { sha256Hex, UNSIGNED_PAYLOAD, UNSIGNED_TRAILER, type HeaderValues } from '../s3Signature.ts';

/** The client went away, or was sent away, before its body was complete: there is nobody to answer. */
export class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone';
}

export interface BodyOptions {
  /** Nothing received for so long: RequestTimeout. */
  idleMs: number;
  onBytes(count: number): void;
  /** The connection is reset after so many bytes; null: never. */
  resetAfterBytes: number | null;
}

export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Buffer> {
  const { idleMs, resetAfterBytes } = options;
  // After a stall nobody may be left.
  if (request.destroyed) throw new ConnectionGone('closed by the client');
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const idle = setTimeout(() => {
      reject(
        refusal(
          400,
          'RequestTimeout',
          'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
        ),
      );
    }, idleMs);
    const settle = (end: () => void): void => {
      clearTimeout(idle);
      end();
    };
    const reset = (): void => {
      request.pause();
      request.socket.resetAndDestroy();
      settle(() => reject(new ConnectionGone('reset by a fault')));
    };
    request.on('data', (chunk: Buffer) => {
      idle.refresh();
      bytes += chunk.length;
      options.onBytes(chunk.length);
      chunks.push(chunk);
      if (resetAfterBytes !== null && bytes >= resetAfterBytes) reset();
    });
    request.once('end', () => (resetAfterBytes === null ? settle(resolve) : reset()));
    request.once('error', () => settle(() => reject(new ConnectionGone('closed by the client'))));
    request.once('close', () => settle(() => reject(new ConnectionGone('closed by the client'))));
  });
  return Buffer.concat(chunks);
}

/**
 * The bytes meant, and the checksum that the client claimed and that was right.
 * @throws {S3Error} they are not what the request says they are
 */
export function verifiedBody(
  raw: Buffer,
  headers: HeaderValues,
  { carriesObject }: { carriesObject: boolean },
): { bytes: Buffer; checksum: { algorithm: Algorithm; value: string } | null } {
  const hash = headers['x-amz-content-sha256'] ?? '';
  const announced = headers['x-amz-trailer'];
  let bytes = raw;
  let trailers: HeaderValues = {};
  if (hash === UNSIGNED_TRAILER) {
    if (headers['content-encoding']?.split(',')[0]?.trim() !== 'aws-chunked') {
      throw invalidRequest('A streamed payload must have Content-Encoding aws-chunked.');
    }
    const length = headers['x-amz-decoded-content-length'];
    if (length === undefined || !/^\d+$/.test(length)) throw missingContentLength();
    ({ bytes, trailers } = decodeChunks(raw));
    if (bytes.length !== Number(length)) throw incompleteBody();
    const names = Object.keys(trailers).join(',');
    if (names !== (announced ?? '').toLowerCase()) {
      throw mistake(
        400,
        'MalformedTrailerError',
        'The request contained trailing data that was not well-formed.',
        {
          Announced: announced ?? '',
          Sent: names,
        },
      );
    }
  } else {
    if (announced !== undefined) throw invalidRequest('x-amz-trailer without a streamed payload.');
    if (hash !== UNSIGNED_PAYLOAD && sha256Hex(raw) !== hash) {
      throw mistake(
        400,
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        { ClientComputedContentSHA256: hash, S3ComputedContentSHA256: sha256Hex(raw) },
      );
    }
  }
  requireMd5(bytes, headers['content-md5']);
  if (!carriesObject) return { bytes, checksum: null };
  const checksum = claimedChecksum(headers, trailers);
  if (checksum !== null && base64Digest(checksum.algorithm, bytes) !== checksum.value) {
    throw badDigest(checksum.algorithm);
  }
  return { bytes, checksum };
}

export function missingContentLength(): Error {
  return mistake(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
}

function incompleteBody(): Error {
  return mistake(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
}

function requireMd5(bytes: Buffer, claimed: string | undefined): void {
  if (claimed === undefined) return;
  if (Buffer.from(claimed, 'base64').length !== 16) {
    throw mistake(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  const right = createHash('md5').update(bytes).digest('base64');
  if (right !== claimed) {
    throw mistake(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.', {
      ExpectedDigest: claimed,
      CalculatedDigest: right,
    });
  }
}

/** S3's own lower limit for every chunk but the last one. */
const MIN_CHUNK_BYTES = 8192;

/** `size CRLF bytes CRLF ... 0 CRLF trailers CRLF`, without signatures. */
function decodeChunks(raw: Buffer): { bytes: Buffer; trailers: HeaderValues } {
  const chunks: Buffer[] = [];
  let at = 0;
  const line = (): string => {
    const end = raw.indexOf('\r\n', at);
    if (end === -1) throw incompleteBody();
    const text = raw.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const size = line();
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw invalidRequest(`"${size.slice(0, 40)}" is no chunk size.`);
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    const last = chunks.at(-1);
    if (last !== undefined && last.length < MIN_CHUNK_BYTES) {
      throw mistake(
        403,
        'InvalidChunkSizeError',
        'Only the last chunk is allowed to have a size less than 8192 bytes',
        { BadChunkSize: String(last.length), Chunk: String(chunks.length) },
      );
    }
    if (at + length + 2 > raw.length) throw incompleteBody();
    chunks.push(raw.subarray(at, at + length));
    at += length;
    if (line() !== '') throw invalidRequest('A chunk is longer than its size.');
  }
  const trailers: HeaderValues = {};
  for (let text = line(); text !== ''; text = line()) {
    const colon = text.indexOf(':');
    if (colon === -1) throw invalidRequest(`"${text.slice(0, 40)}" is no trailer.`);
    trailers[text.slice(0, colon).toLowerCase()] = text.slice(colon + 1).trim();
  }
  if (at !== raw.length) throw invalidRequest('Bytes after the last trailer.');
  return { bytes: Buffer.concat(chunks), trailers };
}

/** The rest of the body read and forgotten; resolves as well when the client goes away. */
export async function drained(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    if (request.complete || request.destroyed) resolve();
    request.once('end', resolve);
    request.once('close', resolve);
    request.once('error', () => resolve());
    request.resume();
  });
}
