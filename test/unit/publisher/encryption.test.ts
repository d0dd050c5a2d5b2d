// Whether what a store names is the key that policy requires.
import { describe, expect, it } from 'vitest';
import { describe as inWords, encryptionIn, isEncryptedWith } from '../../../main/publisher/s3/encryption.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const OTHER = '99999999-2222-3333-4444-555555555555';
const place = 'arn:aws:kms:eu-west-1:123456789012';
const ARN = `${place}:key/${ID}`;

const cases: [required: string, named: string, boolean][] = [
  [ARN, ARN, true],
  [ARN, `${place}:key/${OTHER}`, false],
  [ARN, ARN.replace('eu-west-1', 'us-east-1'), false],
  [ARN, ARN.replace('123456789012', '210987654321'), false],
  [ARN, ARN.replace('arn:aws:', 'arn:aws-cn:'), false],
  [ID, ARN, true],
  [OTHER, ARN, false],
  [ID, ID, true],
  // Stores that answer with what was requested, or with an id only.
  [ARN, ID, true],
  [ARN, OTHER, false],
  ['my-key', 'arn:aws:kms:my-key', true],
  ['my-key', 'arn:aws:kms:other', false],
  [ID, ID.slice(0, -1), false],
  [ID, ID.toUpperCase().replaceAll('1', 'A'), false],
  ['mrk-1234', `${place}:key/mrk-1234`, true],
  // An alias has one key at a time; S3 names that key.
  ['alias/recordings', ARN, true],
  ['alias/recordings', 'alias/recordings', true],
  ['alias/recordings', 'alias/other', false],
  ['alias/recordings', '', false],
  [`${place}:alias/recordings`, ARN, true],
  [`${place}:alias/recordings`, ARN.replace('eu-west-1', 'us-east-1'), false],
  [`${place}:alias/recordings`, ARN.replace('123456789012', '210987654321'), false],
];

describe('the key of "s3KmsKeyId"', () => {
  it.each(cases)('%s, answered with %s: %s', (required, keyId, expected) => {
    expect(isEncryptedWith(required, { algorithm: 'aws:kms', keyId })).toBe(expected);
    expect(isEncryptedWith(required, { algorithm: 'aws:kms:dsse', keyId })).toBe(expected);
    expect(isEncryptedWith(required, { algorithm: 'AES256', keyId })).toBe(false);
  });

  it('must be named', () => {
    for (const required of [ARN, ID, 'alias/recordings']) {
      expect(isEncryptedWith(required, null)).toBe(false);
      expect(isEncryptedWith(required, { algorithm: 'aws:kms', keyId: null })).toBe(false);
      expect(isEncryptedWith(required, { algorithm: '', keyId: required })).toBe(false);
    }
  });

  it('that is not set permits everything', () => {
    expect(isEncryptedWith(null, null)).toBe(true);
    expect(isEncryptedWith(null, { algorithm: 'AES256', keyId: null })).toBe(true);
  });
});

it('an answer names an algorithm and a key, or nothing', () => {
  const named = (ServerSideEncryption?: string, SSEKMSKeyId?: string) =>
    encryptionIn({ ServerSideEncryption, SSEKMSKeyId });
  expect(inWords(named('aws:kms', ARN))).toBe(`aws:kms with the key ${ARN}`);
  expect(inWords(named('AES256'))).toBe('AES256');
  expect(inWords(named())).toBe('no encryption');
  for (const algorithm of ['', 'aws:kms\nforged', 'x'.repeat(33)]) expect(named(algorithm, ARN)).toBeNull();
  for (const key of ['', 'a b', 'FwoGZXIvYXdzE+/token==', `${ARN}\u202e`, 'x'.repeat(513)])
    expect(named('aws:kms', key)).toEqual({ algorithm: 'aws:kms', keyId: null });
});
