// The session policy of one recording's credentials. Together with the role's own policy it is the most that they can do.
// What each statement is for is in docs/aws-services.md.

import type { BrokerSettings } from '../settings.ts';

export interface PolicyQuestion {
  readonly bucket: string;
  readonly keyPrefix: string;
  readonly keys: readonly string[];
}

/** STS's limit of a session policy, in characters (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). */
const MAX_CHARACTERS = 2048;

type Statement = Readonly<Record<string, unknown>>;

/** @returns JSON of at most 2,048 characters */
export function sessionPolicy(question: PolicyQuestion, settings: PolicySettings): string {
  const exact = write(question.keys, question, settings);
  if (exact.length <= MAX_CHARACTERS) return exact;
  // Very long folders. The prefix ends with contact and second, so this is still one recording.
  return write([`${question.keyPrefix}*`], question, settings);
}

export type PolicySettings = Pick<
  BrokerSettings,
  'kmsKeyArn' | 'eventBusArn' | 'tagKeys' | 'allowHead' | 'roleArn'
>;

function write(
  keys: readonly string[],
  { bucket, keyPrefix }: PolicyQuestion,
  settings: PolicySettings,
): string {
  const { kmsKeyArn, eventBusArn, tagKeys, allowHead, roleArn } = settings;
  const partition = roleArn.split(':')[1] ?? 'aws';
  const bucketArn = `arn:${partition}:s3:::${bucket}`;
  const resources = keys.map((key) => `${bucketArn}/${key}`);
  const statements: Statement[] = [
    {
      Effect: 'Allow',
      // Resuming needs the parts that are there; an upload with the wrong encryption is aborted.
      Action: [
        's3:PutObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
        ...(allowHead ? ['s3:GetObject'] : []),
      ],
      Resource: resources,
    },
  ];
  if (tagKeys.length > 0)
    statements.push({
      Effect: 'Allow',
      Action: 's3:PutObjectTagging',
      Resource: resources,
      Condition: { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': tagKeys } },
    });
  if (kmsKeyArn !== null)
    statements.push({
      Effect: 'Allow',
      // S3 needs Decrypt for the parts of a multipart upload.
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: kmsKeyArn,
      Condition: {
        StringEquals: { 'kms:ViaService': s3Service(kmsKeyArn) },
        // With a bucket key the context is the bucket, without one the object.
        StringLike: { 'kms:EncryptionContext:aws:s3:arn': [bucketArn, `${bucketArn}/${keyPrefix}*`] },
      },
    });
  if (eventBusArn !== null)
    statements.push({
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: eventBusArn,
      Condition: { StringEquals: { 'events:source': 'sightline' } },
    });
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** As `kms:ViaService` names S3 in the key's region. */
function s3Service(kmsKeyArn: string): string {
  const [, partition, , region] = kmsKeyArn.split(':');
  return `s3.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}
