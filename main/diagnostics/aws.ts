// AWS as the checks see it: credentials, regions, endpoints, and every host outside this machine that policy names.

import { s3SettingsOf } from '../publisher/s3/settings.ts';
import { authUrlOf } from '../server/authentication.ts';
import type { Policy } from '../policy/keys.ts';
import { S3Calls } from '../publisher/s3/s3Client.ts';
import { Throttle } from '../publisher/s3/throttle.ts';
import type { CheckContext } from './context.ts';

export interface FoundCredentials {
  /** `environment`, `an assumed role, profile acme` */
  readonly source: string;
  /** Without a session token: valid until revoked. */
  readonly areLongLived: boolean;
  /** null when unknown, or never. */
  readonly expiresAt: Date | null;
}

/** The AWS SDK's names for its sources. https://github.com/aws/aws-sdk-js-v3, packages/types `$source` */
const sources: readonly (readonly [string, string])[] = [
  ['CREDENTIALS_ENV_VARS', 'environment'],
  ['CREDENTIALS_SSO', 'a sign-on (IAM Identity Center)'],
  ['CREDENTIALS_PROFILE_SSO', 'a sign-on (IAM Identity Center)'],
  ['CREDENTIALS_PROCESS', 'a program ("credential_process")'],
  ['CREDENTIALS_PROFILE_PROCESS', 'a program ("credential_process")'],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'an assumed role'],
  ['CREDENTIALS_HTTP', "the container's endpoint"],
  ['CREDENTIALS_IMDS', "the instance's metadata"],
  ['CREDENTIALS_PROFILE', "AWS's shared files"],
];

/** @throws the AWS SDK's error when there are none */
export async function findCredentials(policy: Policy): Promise<FoundCredentials> {
  const settings = s3SettingsOf({ ...policy, s3Bucket: policy.s3Bucket ?? 'none' });
  const calls = await S3Calls.open(settings, new Throttle(), null);
  try {
    const { sessionToken, expiration, ...found } = await calls.credentials();
    const marks = '$source' in found ? Object.keys(found.$source as object) : [];
    const source = sources.find(([mark]) => marks.includes(mark))?.[1] ?? "the AWS SDK's default chain";
    return {
      source: policy.awsProfile === null ? source : `${source}, profile ${policy.awsProfile}`,
      areLongLived: sessionToken === undefined,
      expiresAt: expiration ?? null,
    };
  } catch (error) {
    // The AWS SDK's own error: ours is about a recording that could not be uploaded.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  } finally {
    calls.close();
  }
}

function endpointOf(service: string, { policy, environment }: PolicyAndEnvironment): string | null {
  const inArn = /^arn:aws[\w-]*:events:([a-z0-9-]+):/.exec(policy.eventBusName ?? '')?.[1];
  const region = policy.awsRegion ?? inArn ?? environment.AWS_REGION;
  if (region === undefined) return null;
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
}

type PolicyAndEnvironment = Pick<CheckContext, 'policy' | 'environment'>;

/** null when no region is known. */
export function eventBridgeUrl(context: PolicyAndEnvironment): string | null {
  return context.policy.eventBridgeEndpoint ?? endpointOf('events', context);
}

/** Hosts outside this machine that Sightline connects to; `AWS` where no region is known. */
export function outsideHosts(context: PolicyAndEnvironment): string[] {
  const { sink, s3Bucket, s3Endpoint, brokerUrl, auth, eventBusName } = context.policy;
  const urls = [
    ...(sink === 's3' ? [s3Endpoint ?? endpointOf(`${s3Bucket ?? ''}.s3`, context)] : []),
    ...(sink === 's3' && brokerUrl !== null ? [brokerUrl] : []),
    ...(auth === 'endpoint' ? [authUrlOf(context.policy)] : []),
    ...(eventBusName === null ? [] : [eventBridgeUrl(context)]),
  ];
  const hosts = urls.map((url) => (url !== null && URL.canParse(url) ? new URL(url).hostname : 'AWS'));
  return [...new Set(hosts)].filter((host) => !['127.0.0.1', '[::1]', 'localhost'].includes(host));
}
