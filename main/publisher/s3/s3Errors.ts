// Errors of S3 and the network, explained: which code, what to do, and whether a retry alone can help.
// Codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

import { quoted, quotedCode } from '../../platform/limits.ts';
import { NetworkError } from '../../platform/network/network.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { SightlineError, errno } from '../../shared/errors.ts';
import { UploadError } from '../uploadError.ts';

interface Known {
  readonly code: ErrorCode;
  readonly isPermanent: boolean;
  readonly message: string;
}

const kind =
  (code: ErrorCode, isPermanent: boolean) =>
  (message: string): Known => ({ code, isPermanent, message });
const auth = kind('CLIENT_AUTH_ERROR', true);
const authForNow = kind('CLIENT_AUTH_ERROR', false);
const refused = kind('UPLOAD_FAILED', true);
const service = kind('SERVICE_ISSUE', false);
const network = kind('CLIENT_CONNECTION_ERROR', false);
const failed = kind('UPLOAD_FAILED', false)('The upload failed.');

const known: Readonly<Record<string, Known>> = {
  AccessDenied: auth(
    'S3 refuses the upload. The credentials need s3:PutObject, s3:PutObjectTagging, s3:GetObject, s3:AbortMultipartUpload and ' +
      's3:ListMultipartUploadParts for the prefix, and kms:GenerateDataKey and kms:Decrypt for the key.',
  ),
  InvalidAccessKeyId: auth('S3 does not know the access key. Check the credentials.'),
  SignatureDoesNotMatch: auth(
    'The secret access key does not match the access key id. Check the credentials.',
  ),
  InvalidToken: auth('The session token is not valid. Check the credentials.'),
  ExpiredToken: authForNow('The credentials have expired. They are renewed automatically.'),
  ExpiredTokenException: authForNow('The credentials have expired. They are renewed automatically.'),
  RequestTimeTooSkewed: authForNow("The computer's clock is more than 15 minutes off. Set it."),
  CredentialsProviderError: auth(
    'There are no AWS credentials. Set up the default chain, "awsProfile" or "brokerUrl".',
  ),
  TokenProviderError: auth('The AWS sign-in has expired. Sign in again for "awsProfile".'),
  NoSuchBucket: refused('There is no such bucket. Check "s3Bucket" and "awsRegion".'),
  PermanentRedirect: refused('The bucket is in another region. Set "awsRegion".'),
  AuthorizationHeaderMalformed: refused('The bucket is in another region. Set "awsRegion".'),
  IllegalLocationConstraintException: refused('The bucket is in another region. Set "awsRegion".'),
  InvalidBucketName: refused('"s3Bucket" is not a valid bucket name.'),
  InvalidStorageClass: refused('The store does not know the "s3StorageClass".'),
  InvalidTag: refused('"s3Tags" has a tag that S3 does not accept.'),
  NotImplemented: refused('The store does not support an S3 feature that Sightline needs.'),
  TimeoutError: network('S3 did not answer in time.'),
  AnswerTooLong: service('The response is longer than any of S3. Check "s3Endpoint" and the proxy.'),
  RequestTimeout: network('The connection to S3 was too slow.'),
  SlowDown: service('S3 asks to slow down.'),
};

const networkCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'],
]);

/** @param where the request, for the message: "part 2 of a.mp4" */
export function explainS3(error: unknown, where: string): SightlineError {
  if (error instanceof SightlineError) return error;
  const { code, isPermanent, message } = classify(error);
  const kept = 'The recording is kept in the spool.';
  return new UploadError(code, `${message} ${kept} (${where}: ${quoteError(error)})`, isPermanent, error);
}

/** Code and beginning of the message from S3 or the network, without secrets. */
export function quoteError(error: unknown): string {
  return error instanceof Error
    ? `${quotedCode(nameOf(error))}: ${quoted(error.message)}`
    : quoted(String(error));
}

/** What to do about an error (also one of explainS3), without what it means for a recording. */
export function s3Advice(error: unknown): string {
  const cause = error instanceof UploadError ? error.cause : error;
  return cause === undefined && error instanceof Error ? error.message : classify(cause).message;
}

function classify(error: unknown): Known {
  if (error instanceof NetworkError) return network(`S3 cannot be reached: ${error.message}.`);
  const name = nameOf(error);
  const found = known[name];
  if (found !== undefined) return found;
  if (name.startsWith('KMS'))
    return refused('The KMS key cannot be used. Check "s3KmsKeyId", its state and its policy.');
  if (networkCodes.has(errno(error) ?? '') || networkCodes.has(name))
    return network('S3 cannot be reached. Check the network, the proxy and "s3Endpoint".');
  const status = statusOf(error);
  if (status === null) return failed;
  if (status === 403 || status === 401) return known['AccessDenied'] ?? auth('S3 refuses the upload.');
  if (status >= 500 || [429, 408, 409].includes(status)) return service('S3 cannot accept the upload now.');
  return status === 404 || status === 400 ? refused('S3 refuses the upload.') : failed;
}

/** S3's code, or the error's own name. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
}

export function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null;
  const metadata = error.$metadata as { httpStatusCode?: number } | undefined;
  return metadata?.httpStatusCode ?? null;
}
