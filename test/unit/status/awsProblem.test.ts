import { describe, expect, it } from 'vitest';
import { certificateError } from '../../../main/platform/network/network.ts';
import { problemOf, problemOfEntry } from '../../../main/status/awsProblem.ts';

function awsError(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}
const status = (httpStatusCode: number): object => ({ $metadata: { httpStatusCode } });

describe('what an error means', () => {
  it.each<[string, Error, string, string, RegExp]>([
    // Passing: nothing needs to be done, or the clock, a login or the network comes back.
    [
      'the network is away',
      awsError('Error', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' }),
      'passing',
      'ECONNREFUSED',
      /network/,
    ],
    [
      'no such host',
      awsError('Error', 'getaddrinfo ENOTFOUND', { code: 'ENOTFOUND' }),
      'passing',
      'ENOTFOUND',
      /awsRegion/,
    ],
    [
      'throttling',
      awsError('ThrottlingException', 'Rate', status(400)),
      'passing',
      'ThrottlingException',
      /slow/,
    ],
    [
      'an unknown 429',
      awsError('SlowDownPlease', 'x', status(429)),
      'passing',
      'SlowDownPlease',
      /could not answer/,
    ],
    [
      'an unknown 503',
      awsError('UnknownError', 'x', status(503)),
      'passing',
      'UnknownError',
      /could not answer/,
    ],
    [
      'an expired token',
      awsError('ExpiredTokenException', 'x', status(400)),
      'passing',
      'ExpiredTokenException',
      /expired/,
    ],
    [
      'a clock that is wrong',
      awsError('InvalidSignatureException', 'Signature expired: 20260101T', status(400)),
      'passing',
      'RequestTimeTooSkewed',
      /clock/,
    ],
    // Permanent: something has to be fixed.
    [
      'a wrong secret or region',
      awsError('InvalidSignatureException', 'Credential should be scoped', status(400)),
      'permanent',
      'InvalidSignatureException',
      /region/,
    ],
    [
      'no right',
      awsError('AccessDeniedException', 'x', status(400)),
      'permanent',
      'AccessDeniedException',
      /events:PutEvents/,
    ],
    [
      'no such bus',
      awsError('ResourceNotFoundException', 'x', status(400)),
      'permanent',
      'ResourceNotFoundException',
      /eventBusName/,
    ],
    [
      'no credentials',
      awsError('CredentialsProviderError', 'x'),
      'permanent',
      'CredentialsProviderError',
      /awsProfile/,
    ],
    ['no region', awsError('Error', 'Region is missing'), 'permanent', 'RegionMissing', /awsRegion/],
    [
      'a proxy that opens TLS',
      certificateError('events.example', 'Box', 'SELF_SIGNED_CERT_IN_CHAIN'),
      'permanent',
      'CERTIFICATE_REJECTED',
      /issued by "Box" is not trusted here \(SELF_SIGNED_CERT_IN_CHAIN\)/,
    ],
    ['an unknown 4xx', awsError('NotHere', 'x', status(404)), 'permanent', 'NotHere', /eventBridgeEndpoint/],
    // Refused: the content.
    [
      'invalid content',
      awsError('ValidationException', 'x', status(400)),
      'refused',
      'ValidationException',
      /content/,
    ],
    ['413 with any name', awsError('Unknown413', 'x', status(413)), 'refused', 'Unknown413', /large/],
  ])('%s', (_, error, kind, code, text) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ kind, code });
    expect(problem.message).toMatch(text);
  });

  it('is passing for anything else that is thrown', () => {
    expect(problemOf('a text')).toMatchObject({ kind: 'passing', code: 'Unknown' });
  });
});

describe('credentials', () => {
  it.each([
    ['ExpiredTokenException', true],
    ['UnrecognizedClientException', true],
    ['InvalidSignatureException', true],
    ['CredentialsProviderError', true],
    ['AccessDeniedException', false],
    ['ThrottlingException', false],
  ])('%s: read again: %s', (name, again) => {
    expect(problemOf(awsError(name, 'x', status(400))).credentials).toBe(again);
  });
});

describe('the code of one entry', () => {
  it.each([
    ['InternalFailure', 'passing'],
    ['ThrottlingException', 'passing'],
    ['FromTheFuture', 'passing'],
    ['AccessDeniedException', 'permanent'],
    ['NotAuthorizedForSourceException', 'permanent'],
    ['NotAuthorizedForDetailTypeException', 'permanent'],
    ['InvalidAccountIdException', 'permanent'],
    ['RedactionFailure', 'permanent'],
    ['InvalidArgument', 'refused'],
    ['MalformedDetail', 'refused'],
  ])('%s is %s', (code, kind) => {
    expect(problemOfEntry(code)).toMatchObject({ kind, code });
  });
});
