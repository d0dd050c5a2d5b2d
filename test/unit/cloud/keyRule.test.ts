// Which keys the broker gives credentials for. The keys that it must accept are made by the recorder's own code.
import { describe, expect, it } from 'vitest';
import { allowedKeys, type KeyQuestion } from '../../../cloud/broker/keyRule.ts';
import { objectKey, type NamedContact, type Naming } from '../../../main/publisher/objectKey.ts';

const instance = {
  instanceArn: 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555',
  bucket: 'acme-recordings',
  keyPrefix: 'connect/acme/ScreenRecordings',
};
const now = new Date('2026-01-03T00:00:00Z');
const good: KeyQuestion = {
  recordingId: '0a1b2c3d-0000-4000-8000-000000000000',
  contactId: 'c-1',
  bucket: 'acme-recordings',
  keyPrefix: 'connect/acme/ScreenRecordings/2026/01/02/c-1_20260102T030405Z',
};
const codeOf = (change: Partial<KeyQuestion>): unknown => {
  try {
    return allowedKeys({ ...good, ...change }, instance, now);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it('allows exactly the four names that the recorder can use', () => {
  const p = good.keyPrefix;
  expect(allowedKeys(good, instance, now)).toEqual([
    `${p}.mp4`,
    `${p}.json`,
    `${p}_0a1b2c3d.mp4`,
    `${p}_0a1b2c3d.json`,
  ]);
});

describe('accepts every key that a recorder makes', () => {
  const naming: Naming = {
    keyPrefix: 'connect/<alias>/ScreenRecordings/<queue>/<attribute:case>/<channel>',
    instanceAlias: 'acme',
    attributesForKeys: ['case'],
    s3Tags: [],
  };
  it.each([
    ['plain', 'Billing', 'A-1'],
    ['hostile', '../../other', '..%2f..%2fx*?$'],
    ['of other scripts', 'Übergabe 受付', '事件 7'],
    ['unknown', undefined, undefined],
    ['punctuated', "O'Neill (VIP)!", '._-'],
    ['long', 'q'.repeat(500), 'x'.repeat(500)],
  ])('%s', (_, queue, value) => {
    const named = {
      contact: { contactId: 'c-1', channel: 'VOICE', queue, attributes: { case: value ?? '' } },
      agent: { instanceArn: instance.instanceArn },
    } as unknown as NamedContact;
    const key = objectKey(naming, named, Date.parse('2026-01-02T03:04:05.678Z'));
    expect(codeOf({ keyPrefix: key.replace(/\.mp4$/, '') })).toContain(key);
  });
});

const root = instance.keyPrefix;
const name = '2026/01/02/c-1_20260102T030405Z';
it.each([
  ['another folder', `connect/other/ScreenRecordings/${name}`],
  ['a folder that begins alike', `${root}2/${name}`],
  ['no folder', name],
  ['..', `${root}/../other/${name}`],
  ['.. at the end', `${root}/${name}/..`],
  ['.', `${root}/./${name}`],
  ['//', `${root}//${name}`],
  ['a slash at the end', `${root}/${name}/`],
  ['a slash at the beginning', `/${root}/${name}`],
  ['an encoded slash', `${root}/..%2f..%2f/${name}`],
  ['an encoded slash, twice', `${root}/%252e%252e/${name}`],
  ['a backslash', `${root}/..\\..\\/${name}`],
  ['a full-width slash', `${root}/a\uff0fb/${name}`],
  ['a wildcard *', `${root}/*/${name}`],
  ['a wildcard ?', `${root}/?/${name}`],
  ['a variable of IAM', `${root}/\${aws:userid}/${name}`],
  ['a line break', `${root}/a\nb/${name}`],
  ['a NUL', `${root}/a\0b/${name}`],
  ['a quote', `${root}/a"b/${name}`],
  ['another contact', `${root}/2026/01/02/c-2_20260102T030405Z`],
  ['a contact that begins alike', `${root}/2026/01/02/c-10_20260102T030405Z`],
  ['only the beginning of a name', `${root}/2026/01/02/c-1_`],
  ['no name', `${root}/2026/01/02`],
  ['another date than the name', `${root}/2026/01/03/c-1_20260102T030405Z`],
  ['no date that exists', `${root}/2026/02/30/c-1_20260230T030405Z`],
  ['a time far in the future', `${root}/2027/01/02/c-1_20270102T030405Z`],
  ['the complete name', `${root}/${name}.mp4`],
  ['too many folders', `${root}/${'a/'.repeat(20)}${name}`],
])('refuses %s', (_, keyPrefix) => {
  expect(codeOf({ keyPrefix })).toBe('KEY_NOT_ALLOWED');
});

it('refuses another bucket', () => {
  expect(codeOf({ bucket: 'acme-recordings2' })).toBe('BUCKET_NOT_ALLOWED');
});
