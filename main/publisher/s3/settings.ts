// The S3 sink's settings, from policy.

import type { Policy } from '../../policy/keys.ts';

export interface S3Settings {
  readonly bucket: string;
  /** null: as the SDK finds it. */
  readonly region: string | null;
  /** For compatible stores; null: AWS. */
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  readonly profile: string | null;
  /** null: the bucket's default encryption. */
  readonly kmsKeyId: string | null;
  readonly storageClass: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** How long a connection may be idle. */
  readonly idleTimeoutMs: number;
  /** How long a whole request may take, without the time for its body. */
  readonly requestTimeoutMs: number;
}

export function s3SettingsOf(policy: Policy): S3Settings {
  return {
    bucket: policy.s3Bucket ?? '',
    region: policy.awsRegion,
    endpoint: policy.s3Endpoint,
    pathStyle: policy.s3PathStyle,
    profile: policy.awsProfile,
    kmsKeyId: policy.s3KmsKeyId,
    storageClass: policy.s3StorageClass,
    tags: tagsOf(policy.s3Tags),
    idleTimeoutMs: 30_000,
    requestTimeoutMs: 120_000,
  };
}

/** @param list `name=value` each, as the policy's schema ensures */
function tagsOf(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((tag) => {
      const at = tag.indexOf('=');
      return [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}
