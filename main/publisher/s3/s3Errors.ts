// What S3 and the network say when they refuse, in our words: which code, what to do, and whether waiting can help.
// Codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

import { quoted, quotedCode } from '../../platform/limits.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { SightlineError } from '../../shared/errors.ts';
import { DeliveryError } from '../deliveryError.ts';

interface Known {
  readonly code: ErrorCode;
  readonly isPermanent: boolean;
  readonly words: string;
}

const auth = (words: string, isPermanent = true): Known => ({
  code: 'CLIENT_AUTH_ERROR',
  isPermanent,
  words,
});
const refused = (words: string): Known => ({ code: 'UPLOAD_FAILED', isPermanent: true, words });
const service = (words: string): Known => ({ code: 'SERVICE_ISSUE', isPermanent: false, words });
const network = (words: string): Known => ({ code: 'CLIENT_CONNECTION_ERROR', isPermanent: false, words });

const known: Readonly<Record<string, Known>> = {
  AccessDenied: auth(
    'S3 refuses the upload. The credentials need s3:PutObject, s3:PutObjectTagging, s3:GetObject, s3:AbortMultipartUpload and ' +
      's3:ListMultipartUploadParts for the prefix, and kms:GenerateDataKey and kms:Decrypt for the key.',
  ),
  InvalidAccessKeyId: auth('S3 does not know the access key. Check the credentials.'),
  SignatureDoesNotMatch: auth(
    'The secret access key is not the one of the access key. Check the credentials.',
  ),
  InvalidToken: auth('The session token is not valid. Check the credentials.'),
  ExpiredToken: auth('The credentials have expired. They are asked for again.', false),
  ExpiredTokenException: auth('The credentials have expired. They are asked for again.', false),
  RequestTimeTooSkewed: auth("The computer's clock is more than 15 minutes off. Set it.", false),
  CredentialsProviderError: auth(
    'There are no AWS credentials. Set up the default chain, "awsProfile" or "brokerUrl".',
  ),
  TokenProviderError: auth('There is no valid sign-on. Sign on again for "awsProfile".'),
  NoSuchBucket: refused('There is no such bucket. Check "s3Bucket" and "awsRegion".'),
  PermanentRedirect: refused('The bucket is in another region. Set "awsRegion".'),
  AuthorizationHeaderMalformed: refused('The bucket is in another region. Set "awsRegion".'),
  IllegalLocationConstraintException: refused('The bucket is in another region. Set "awsRegion".'),
  InvalidBucketName: refused('"s3Bucket" is no name of a bucket.'),
  InvalidStorageClass: refused('"s3StorageClass" is not known there.'),
  InvalidTag: refused('"s3Tags" has a tag that S3 does not take.'),
  NotImplemented: refused('The store does not know something that Sightline needs of S3.'),
  TimeoutError: network('S3 did not answer in time.'),
  AnswerTooLong: service(
    'What answers in the place of S3 says more than S3 ever does. Check "s3Endpoint" and the proxy.',
  ),
  RequestTimeout: network('The connection to S3 was too slow.'),
  SlowDown: service('S3 asks to slow down.'),
};

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** @param doing what was being done, for the message: "a part was sent" */
export function explainS3(error: unknown, where: string): SightlineError {
  if (error instanceof SightlineError) return error;
  const { code, isPermanent, words } = classify(error);
  const kept = 'The recording is kept in the spool.';
  return new DeliveryError(code, `${words} ${kept} (${where}: ${saidOf(error)})`, isPermanent, error);
}

/** What S3 or the network said, short and without secrets: its code and the beginning of its words. */
export function saidOf(error: unknown): string {
  return error instanceof Error
    ? `${quotedCode(nameOf(error))}: ${quoted(error.message)}`
    : quoted(String(error));
}

/** What to do about a refusal, without what it means for a recording; of explainS3's errors, too. */
export function s3Advice(error: unknown): string {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return cause === undefined && error instanceof Error ? error.message : classify(cause).words;
}

function classify(error: unknown): Known {
  const name = nameOf(error);
  const found = known[name];
  if (found !== undefined) return found;
  if (name.startsWith('KMS.') || name.startsWith('KMS'))
    return refused('The KMS key cannot be used. Check "s3KmsKeyId", its state and its policy.');
  if (networkCodes.has(codeOf(error)) || networkCodes.has(name))
    return network('S3 cannot be reached. Check the network, the proxy and "s3Endpoint".');
  const status = statusOf(error);
  if (status === null) return { code: 'UPLOAD_FAILED', isPermanent: false, words: 'The upload failed.' };
  if (status === 403 || status === 401) return known['AccessDenied'] ?? auth('S3 refuses the upload.');
  if (status >= 500 || status === 429 || status === 408 || status === 409)
    return service('S3 cannot take the upload now.');
  if (status === 404 || status === 400) return refused('S3 refuses the upload.');
  return { code: 'UPLOAD_FAILED', isPermanent: false, words: 'The upload failed.' };
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
