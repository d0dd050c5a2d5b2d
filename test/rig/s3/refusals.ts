// What the stand-in refuses: faults that a test asked for, and requests that S3 would not accept.
import { missingContentLength } from './body.ts';
import { expiredToken, mistake, noSuchBucket, refusal, requestTimeTooSkewed } from './errors.ts';
import type { Fault } from './faults.ts';
import { unexpectedHeaders, type Target } from './request.ts';
import { conflict } from './store.ts';
import { fromAmzDate, type HeaderValues } from '../s3Signature.ts';

/** Of the faults, those that are nothing but an error. */
export function throwFault(
  fault: Fault,
  target: Target,
  headers: HeaderValues,
  context: { readonly accountId: string; readonly nowMs: number },
): void {
  switch (fault.kind) {
    case 'internalError':
      throw refusal(500, 'InternalError', 'We encountered an internal error. Please try again.');
    case 'slowDown':
      throw refusal(503, 'SlowDown', 'Please reduce your request rate.');
    case 'expiredToken':
      throw expiredToken();
    case 'clockSkew':
      throw requestTimeTooSkewed(fromAmzDate(headers['x-amz-date'] ?? '') ?? 0, context.nowMs);
    case 'accessDenied':
      throw refusal(403, 'AccessDenied', 'Access Denied');
    case 'kmsAccessDenied':
      throw refusal(
        403,
        'AccessDenied',
        `User: arn:aws:iam::${context.accountId}:user/agent is not authorized to perform: kms:GenerateDataKey on this resource because no identity-based policy allows the kms:GenerateDataKey action`,
      );
    case 'noSuchBucket':
      throw noSuchBucket(target.bucket);
    case 'conflict':
      throw conflict(target.key);
    case 'reset':
    case 'stall':
    case 'lostAnswer':
    case 'wrongChecksumInAnswer':
    case 'encryptionInAnswer':
    case 'error200':
  }
}

/** @param problems gets what a client that does everything right never does */
export function checkHeaders({ operation, key }: Target, headers: HeaderValues, problems: string[]): void {
  for (const name of unexpectedHeaders(operation, headers)) {
    if (name.startsWith('x-amz-server-side-encryption')) continue;
    problems.push(`${operation} ${key}: ${name} means nothing here`);
  }
  const carries = ['PutObject', 'UploadPart', 'CompleteMultipartUpload'].includes(operation);
  if (carries && headers['content-length'] === undefined) throw missingContentLength();
}

/** Whether the write is one of those that must not overwrite. */
export function conditionOf({ operation, key }: Target, headers: HeaderValues): boolean {
  const condition = headers['if-none-match'];
  if (condition === undefined) return false;
  if ((operation === 'PutObject' || operation === 'CompleteMultipartUpload') && condition === '*')
    return true;
  // S3's answer to any other use of the header, in S3's words.
  throw mistake(
    501,
    'NotImplemented',
    'A header you provided implies functionality that is not implemented',
    {
      Header: 'If-None-Match',
      Key: key,
    },
  );
}
