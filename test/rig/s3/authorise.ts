// Whether a request is let in, from its headers alone: signature, clock, key, token, and what must be signed.
import { timingSafeEqual } from 'node:crypto';
import {
  expiredToken,
  invalidArgument,
  invalidRequest,
  mistake,
  refusal,
  requestTimeTooSkewed,
} from './errors.ts';
import {
  canonicalRequest,
  fromAmzDate,
  parseAuthorization,
  signatureOf,
  type HeaderValues,
  type S3Credentials,
} from '../s3Signature.ts';

export interface S3AccessKey extends S3Credentials {
  /** From then on requests get ExpiredToken; never, unless told. */
  expiresAtMs?: number;
}

export interface AuthoriseContext {
  region: string;
  accessKeys: readonly S3AccessKey[];
  nowMs: number;
}

const MAX_SKEW_MS = 15 * 60_000;

/** @throws {S3Error} with the code that S3 answers */
export function authorise(
  method: string,
  url: string,
  headers: HeaderValues,
  context: AuthoriseContext,
): void {
  const header = headers['authorization'];
  if (header === undefined) throw mistake(403, 'AccessDenied', 'Access Denied');
  const claim = parseAuthorization(header);
  const requestMs = fromAmzDate(headers['x-amz-date'] ?? '');
  if (claim === null) {
    throw mistake(
      400,
      'AuthorizationHeaderMalformed',
      'The authorization header that you provided is not valid.',
    );
  }
  if (requestMs === null) {
    throw mistake(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  if (claim.region !== context.region || claim.service !== 's3') {
    throw mistake(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${claim.region}' is wrong; expecting '${context.region}'`,
      { Region: context.region },
    );
  }
  const amzDate = headers['x-amz-date'] ?? '';
  if (!amzDate.startsWith(claim.day)) {
    throw mistake(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; Invalid credential date "${claim.day}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    );
  }
  requirePayloadHash(headers['x-amz-content-sha256']);
  requireSigned(headers, claim.signedHeaders);
  if (Math.abs(requestMs - context.nowMs) > MAX_SKEW_MS) throw requestTimeTooSkewed(requestMs, context.nowMs);

  const key = context.accessKeys.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  const token = headers['x-amz-security-token'];
  // Without its token, a temporary key is no key at all.
  if (key === undefined || (key.sessionToken !== undefined && token === undefined)) {
    throw refusal(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { AWSAccessKeyId: claim.accessKeyId },
    );
  }
  if (key.sessionToken !== token) {
    throw refusal(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
  const canonical = canonicalRequest(
    method,
    url,
    headers,
    claim.signedHeaders,
    headers['x-amz-content-sha256'] ?? '',
  );
  const right = signatureOf(canonical, key.secretAccessKey, { ...claim, amzDate });
  if (!timingSafeEqual(Buffer.from(right), Buffer.from(claim.signature))) {
    throw mistake(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { AWSAccessKeyId: key.accessKeyId, SignatureProvided: claim.signature, CanonicalRequest: canonical },
    );
  }
  if (key.expiresAtMs !== undefined && context.nowMs >= key.expiresAtMs) throw expiredToken();
}

function requirePayloadHash(hash: string | undefined): void {
  if (hash === undefined) {
    throw invalidRequest('Missing required header for this request: x-amz-content-sha256');
  }
  if (/^[0-9a-f]{64}$/.test(hash)) return;
  throw invalidArgument(
    'The stand-in wants the sha256 of the body: Sightline signs every body.',
    'x-amz-content-sha256',
    hash,
  );
}

function requireSigned(headers: HeaderValues, signed: readonly string[]): void {
  // S3 lets an unsigned Content-Type pass, its documentation does not.
  const unsigned = Object.keys(headers).filter(
    (name) =>
      (name === 'host' || name === 'content-type' || name === 'content-md5' || name.startsWith('x-amz-')) &&
      !signed.includes(name),
  );
  const absent = signed.filter((name) => headers[name] === undefined);
  if (unsigned.length > 0 || !signed.includes('host')) {
    throw mistake(403, 'AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
  if (absent.length > 0) {
    throw mistake(403, 'SignatureDoesNotMatch', `Signed but not sent: ${absent.join(', ')}.`);
  }
}
