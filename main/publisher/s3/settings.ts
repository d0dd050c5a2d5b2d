// The S3 sink's settings, from policy.

import type { Policy } from '../../policy/keys.ts';
import { tagsFor } from '../objectKey.ts';

export type S3Settings = Readonly<ReturnType<typeof s3SettingsOf>>;

export function s3SettingsOf(policy: Policy) {
  return {
    bucket: policy.s3Bucket ?? '',
    /** null: as the SDK finds it. */
    region: policy.awsRegion,
    /** For compatible stores; null: AWS. */
    endpoint: policy.s3Endpoint,
    pathStyle: policy.s3PathStyle,
    profile: policy.awsProfile,
    /** null: the bucket's default encryption. */
    kmsKeyId: policy.s3KmsKeyId,
    storageClass: policy.s3StorageClass,
    /** Of the health check's object; every recording has its own values (objectKey.ts). */
    tags: tagsFor(policy.s3Tags, () => ''),
    /** How long a connection may be idle. */
    idleTimeoutMs: 30_000,
    /** How long a whole request may take, without the time for its body. */
    requestTimeoutMs: 120_000,
  };
}
