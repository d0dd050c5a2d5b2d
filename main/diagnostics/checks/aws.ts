// Whether recordings and status events reach AWS: credentials (which are never shown), the sink bucket, EventBridge.

import { readdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { hostOf } from '../../platform/limits.ts';
import { redactUrl } from '../../platform/redact.ts';
import { keyPrefixFor } from '../../publisher/objectKey.ts';
import { S3Calls } from '../../publisher/s3/s3Client.ts';
import { tryS3 } from '../../publisher/s3/s3Trial.ts';
import { s3SettingsOf } from '../../publisher/s3/settings.ts';
import { Throttle } from '../../publisher/s3/throttle.ts';
import { authUrlOf } from '../../server/authentication.ts';
import { EVENT_BRIDGE_FAILED, EVENT_BRIDGE_RECOVERED } from '../../shared/names.ts';
import { counted, failed, ok, orFailed, skipped, warning, type Finding } from '../check.ts';
import type { CheckContext, Servers } from '../context.ts';
import { readLogLines } from '../files.ts';

type PolicyAndEnvironment = Pick<CheckContext, 'policy' | 'environment'>;

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
async function findCredentials({
  policy,
  network,
}: Pick<CheckContext, 'policy' | 'network'>): Promise<FoundCredentials> {
  const settings = s3SettingsOf({ ...policy, s3Bucket: policy.s3Bucket ?? 'none' });
  const calls = await S3Calls.open(settings, new Throttle(), null, network);
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

/** The credentials with which recordings and events go to AWS, and whether there are any now. */
export async function credentialsCheck(
  context: Pick<CheckContext, 'policy' | 'network' | 'servers'>,
): Promise<Finding> {
  const { policy, servers } = context;
  const { sink, brokerUrl, eventBusName } = policy;
  if (sink === 's3' && brokerUrl !== null) {
    const host = hostOf(brokerUrl);
    return orFailed(
      `the broker ${host} cannot be reached: `,
      'Check that it runs, that this computer reaches it, that "brokerUrl" in Sightline\'s policy is its address, and that its certificate is valid.',
      async () => judgeBroker(host, await servers.ask('the broker', brokerUrl, 'POST')),
    );
  }
  if (sink !== 's3' && eventBusName === null) return skipped('nothing is sent to AWS');
  return orFailed(
    'no credentials for AWS: ',
    'Without them nothing reaches AWS. Where "awsProfile" in Sightline\'s policy names a sign-on, have the agent sign in again ' +
      '(aws sso login). Otherwise set "brokerUrl" or "awsProfile" there, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the agent.',
    async () => judgeCredentials(await findCredentials(context), Date.now()),
  );
}

export function judgeCredentials(
  { source, areLongLived, expiresAt }: FoundCredentials,
  now: number,
): Finding {
  if (expiresAt !== null && expiresAt.getTime() <= now)
    return failed(
      `from ${source}, expired at ${expiresAt.toISOString()}`,
      'Sign in to AWS again, or renew the keys where they come from.',
    );
  if (areLongLived)
    return warning(
      `from ${source}, without an expiry`,
      'A copy of such keys stays valid until they are revoked: remove them from this computer. Configure in Sightline\'s policy a broker, your own service that issues short-lived ones ("brokerUrl"), or a sign-on ("awsProfile").',
    );
  return ok(`from ${source}${expiresAt === null ? '' : `, until ${expiresAt.toISOString()}`}`);
}

/** @param status of its answer to a request without a token */
export function judgeBroker(host: string, status: number): Finding {
  const evidence = `the broker ${host} answered ${status} to a request without a token`;
  switch (status) {
    case 401:
      return ok(evidence);
    case 200:
      return failed(
        evidence,
        "It issues credentials without authentication. Have its operator check the agent's token, and answer 401 when there is none.",
      );
    case 403:
      return warning(
        evidence,
        'Have its operator change the answer to 401: then Sightline waits until an agent has signed in. After a 403 it does not.',
      );
    default:
      return warning(
        evidence,
        'It should answer 401. Check that "brokerUrl" in Sightline\'s policy is right, and that no proxy answers in its place.',
      );
  }
}

/** Stands in for `<alias>` in "keyPrefix" where the alias is not known, and for all other placeholders. */
const STAND_IN = 'sightline-doctor';
/** The AWS SDK's errors when it finds no credentials: S3 was not asked then. */
const NO_CREDENTIALS = /^(Credentials|Token)ProviderError\b/;

/** Where the checks' object is in the bucket. */
export function trialPlace({ policy, instanceAlias }: Pick<CheckContext, 'policy' | 'instanceAlias'>) {
  return {
    prefix: keyPrefixFor(policy.keyPrefix, (name) =>
      name === 'alias' ? (instanceAlias ?? policy.instanceAlias ?? STAND_IN) : STAND_IN,
    ).join('/'),
    machine: `${hostname()} ${userName()}`,
  };
}

/** Puts, verifies and deletes a small object in the bucket. */
export async function sinkBucketCheck({
  policy,
  instanceAlias,
  network,
  servers,
}: Pick<CheckContext, 'policy' | 'instanceAlias' | 'network' | 'servers'>): Promise<Finding> {
  if (policy.brokerUrl !== null)
    return skipped('the broker issues credentials only for an agent’s token and for the name of a recording');
  const place = trialPlace({ policy, instanceAlias });
  const result = await tryS3({
    settings: s3SettingsOf(policy),
    ...place,
    network,
    onDate: (date) => servers.noteDate('S3', date),
  });
  if (result.kind === 'put') {
    const evidence = `${result.location} was put and its checksum confirmed (${result.encryption})`;
    return result.problem === null ? ok(`${evidence}, then deleted`) : warning(evidence, result.problem);
  }
  const { said, remedy } = result;
  if (NO_CREDENTIALS.test(said))
    return failed(said, 'Do what the check "credentials" says, and run this again.');
  const isStandIn = place.prefix.includes(STAND_IN);
  if (!isStandIn || !said.startsWith('AccessDenied')) return failed(said, remedy);
  // Credentials can be limited to the prefix of one instance.
  return failed(
    said,
    `${remedy} If they are valid for one instance only, set "instanceAlias" in Sightline's policy and run this again: ` +
      `"${STAND_IN}" stood in for it, and for what only a contact tells, in the name that was tried.`,
  );
}

/** In a container the user id may have no account (getpwuid(3)). */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/**
 * Whether status events can reach EventBridge. Reading a bus needs another permission than putting events on it, so this asks only
 * for an answer, and reports the last attempt.
 */
export async function eventBridgeCheck(
  context: Pick<CheckContext, 'policy' | 'network' | 'environment' | 'live'> & {
    readonly servers: Pick<Servers, 'ask'>;
  },
): Promise<Finding> {
  const { policy, servers, live } = context;
  if (policy.eventBusName === null) return skipped('no "eventBusName" is set: events are not sent to AWS');
  const names = await readdir(join(policy.dataDir, 'outbox')).catch(() => []);
  const pending = names.filter((name) => /^\d+\.json$/.test(name)).length;
  const state = `${counted(pending, 'event')} pending for ${policy.eventBusName}`;
  const resumes = 'Pending events are then sent automatically.';
  const reach = async (): Promise<Finding> => {
    const url = eventBridgeUrl(context);
    const endpoint = url === null ? 'EventBridge' : redactUrl(url);
    return orFailed(
      `${state}; ${endpoint} does not answer: `,
      `Check that this computer reaches that address, and that "awsRegion" and "eventBridgeEndpoint" are right in Sightline's policy. ${resumes}`,
      async () => {
        if (url === null) throw new Error('no region is known: set "awsRegion"');
        await servers.ask('EventBridge', url, 'GET');
        const logs = join(policy.dataDir, 'logs');
        const problem = live === null ? await problemInLog(logs) : live.eventBridgeProblem();
        if (problem === null) return ok(`${state}; ${endpoint} answers`);
        return warning(
          `${state}; ${endpoint} answers; the last attempt: ${problem}`,
          `If AWS rejected it, give the credentials the permission events:PutEvents for that event bus, and check that a bus of that name exists in that region. ${resumes}`,
        );
      },
    );
  };
  const remedy = `Do what the check "credentials" says. ${resumes}`;
  return orFailed(`${state}; no credentials for AWS: `, remedy, async () => {
    await findCredentials(context);
    return reach();
  });
}

/** From the log lines of the sender (status/eventBridge.ts). */
async function problemInLog(folder: string): Promise<string | null> {
  let problem: string | null = null;
  await readLogLines(folder, ({ event, time, code, reason }) => {
    if (event === EVENT_BRIDGE_RECOVERED) problem = null;
    if (event === EVENT_BRIDGE_FAILED)
      problem = `${time} ${typeof code === 'string' ? code : ''}: ${typeof reason === 'string' ? reason : ''}`;
  });
  return problem;
}

/** null when no region is known. */
function eventBridgeUrl(context: PolicyAndEnvironment): string | null {
  return context.policy.eventBridgeEndpoint ?? endpointOf('events', context);
}

function endpointOf(service: string, { policy, environment }: PolicyAndEnvironment): string | null {
  const inArn = /^arn:aws[\w-]*:events:([a-z0-9-]+):/.exec(policy.eventBusName ?? '')?.[1];
  const region = policy.awsRegion ?? inArn ?? environment.AWS_REGION;
  if (region === undefined) return null;
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
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
