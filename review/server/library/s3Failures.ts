// What S3 and the network say, as a reviewer is told. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

import { quotedCode } from '../../../main/platform/limits.ts';
import { NetworkError } from '../../../main/platform/network/network.ts';
import { nameOf, statusOf } from '../../../main/publisher/s3/s3Errors.ts';
import { ReviewFailure } from '../failure.ts';

const credentials = 'Check the credentials of the review server (the default chain, or policy "awsProfile").';
const region = 'The bucket is in another region. Set policy "awsRegion".';
const advice: Readonly<Record<string, string>> = {
  AccessDenied:
    'S3 refuses to show the recordings. The review server needs s3:ListBucket for the bucket, s3:GetObject for the prefix, and kms:Decrypt for the key.',
  InvalidAccessKeyId: `S3 does not know the access key. ${credentials}`,
  SignatureDoesNotMatch: `The secret access key does not match the access key id. ${credentials}`,
  InvalidToken: `The session token is not valid. ${credentials}`,
  ExpiredToken: `The credentials have expired. ${credentials}`,
  ExpiredTokenException: `The credentials have expired. ${credentials}`,
  CredentialsProviderError: `There are no AWS credentials. ${credentials}`,
  TokenProviderError: 'The AWS sign-in has expired. Sign in again for policy "awsProfile".',
  RequestTimeTooSkewed: "The review server's clock is more than 15 minutes off. Set it.",
  NoSuchBucket: 'There is no such bucket. Check its name and policy "awsRegion".',
  PermanentRedirect: region,
  AuthorizationHeaderMalformed: region,
  InvalidBucketName: 'That is not a valid bucket name.',
  InvalidObjectState: 'The object is archived. Restore it in S3, then open it again.',
  TimeoutError: 'S3 did not answer in time. Try again.',
  SlowDown: 'S3 asks to slow down. Try again in a minute.',
};

export function s3Failure(error: unknown): unknown {
  if (error instanceof ReviewFailure || isAbort(error)) return error;
  const name = nameOf(error);
  const known = Object.hasOwn(advice, name) ? advice[name] : undefined;
  const text =
    error instanceof NetworkError
      ? `S3 cannot be reached: ${error.message}.`
      : (known ?? (statusOf(error) === 403 ? advice['AccessDenied'] : undefined) ?? unknownText(error, name));
  return new ReviewFailure('LIBRARY_UNAVAILABLE', text, { cause: error });
}

function unknownText(error: unknown, name: string): string {
  return statusOf(error) === null
    ? 'S3 cannot be reached. Check the network, the proxy and policy "s3Endpoint".'
    : `S3 cannot answer now (${quotedCode(name)}). Try again.`;
}

/** The object is not there, or is not to be had by these credentials, while others may be. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';
}

export function isReplaced(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** Whether the same request may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  return status === null
    ? !isAbort(error) && !(error instanceof ReviewFailure)
    : status >= 500 || status === 429 || status === 408;
}

/** Of this one object only: its key or its rights, not the library. */
export function isOfOneObject(error: unknown): boolean {
  const status = statusOf(error);
  return (
    nameOf(error) === 'InvalidObjectState' ||
    (status === 403 && nameOf(error) === 'AccessDenied') ||
    nameOf(error).startsWith('KMS')
  );
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
