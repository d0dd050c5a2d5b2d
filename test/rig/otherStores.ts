// S3 stores that we did not write, as the set-up fetched them (scripts/s3Stores.mjs), each a process on the loopback. Where they
// differ from S3 is in docs/s3.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { motoFolder, s3MockJar } from '../../scripts/s3Stores.mjs';
import { freePort } from './freePort.ts';
import { endWithUs } from './process.ts';
import { TEST_KEY } from './s3Server.ts';
import { BUCKET, KMS_KEY, REGION, type S3Store, type StoredRecording } from './s3Store.ts';

/** Of the JVM, on a busy machine. */
const START_MS = 60_000;

/** null where the set-up could not fetch it. */
export async function startMoto(): Promise<S3Store | null> {
  const folder = motoFolder();
  if (folder === null) return null;
  const port = await freePort();
  return startProcess('moto', port, {
    command: ['python3', '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    environment: { PYTHONPATH: folder },
    kmsKey: KMS_KEY,
  });
}

/** null where the set-up could not fetch it, or Java is missing. */
export async function startS3Mock(): Promise<S3Store | null> {
  const jar = s3MockJar();
  if (jar === null) return null;
  const port = await freePort();
  const own = 'com.adobe.testing.s3mock.store';
  const store = await startProcess('Adobe S3Mock', port, {
    command: [
      // Starts faster, and is not used for long.
      ...['java', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-jar', jar],
      ...['--server.address=127.0.0.1', `--server.port=${port}`, '--server.ssl.enabled=false'],
      // It insists on a second port.
      '--http.port=0',
      ...[`--${own}.region=${REGION}`, `--${own}.valid-kms-keys=${KMS_KEY}`],
    ],
    // It knows keys by their id only.
    kmsKey: KMS_KEY.replace(/^.*\//, ''),
  });
  if (store === null) return null;
  const front = await withoutAlgorithm(store.endpoint);
  return {
    ...store,
    endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    async stop() {
      front.close();
      front.closeAllConnections();
      await store.stop();
    },
  };
}

/**
 * Hands everything on except x-amz-sdk-checksum-algorithm. S3 ignores that header where the checksum is a header, too. S3Mock then
 * looks for the checksum behind the body only, while moto answers with checksums only if the header is there.
 */
async function withoutAlgorithm(endpoint: string): Promise<Server> {
  const server = createHttpServer((incoming, answer) => {
    const { 'x-amz-sdk-checksum-algorithm': _, expect: __, ...headers } = incoming.headers;
    const { method = 'GET', url = '/' } = incoming;
    const outgoing = httpRequest(`${endpoint}${url}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function startProcess(
  name: string,
  port: number,
  options: { command: readonly string[]; environment?: Record<string, string>; kmsKey: string },
): Promise<S3Store | null> {
  const [file = '', ...args] = options.command;
  const child = spawn(file, args, { stdio: 'ignore', env: { ...process.env, ...options.environment } });
  endWithUs(child);
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => false);
  const endpoint = `http://127.0.0.1:${port}`;
  if (!(await Promise.race([answers(endpoint), ended]))) {
    child.kill();
    return null;
  }
  const client = clientOf(endpoint);
  await client.send(
    new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  client.destroy();
  return {
    ...{ name, endpoint, credentials: TEST_KEY, kmsKey: options.kmsKey, strict: null },
    ...lookingAt(endpoint),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const status = await fetch(endpoint).then(
      (answer) => answer.status,
      () => null,
    );
    if (status !== null) return status < 500;
    await sleep(50);
  }
  return false;
}

export function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: TEST_KEY,
    // A busy server may close a connection that was kept open.
    maxAttempts: 3,
  });
}

function lookingAt(endpoint: string): Pick<S3Store, 'objects' | 'openUploads'> {
  return {
    async objects() {
      const client = clientOf(endpoint);
      const found = await Promise.all((await listed(client)).map((key) => lookAt(client, key)));
      client.destroy();
      return found;
    },
    async openUploads() {
      const client = clientOf(endpoint);
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      client.destroy();
      return Uploads.length;
    },
  };
}

async function listed(client: S3Client): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
}

async function lookAt(client: S3Client, key: string): Promise<StoredRecording> {
  const place = { Bucket: BUCKET, Key: key };
  const head = await client.send(new HeadObjectCommand(place));
  const { Body } = await client.send(new GetObjectCommand(place));
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(place));
  return {
    key,
    bytes: Buffer.from((await Body?.transformToByteArray()) ?? []),
    metadata: head.Metadata ?? {},
    tags: Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value])),
    storageClass: head.StorageClass ?? null,
    kmsKeyId: head.SSEKMSKeyId ?? null,
    bucketKey: head.BucketKeyEnabled ?? false,
  };
}
