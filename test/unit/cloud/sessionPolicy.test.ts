// What one recording's credentials can do, statement by statement.
import { describe, expect, it } from 'vitest';
import { sessionPolicy, type PolicySettings } from '../../../cloud/broker/sessionPolicy.ts';

const keyPrefix = 'connect/acme/ScreenRecordings/2026/01/02/c-1_20260102T030405Z';
const keys = [
  `${keyPrefix}.mp4`,
  `${keyPrefix}.json`,
  `${keyPrefix}_0a1b2c3d.mp4`,
  `${keyPrefix}_0a1b2c3d.json`,
];
const minimum: PolicySettings = {
  roleArn: 'arn:aws:iam::123456789012:role/uploads',
  kmsKeyArn: null,
  eventBusArn: null,
  tagKeys: [],
  allowHead: false,
};
interface Statement {
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}
const statementsOf = (settings: Partial<PolicySettings>, names = keys): Statement[] => {
  const text = sessionPolicy(
    { bucket: 'acme-recordings', keyPrefix, keys: names },
    { ...minimum, ...settings },
  );
  expect(text.length).toBeLessThanOrEqual(2048);
  return (JSON.parse(text) as { Statement: Statement[] }).Statement;
};
const all: Partial<PolicySettings> = {
  kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
  eventBusArn: 'arn:aws:events:eu-central-1:123456789012:event-bus/screen-recordings',
  tagKeys: ['channel', 'case'],
  allowHead: true,
};

describe('by default', () => {
  it('writes the recording’s own objects and reads nothing', () => {
    const [only, ...others] = statementsOf({});
    expect(others).toEqual([]);
    expect(only!.Action).toEqual(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']);
    expect(only!.Resource).toEqual(keys.map((key) => `arn:aws:s3:::acme-recordings/${key}`));
  });
});

describe('with everything', () => {
  it('never deletes, lists a bucket or bypasses a lock, and has no wildcard in an action or a key', () => {
    const statements = statementsOf(all);
    const actions = statements.flatMap(({ Action }) => Action);
    expect(actions.sort()).toEqual([
      ...[
        'events:PutEvents',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        's3:AbortMultipartUpload',
        's3:GetObject',
      ],
      ...['s3:ListMultipartUploadParts', 's3:PutObject', 's3:PutObjectTagging'],
    ]);
    expect(JSON.stringify(statements.map(({ Resource }) => Resource))).not.toMatch(/[*?$]/);
  });

  it('uses the key through S3 only, for this bucket and recording', () => {
    const kms = statementsOf(all).find(({ Action }) => Action.includes('kms:Decrypt'));
    expect(kms!.Condition).toEqual({
      StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' },
      StringLike: {
        'kms:EncryptionContext:aws:s3:arn': [
          'arn:aws:s3:::acme-recordings',
          `arn:aws:s3:::acme-recordings/${keyPrefix}*`,
        ],
      },
    });
  });

  it('sets no other tags, and no other source of events', () => {
    const statements = statementsOf(all);
    expect(statements.find(({ Action }) => Action === 's3:PutObjectTagging')!.Condition).toEqual({
      'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['channel', 'case'] },
    });
    expect(statements.find(({ Action }) => Action === 'events:PutEvents')).toMatchObject({
      Resource: all.eventBusArn,
      Condition: { StringEquals: { 'events:source': 'sightline' } },
    });
  });

  it('names the partition of the role', () => {
    const [first] = statementsOf({ ...all, roleArn: 'arn:aws-us-gov:iam::123456789012:role/uploads' });
    expect(first!.Resource).toContain(`arn:aws-us-gov:s3:::acme-recordings/${keys[0]}`);
  });

  it('stays within STS’s limit with the longest folders, still for one recording', () => {
    const long = keys.map((key) => `${'f'.repeat(400)}/${key}`);
    const [first] = statementsOf(all, long);
    expect(first!.Resource).toEqual([`arn:aws:s3:::acme-recordings/${keyPrefix}*`]);
  });
});
