// S3-compatible stores for the sink's tests: our strict stand-in, and moto where Python has it. Each is known by its
// address, its keys, and a look at what it holds through the real SDK.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { endWithUs } from './process.ts';
import { startS3Server, TEST_KEY, type S3Server } from './s3Server.ts';

export const BUCKET = 'recordings';
export const REGION = 'eu-west-1';
export const KMS_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';

export interface StoredRecording {
  readonly key: string;
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string | null;
  readonly kmsKeyId: string | null;
  readonly bucketKey: boolean;
}

export interface S3Store {
  readonly name: string;
  readonly endpoint: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  /** The stand-in itself; null for other stores. */
  readonly strict: S3Server | null;
  objects(): Promise<StoredRecording[]>;
  /** How many multipart uploads are open. */
  openUploads(): Promise<number>;
  stop(): Promise<void>;
}

export async function startStrictStore(
  options: { listPartsPage?: number; clock?: () => number } = {},
): Promise<S3Store> {
  const strict = await startS3Server({ buckets: [BUCKET], region: REGION, kmsKeys: [KMS_KEY], ...options });
  return {
    name: 'our strict stand-in',
    endpoint: strict.endpoint,
    credentials: TEST_KEY,
    strict,
    objects: () =>
      Promise.resolve(
        strict.objects(BUCKET).map((one) => ({
          ...{ key: one.key, bytes: one.bytes, metadata: one.metadata, tags: one.tags },
          ...{ storageClass: one.storageClass, kmsKeyId: one.kmsKeyId, bucketKey: one.bucketKey },
        })),
      ),
    openUploads: () => Promise.resolve(strict.uploads(BUCKET).length),
    stop: () => strict.close(),
  };
}

/** null where it is not installed (`pip install "moto[server,s3]"`). */
export async function startMoto(): Promise<S3Store | null> {
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  endWithUs(child);
  const exited = once(child, 'exit');
  child.once('error', () => undefined);
  const endpoint = `http://127.0.0.1:${port}`;
  const isUp = await answers(endpoint, child.stderr);
  if (!isUp) {
    child.kill();
    return null;
  }
  const client = clientOf(endpoint);
  await client.send(
    new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  client.destroy();
  return {
    name: 'moto',
    endpoint,
    credentials: TEST_KEY,
    strict: null,
    ...lookingAt(endpoint),
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** Resolves when the server says that it runs; false when it ends before. */
async function answers(endpoint: string, stderr: NodeJS.ReadableStream): Promise<boolean> {
  const said = new Promise<boolean>((resolve) => {
    stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Running on')) resolve(true);
    });
    stderr.on('end', () => resolve(false));
  });
  if (!(await said)) return false;
  return (await fetch(endpoint)).status < 500;
}

function clientOf(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: REGION, forcePathStyle: true, credentials: TEST_KEY });
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
