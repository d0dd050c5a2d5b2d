// The additional checksums of S3: of a body, of an object in parts, and the rules about the headers that carry them.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { invalidRequest, mistake } from './errors.ts';
import type { HeaderValues } from '../s3Signature.ts';

export const ALGORITHMS = ['CRC32', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export interface Checksum {
  algorithm: Algorithm;
  type: ChecksumType;
  /** Base64; a composite one ends in `-N`. */
  value: string;
}

const LENGTHS: Record<Algorithm, number> = { CRC32: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** Raw, not in base64. */
export function digest(algorithm: Algorithm, bytes: Uint8Array): Buffer {
  switch (algorithm) {
    case 'CRC32': {
      const raw = Buffer.alloc(4);
      raw.writeUInt32BE(crc32(bytes));
      return raw;
    }
    case 'CRC64NVME':
      return crc64nvme(bytes);
    case 'SHA1':
      return createHash('sha1').update(bytes).digest();
    case 'SHA256':
      return createHash('sha256').update(bytes).digest();
  }
}

export function base64Digest(algorithm: Algorithm, bytes: Uint8Array): string {
  return digest(algorithm, bytes).toString('base64');
}

/** The checksum of the parts' checksums, with their number. */
export function compositeChecksum(algorithm: Algorithm, partDigests: readonly string[]): string {
  const raw = Buffer.concat(partDigests.map((part) => Buffer.from(part, 'base64')));
  return `${base64Digest(algorithm, raw)}-${partDigests.length}`;
}

export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** `ChecksumSHA256` and so on, as in the answers' XML. */
export function checksumElement(algorithm: Algorithm): string {
  return `Checksum${algorithm}`;
}

export function toAlgorithm(name: string): Algorithm | null {
  return ALGORITHMS.find((algorithm) => algorithm === name) ?? null;
}

/**
 * The checksum that a request claims, in a header or in its trailer; null when it claims none.
 * @throws {S3Error} two of them, a broken one, an unknown one, or not the one that x-amz-sdk-checksum-algorithm names
 */
export function claimedChecksum(
  headers: HeaderValues,
  trailers: HeaderValues,
  { composite = false } = {},
): { algorithm: Algorithm; value: string } | null {
  const claims = Object.entries({ ...headers, ...trailers }).filter(
    ([name]) =>
      /^x-amz-checksum-/.test(name) &&
      !['algorithm', 'type', 'mode'].includes(name.slice('x-amz-checksum-'.length)),
  );
  if (claims.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const wanted = headers['x-amz-sdk-checksum-algorithm'];
  const [claim] = claims;
  if (claim === undefined) {
    if (wanted === undefined) return null;
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const [name, value] = claim;
  const algorithm = toAlgorithm(name.slice('x-amz-checksum-'.length).toUpperCase());
  if (algorithm === null) {
    throw mistake(
      501,
      'NotImplemented',
      `The stand-in knows no ${name}; use one of ${ALGORITHMS.join(', ')}.`,
    );
  }
  if (wanted !== undefined && wanted.toUpperCase() !== algorithm) {
    throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const plain = composite ? value.replace(/-\d+$/, '') : value;
  const raw = Buffer.from(plain, 'base64');
  if (raw.length !== LENGTHS[algorithm] || raw.toString('base64') !== plain) {
    throw invalidRequest(`Value for ${name} header is invalid.`);
  }
  return { algorithm, value };
}

export function badDigest(algorithm: Algorithm): Error {
  return mistake(400, 'BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

// CRC-64/NVME, reflected polynomial 9a6c9329ac4bc9b5, as two halves of 32 bits: BigInt would be far too slow.
const TABLE_HIGH = new Uint32Array(256);
const TABLE_LOW = new Uint32Array(256);
for (let index = 0; index < 256; index += 1) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit += 1) {
    const odd = (low & 1) === 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (odd) {
      high = (high ^ 0x9a6c9329) >>> 0;
      low = (low ^ 0xac4bc9b5) >>> 0;
    }
  }
  TABLE_HIGH[index] = high;
  TABLE_LOW[index] = low;
}

function crc64nvme(bytes: Uint8Array): Buffer {
  let high = 0xffffffff;
  let low = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = (((low >>> 8) | (high << 24)) ^ (TABLE_LOW[index] ?? 0)) >>> 0;
    high = ((high >>> 8) ^ (TABLE_HIGH[index] ?? 0)) >>> 0;
  }
  const raw = Buffer.alloc(8);
  raw.writeUInt32BE(~high >>> 0, 0);
  raw.writeUInt32BE(~low >>> 0, 4);
  return raw;
}
