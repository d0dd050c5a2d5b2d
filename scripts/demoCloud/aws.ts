// The AWS of `npm run demo:cloud`: moto's server on the loopback, with resources/aws/sightline.yml deployed in it. Its requests are signed
// with anything: moto verifies no signature.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { EXAMPLE } from '../../test/rig/aws/example.ts';
import { NOT_IN_MOTO } from '../../test/rig/aws/inMoto.ts';
import { Deployment } from '../../test/rig/aws/template.ts';
import { freePort } from '../../test/rig/freePort.ts';
import { endWithUs } from '../../test/rig/process.ts';
import { cfnFolders } from '../s3Stores.mjs';

export const REGION = 'eu-central-1';
const STACK = 'sightline';
const START_MS = 60_000;
/** Of a zip archive with nothing in it: the functions run here, not in moto. */
const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

export interface LocalAws {
  readonly endpoint: string;
  /** Logical to physical names of what the stack created. */
  readonly names: Readonly<Record<string, string>>;
  /** What the template has and moto's CloudFormation does not know, as types. */
  readonly missing: readonly string[];
  /** The settings that the template gives the broker's function. */
  readonly brokerVariables: Readonly<Record<string, string>>;
  readonly bus: string;
  readonly logGroup: string;
  objects(): Promise<StoredObject[]>;
  /** Messages of the events' log group. */
  logged(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly encryption: string;
  readonly kmsKeyId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly versionId: string;
}

/** @throws Error that says what is missing */
export async function startAws(instanceArn: string): Promise<LocalAws> {
  const folders = cfnFolders();
  if (folders === null)
    throw new Error('moto is missing. Run `npm run demo:cloud`, which fetches it (Python, pip).');
  const port = await freePort();
  const moto = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONPATH: folders.join(delimiter) },
  });
  endWithUs(moto);
  const exited = once(moto, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  await untilAnswers(endpoint);
  const s3 = new S3Client({
    ...{ endpoint, region: REGION, forcePathStyle: true, maxAttempts: 3 },
    credentials: { accessKeyId: 'ADMIN', secretAccessKey: 'secret' },
  });
  const parameters = {
    ...EXAMPLE,
    InstanceArn: instanceArn,
    UploadTagKeys: 'channel',
    Location: 'yes',
    Link: 'yes',
    Relay: 'yes',
  };
  const { CodeBucket = '', CodePrefix = '', BucketName = '' } = EXAMPLE;
  const inRegion = { CreateBucketConfiguration: { LocationConstraint: REGION } } as const;
  await s3.send(new CreateBucketCommand({ Bucket: CodeBucket, ...inRegion }));
  for (const name of ['broker', 'relay', 'location', 'link'])
    await s3.send(
      new PutObjectCommand({ Bucket: CodeBucket, Key: `${CodePrefix}${name}.zip`, Body: EMPTY_ZIP }),
    );
  const deployment = new Deployment(parameters);
  const names = await createStack(endpoint, deployment.decided(NOT_IN_MOTO), parameters);
  // moto's CloudFormation sets a bucket's encryption only. Not the bucket's policy: moto denies by it without looking at its conditions.
  const resources = deployment.resources();
  await s3.send(
    new PutBucketVersioningCommand({
      Bucket: BucketName,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  const types = Object.values(resources).map(({ Type }) => Type);
  const settings = (await ask(
    endpoint,
    'lambda',
    '/2015-03-31/functions/sightline-broker/configuration',
  )) as {
    Environment: { Variables: Record<string, string> };
  };
  const logGroup = `/aws/events/${STACK}-screen-recordings`;
  return {
    ...{ endpoint, names, logGroup, bus: `${STACK}-screen-recordings` },
    missing: [...new Set(types)].filter((type) => NOT_IN_MOTO.includes(type)),
    brokerVariables: settings.Environment.Variables,
    objects: () => objectsOf(s3, BucketName),
    async logged() {
      const found = (await ask(endpoint, 'logs', '/', {
        target: 'Logs_20140328.FilterLogEvents',
        body: JSON.stringify({ logGroupName: logGroup }),
      })) as { events: { message: string }[] };
      return found.events.map(({ message }) => message);
    },
    async stop() {
      s3.destroy();
      moto.kill();
      await exited;
    },
  };
}

async function untilAnswers(endpoint: string): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const status = await fetch(endpoint).then(
      (answer) => answer.status,
      () => null,
    );
    if (status !== null && status < 500) return;
    await sleep(50);
  }
  throw new Error('moto did not start within a minute.');
}

async function createStack(
  endpoint: string,
  template: unknown,
  parameters: Readonly<Record<string, string>>,
) {
  const form = new URLSearchParams({
    Action: 'CreateStack',
    Version: '2010-05-15',
    StackName: STACK,
    TemplateBody: JSON.stringify(template),
  });
  form.set('Capabilities.member.1', 'CAPABILITY_IAM');
  for (const [index, [name, value]] of Object.entries(parameters).entries()) {
    form.set(`Parameters.member.${index + 1}.ParameterKey`, name);
    form.set(`Parameters.member.${index + 1}.ParameterValue`, value);
  }
  await ask(endpoint, 'cloudformation', '/', { body: form });
  const listed = new URLSearchParams({
    Action: 'DescribeStackResources',
    Version: '2010-05-15',
    StackName: STACK,
  });
  const xml = String(await ask(endpoint, 'cloudformation', '/', { body: listed }));
  const members = xml
    .split('<member>')
    .map((text) =>
      [/<LogicalResourceId>([^<]+)/, /<PhysicalResourceId>([^<]+)/].map((part) => part.exec(text)?.[1] ?? ''),
    );
  return Object.fromEntries(members.filter(([logical]) => logical !== '')) as Record<string, string>;
}

/** @returns what JSON says, or text. @throws Error with moto's words */
async function ask(
  endpoint: string,
  service: string,
  path: string,
  { target, body }: { target?: string; body?: string | URLSearchParams } = {},
): Promise<unknown> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const scope = `Credential=ADMIN/${day}/${REGION}/${service}/aws4_request`;
  const response = await fetch(`${endpoint}${path}`, {
    headers: {
      authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=none`,
      ...(target === undefined
        ? {}
        : { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`moto (${service}) answered ${response.status}: ${text.slice(0, 500)}`);
  return text.startsWith('{') ? JSON.parse(text) : text;
}

async function objectsOf(s3: S3Client, Bucket: string): Promise<StoredObject[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Promise.all(
    Contents.map(async ({ Key = '' }) => {
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
      return {
        key: Key,
        bytes: Buffer.from((await Body?.transformToByteArray()) ?? []),
        encryption: head.ServerSideEncryption ?? 'none',
        kmsKeyId: head.SSEKMSKeyId ?? 'none',
        tags: Object.fromEntries(TagSet.map((tag) => [tag.Key ?? '', tag.Value ?? ''])),
        versionId: head.VersionId ?? 'none',
      };
    }),
  );
}
