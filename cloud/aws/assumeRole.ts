// sts:AssumeRole by the AWS SDK. Region, endpoint and FIPS are the SDK's own environment variables.

import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Credentials, RoleRequest } from '../broker/broker.ts';

/** The recorder waits 10 s for the whole answer (docs/s3.md). */
const TIMEOUT_MS = 6000;

export function stsRole(
  client = new STSClient({ maxAttempts: 2 }),
): (request: RoleRequest) => Promise<Credentials> {
  return async ({ roleArn, sessionName, policy, durationSeconds }) => {
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      Policy: policy,
      DurationSeconds: durationSeconds,
    });
    const { Credentials: given } = await client.send(command, {
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || Expiration === undefined)
      throw new Error('STS answered without credentials.');
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  };
}
