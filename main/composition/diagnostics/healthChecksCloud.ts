// The health checks' way outside: credentials, sink, broker, EventBridge, the time that their answers tell, proxies. All
// that is asked is what policy names; without a bucket, a broker and a bus nothing leaves this machine.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckSubjects } from '../../diagnostics/checks.ts';
import { authUrlOf } from '../../server/authentication.ts';
import type { FoundCredentials } from '../../diagnostics/checks/credentials.ts';
import { readLogLines } from '../../diagnostics/logLines.ts';
import type { ResolveProxy } from '../../diagnostics/network/proxy.ts';
import { proxyFromAnswer } from '../../diagnostics/network/proxy.ts';
import { s3SettingsOf } from '../deliveries.ts';
import type { Question } from '../../platform/ask.ts';
import { ask } from '../../platform/ask.ts';
import { MAX_ANSWER_BYTES, hostOf } from '../../platform/limits.ts';
import { redactUrl } from '../../platform/redact.ts';
import type { RunTool } from '../../platform/runTool.ts';
import { readSystemProxy } from '../../platform/systemProxy.ts';
import { readTimeService } from '../../platform/timeService.ts';
import type { Policy } from '../../policy/keys.ts';
import { S3Calls } from '../../publisher/s3/s3Client.ts';
import { SinkIdentity } from '../../publisher/sinkIdentity.ts';
import { tryS3 } from '../../publisher/s3/s3Trial.ts';
import { Throttle } from '../../publisher/s3/throttle.ts';

export interface CloudOptions {
  readonly policy: Policy;
  readonly run: RunTool;
  readonly instanceAlias: string | null;
  readonly resolveProxy: ResolveProxy | null;
  readonly machine: string;
  /** Of EventBridge, from inside; null: the log tells. */
  readonly lastProblem: (() => string | null) | null;
}

const ANSWER_WITHIN_MS = 10_000;
/** A Date header has whole seconds, and was on its way for a while. */
const TOLERANCE_MS = 1500;

/** Credentials may be good for one instance's prefix only, and be right all the same. */
const STAND_IN =
  'If they are good for one instance only, set "instanceAlias" in Sightline\'s policy and run this again: "sightline-doctor" ' +
  'stood in for it in the name that was tried.';
/** What the SDK throws when it finds none: S3 was not asked then. */
const NO_CREDENTIALS = /^(Credentials|Token)ProviderError\b/;

type CloudSubjects = Pick<
  CheckSubjects,
  'pageAuth' | 'credentials' | 'sink' | 'clock' | 'proxy' | 'eventBridge'
>;

export function cloudSubjects(options: CloudOptions): CloudSubjects {
  const { policy, run } = options;
  const settings = policy.sink === 's3' ? s3SettingsOf(policy) : null;
  let told: { by: string; offsetMs: number } | null = null;
  const tell = (by: string, date: string | null): void => {
    const theirs = Date.parse(date ?? '');
    if (!Number.isNaN(theirs)) told = { by, offsetMs: Date.now() - (theirs + 500) };
  };
  const askFor = async (by: string, url: string, method: Question['method']): Promise<number> => {
    const post = { headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const { status, date } = await ask(url, {
      ...(method === 'POST' ? post : {}),
      ...{ method, timeoutMs: ANSWER_WITHIN_MS, maxAnswerBytes: MAX_ANSWER_BYTES },
    });
    tell(by, date);
    return status;
  };
  const find = (): Promise<FoundCredentials> => findCredentials(policy);
  const { brokerUrl } = policy;
  const authUrl = authUrlOf(policy);
  return {
    pageAuth:
      policy.auth === 'origin'
        ? null
        : {
            host: authUrl === null ? null : new URL(authUrl).host,
            ask: () => askFor('the authentication endpoint', authUrl ?? '', 'POST'),
          },
    credentials: credentialsOf(policy, find, (url) => askFor('the broker', url, 'POST')),
    sink:
      settings === null
        ? {
            kind: 'folder',
            folder: policy.sinkFolder,
            requireKnown: () => new SinkIdentity(policy.sinkFolder, policy.dataDir).check(),
          }
        : {
            kind: 's3',
            try: async () => {
              if (brokerUrl !== null) {
                return {
                  kind: 'not-tried',
                  why: 'the broker gives credentials for an agent’s token only, and for a recording’s name',
                };
              }
              const { instanceAlias, machine } = options;
              const prefix = prefixOf(policy.keyPrefix, instanceAlias);
              const result = await tryS3({ settings, prefix, machine, onDate: (date) => tell('S3', date) });
              if (result.kind !== 'refused') return result;
              if (NO_CREDENTIALS.test(result.said))
                return { ...result, remedy: 'Do what the check "credentials" says, and run this again.' };
              const isStandIn = instanceAlias === null && policy.keyPrefix.includes('<alias>');
              if (!isStandIn || !result.said.startsWith('AccessDenied')) return result;
              return { ...result, remedy: `${result.remedy} ${STAND_IN}` };
            },
          },
    clock: {
      told: () => Promise.resolve(told === null ? null : { ...told, toleranceMs: TOLERANCE_MS }),
      service: () => readTimeService(process.platform, run),
    },
    proxy: {
      environment: process.env,
      system: () => systemProxy(options),
      hosts: hostsOf(policy),
    },
    eventBridge: eventBridgeOf(options, find, (url) => askFor('EventBridge', url, 'GET')),
  };
}

/** As the desktop would send pages there; where it cannot be asked, as its settings say. */
async function systemProxy({ resolveProxy, policy, run }: CloudOptions): Promise<string | null> {
  const read = (): Promise<string | null> => readSystemProxy(process.platform, run);
  if (resolveProxy === null) return read();
  const hosts = hostsOf(policy);
  const asked = hosts.length > 0 ? hosts : policy.allowedDomains.slice(0, 1);
  const answers = await Promise.all(
    asked.map(async (host) => ({ host, answer: await resolveProxy(`https://${host}/`) })),
  ).catch(() => null);
  if (answers === null) return read();
  const words = answers
    .filter(({ answer }) => proxyFromAnswer(answer).kind !== 'direct')
    .map(({ host, answer }) => `the desktop's proxy for ${host} is ${answer.slice(0, 200)}`);
  return words.length === 0 ? null : words.join('; ');
}

function credentialsOf(
  { sink, brokerUrl, eventBusName }: Policy,
  find: () => Promise<FoundCredentials>,
  askBroker: (url: string) => Promise<number>,
): CheckSubjects['credentials'] {
  if (sink === 's3' && brokerUrl !== null) {
    return { kind: 'broker', host: hostOf(brokerUrl), ask: () => askBroker(brokerUrl) };
  }
  if (sink !== 's3' && eventBusName === null) return { kind: 'not-needed' };
  return { kind: 'chain', find, now: Date.now };
}

/** Words for what the SDK calls its sources. https://github.com/aws/aws-sdk-js-v3, packages/types `$source` */
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

async function findCredentials(policy: Policy): Promise<FoundCredentials> {
  const calls = await S3Calls.open(
    s3SettingsOf({ ...policy, s3Bucket: policy.s3Bucket ?? 'none' }),
    new Throttle(),
    null,
  );
  try {
    const { sessionToken, expiration, ...found } = await calls.credentials();
    const marks = '$source' in found ? Object.keys(found.$source as object) : [];
    const source = sources.find(([mark]) => marks.includes(mark))?.[1] ?? "the AWS SDK's default chain";
    return {
      source: policy.awsProfile === null ? source : `${source}, profile ${policy.awsProfile}`,
      areLasting: sessionToken === undefined,
      expiresAt: expiration ?? null,
    };
  } catch (error) {
    // AWS's own words: ours are about a recording that could not be sent, and there is none.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  } finally {
    calls.close();
  }
}

function prefixOf(keyPrefix: string, instanceAlias: string | null): string {
  const prefix = keyPrefix.replaceAll('<alias>', instanceAlias ?? 'sightline-doctor');
  return prefix.replaceAll(/^\/+|\/+$/g, '');
}

function regionOf({ awsRegion, eventBusName }: Policy): string | null {
  const inName = /^arn:aws[\w-]*:events:([a-z0-9-]+):/.exec(eventBusName ?? '')?.[1];
  return awsRegion ?? inName ?? process.env.AWS_REGION ?? null;
}

function awsUrl(service: string, region: string | null): string {
  if (region === null) return '';
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
}

function hostsOf(policy: Policy): string[] {
  const region = regionOf(policy);
  const urls = [
    ...(policy.sink === 's3' ? [policy.s3Endpoint ?? awsUrl(`${policy.s3Bucket ?? ''}.s3`, region)] : []),
    ...(policy.sink === 's3' && policy.brokerUrl !== null ? [policy.brokerUrl] : []),
    ...(policy.auth === 'endpoint' ? [authUrlOf(policy) ?? ''] : []),
    ...(policy.eventBusName === null ? [] : [policy.eventBridgeEndpoint ?? awsUrl('events', region)]),
  ];
  const hosts = urls.map((url) => (URL.canParse(url) ? new URL(url).hostname : 'AWS'));
  return [...new Set(hosts)].filter((host) => !['127.0.0.1', '[::1]', 'localhost'].includes(host));
}

function eventBridgeOf(
  { policy, lastProblem }: CloudOptions,
  findCredentials: () => Promise<unknown>,
  reach: (url: string) => Promise<number>,
): CheckSubjects['eventBridge'] {
  if (policy.eventBusName === null) return null;
  const endpoint = policy.eventBridgeEndpoint ?? awsUrl('events', regionOf(policy));
  return {
    name: policy.eventBusName,
    endpoint: endpoint === '' ? 'EventBridge' : redactUrl(endpoint),
    reach: () =>
      endpoint === '' ? Promise.reject(new Error('no region is known: set "awsRegion"')) : reach(endpoint),
    findCredentials,
    pending: async () => {
      const names = await readdir(join(policy.dataDir, 'outbox')).catch(() => []);
      return names.filter((name) => /^\d+\.json$/.test(name)).length;
    },
    lastProblem: async () =>
      lastProblem === null ? problemInLog(join(policy.dataDir, 'logs')) : lastProblem(),
  };
}

/** The sender's own lines (status/eventBridge.ts): what went wrong, and that it goes again. */
async function problemInLog(folder: string): Promise<string | null> {
  let problem: string | null = null;
  await readLogLines(folder, ({ message, time, code, reason }) => {
    if (message.startsWith('status events do not reach EventBridge')) {
      problem = `${time} ${typeof code === 'string' ? code : ''}: ${typeof reason === 'string' ? reason : ''}`;
    } else if (message.startsWith('status events reach EventBridge again')) {
      problem = null;
    }
  });
  return problem;
}
