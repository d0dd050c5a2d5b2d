// The body of a request to the S3 stand-in, read and compared with every sum that the request claims of it.
import type { IncomingMessage } from 'node:http';
import { badDigest, base64Sha256, claimedChecksum } from './checksums.ts';
import { mistake } from './errors.ts';
import { sha256Hex, type HeaderValues } from '../s3Signature.ts';

/** The client went away, or was sent away, before its body was complete: there is nobody to answer. */
export class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone';
}

export interface BodyOptions {
  onBytes(count: number): void;
  /** The connection is reset after so many bytes; null: never. */
  resetAfterBytes: number | null;
}

export async function readBody(request: IncomingMessage, options: BodyOptions): Promise<Buffer> {
  const { resetAfterBytes } = options;
  // After a stall nobody may be left.
  if (request.destroyed) throw new ConnectionGone('closed by the client');
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const gone = (why: string) => (): void => reject(new ConnectionGone(why));
    const reset = (): void => {
      request.pause();
      request.socket.resetAndDestroy();
      gone('reset by a fault')();
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      options.onBytes(chunk.length);
      chunks.push(chunk);
      if (resetAfterBytes !== null && bytes >= resetAfterBytes) reset();
    });
    request.once('end', () => (resetAfterBytes === null ? resolve() : reset()));
    request.once('error', gone('closed by the client'));
    request.once('close', gone('closed by the client'));
  });
  return Buffer.concat(chunks);
}

/**
 * The checksum that the client claimed and that was right; null: it claimed none.
 * @throws {S3Error} the bytes are not what the request says they are
 */
export function verifiedChecksum(bytes: Buffer, headers: HeaderValues): string | null {
  const hash = headers['x-amz-content-sha256'] ?? '';
  if (sha256Hex(bytes) !== hash) {
    throw mistake(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      { ClientComputedContentSHA256: hash, S3ComputedContentSHA256: sha256Hex(bytes) },
    );
  }
  const checksum = claimedChecksum(headers);
  if (checksum !== null && base64Sha256(bytes) !== checksum) throw badDigest();
  return checksum;
}

export function missingContentLength(): Error {
  return mistake(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
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
