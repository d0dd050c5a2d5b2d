// The calls to S3 that a delivery needs, each with its answer checked. Nothing is tried twice here: the queue does that.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type * as AwsS3 from '@aws-sdk/client-s3';
import type {
  HeadObjectCommandOutput,
  Part as AwsPart,
  S3Client,
  S3ClientConfig,
  StorageClass,
} from '@aws-sdk/client-s3';
import { awsHandler, limitCredentials } from '../../platform/awsHandler.ts';
import { DeliveryError } from '../deliveryError.ts';
import { explainS3, nameOf, statusOf } from './s3Errors.ts';
import { nextMarker, requireEnd, usableETag, usableUploadId } from './notS3.ts';
import type { Moved } from './pacedBody.ts';
import { pacedBody } from './pacedBody.ts';
import type { Throttle } from './throttle.ts';

export interface S3Settings {
  readonly bucket: string;
  /** null: as the SDK finds it. */
  readonly region: string | null;
  /** For compatible stores; null: AWS. */
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  readonly profile: string | null;
  /** null: the bucket's own default encryption. */
  readonly kmsKeyId: string | null;
  readonly storageClass: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** How long nothing may move on a connection. */
  readonly idleTimeoutMs: number;
  /** How long a whole request may take, its body aside. */
  readonly requestTimeoutMs: number;
}

export interface Bytes {
  readonly data: Uint8Array;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Part {
  /** From 1 on. */
  readonly number: number;
  readonly eTag: string;
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Upload {
  readonly key: string;
  readonly uploadId: string;
}

/** What lies under a key. */
export interface Found {
  readonly recordingId: string | null;
  readonly sizeBytes: number;
  /** As S3 says it: base64, with `-N` behind it for an object of N parts. */
  readonly checksum: string | null;
  /** Without its quotation marks; null: none. */
  readonly eTag: string | null;
}

const RECORDING_ID = 'sightline-recording-id';
/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html: "could take several minutes". */
const COMPLETE_TIMES = 5;
/** For all pages of a list together. */
const LIST_TIMES = 3;
/** Uploads of one recording whose ids were lost: there are hardly ever two. */
const MAX_UNKNOWN_UPLOADS = 5;

/** What the SDK has to say comes as an error; the rest must not get into the program's own output. */
const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

let clockOffsetMs = 0;

type Sdk = typeof AwsS3;

export class S3Calls {
  private constructor(
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly settings: S3Settings,
    private readonly throttle: Throttle,
  ) {}

  /** @param credentials null: the SDK's default chain, or the profile's */
  static async open(
    settings: S3Settings,
    throttle: Throttle,
    credentials: S3ClientConfig['credentials'] | null,
  ): Promise<S3Calls> {
    // A word to developers, not to agents.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const sdk = await import('@aws-sdk/client-s3');
    const { region, endpoint, pathStyle, profile, idleTimeoutMs, requestTimeoutMs } = settings;
    const config = {
      maxAttempts: 1,
      logger: silent,
      forcePathStyle: pathStyle,
      // Every body comes with its own.
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
      requestHandler: await awsHandler({ idleTimeoutMs, requestTimeoutMs }),
      ...(region === null ? {} : { region }),
      ...(endpoint === null ? {} : { endpoint }),
      ...(profile === null ? {} : { profile }),
      ...(credentials === null || credentials === undefined ? {} : { credentials }),
      // AWS_ENDPOINT_URL, or a line in the agent's config file, would lead recordings elsewhere: "s3Endpoint" decides.
      ignoreConfiguredEndpointUrls: true,
      systemClockOffset: clockOffsetMs,
      // Handed on to the providers of credentials: without it AWS's shared files are read once in a process, and a token
      // that was renewed in them is never seen.
      ignoreCache: true,
    };
    const client = new sdk.S3Client(config);
    limitCredentials(client);
    return new S3Calls(sdk, client, settings, throttle);
  }

  close(): void {
    // The SDK learns from a refusal (RequestTimeTooSkewed) how far this computer's clock is off; the next client starts
    // with that.
    clockOffsetMs = this.client.config.systemClockOffset;
    this.client.destroy();
  }

  get bucket(): string {
    return this.settings.bucket;
  }

  /** @returns false when there is an object of that name already (unless it may be replaced) */
  async put(
    key: string,
    bytes: Bytes,
    order: {
      contentType: string;
      metadata: Record<string, string>;
      mayReplace: boolean;
      signal: AbortSignal;
      moved?: Moved;
    },
  ): Promise<boolean> {
    const checksum = toBase64(bytes.sha256);
    const command = new this.sdk.PutObjectCommand({
      ...this.object(key, order.contentType, order.metadata),
      ...this.body(bytes, order.moved),
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: checksum,
      ...(order.mayReplace ? {} : { IfNoneMatch: '*' }),
    });
    signAsIs(command, bytes.sha256);
    try {
      const answer = await this.client.send(command, { abortSignal: order.signal });
      requireChecksum(answer.ChecksumSHA256, checksum, key);
      return true;
    } catch (error) {
      if (isTaken(error) && !order.mayReplace) return false;
      throw explainS3(error, `putting ${key}`);
    }
  }

  async createUpload(key: string, metadata: Record<string, string>): Promise<Upload> {
    try {
      const { UploadId } = await this.client.send(
        new this.sdk.CreateMultipartUploadCommand({
          ...this.object(key, 'video/mp4', metadata),
          ChecksumAlgorithm: 'SHA256',
          ChecksumType: 'COMPOSITE',
        }),
      );
      return { key, uploadId: usableUploadId(UploadId) };
    } catch (error) {
      throw explainS3(error, `beginning ${key}`);
    }
  }

  async uploadPart(
    upload: Upload,
    number: number,
    bytes: Bytes,
    { signal, moved }: { signal: AbortSignal; moved?: Moved },
  ): Promise<Part> {
    const { sha256 } = bytes;
    const checksum = toBase64(sha256);
    const command = new this.sdk.UploadPartCommand({
      ...this.upload(upload),
      ...this.body(bytes, moved),
      PartNumber: number,
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: checksum,
    });
    signAsIs(command, sha256);
    try {
      const answer = await this.client.send(command, { abortSignal: signal });
      requireChecksum(answer.ChecksumSHA256, checksum, `part ${number} of ${upload.key}`);
      return { number, eTag: usableETag(answer.ETag ?? ''), sizeBytes: bytes.data.byteLength, sha256 };
    } catch (error) {
      throw explainS3(error, `part ${number} of ${upload.key}`);
    }
  }

  /** The parts that S3 has; null when it knows no such upload (completed, given up, or cleared away). */
  async listParts(upload: Upload): Promise<Part[] | null> {
    try {
      const parts: Part[] = [];
      const until = performance.now() + LIST_TIMES * this.settings.requestTimeoutMs;
      // Not the SDK's paginator: S3 says where the next page begins on the last one, too, and that would go on for ever.
      for (let marker: string | undefined, pages = 1, isLast = false; !isLast; pages += 1) {
        const page = await this.client.send(
          new this.sdk.ListPartsCommand({
            ...this.upload(upload),
            ...(marker === undefined ? {} : { PartNumberMarker: marker }),
          }),
        );
        parts.push(...(page.Parts ?? []).flatMap(knownPart));
        isLast = page.IsTruncated !== true;
        if (!isLast) marker = nextMarker(marker, page.NextPartNumberMarker);
        requireEnd(pages, parts.length, until);
      }
      return parts;
    } catch (error) {
      if (nameOf(error) === 'NoSuchUpload') return null;
      throw explainS3(error, `the parts of ${upload.key}`);
    }
  }

  /** @param parts in order @returns false when there is an object of that name already (unless it may be replaced) */
  async complete(upload: Upload, parts: readonly Part[], mayReplace: boolean): Promise<boolean> {
    try {
      const answer = await this.client.send(
        new this.sdk.CompleteMultipartUploadCommand({
          ...this.upload(upload),
          ...(mayReplace ? {} : { IfNoneMatch: '*' }),
          MpuObjectSize: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
          MultipartUpload: {
            Parts: parts.map(({ number, eTag, sha256 }) => ({
              PartNumber: number,
              ETag: eTag,
              ChecksumSHA256: toBase64(sha256),
            })),
          },
        }),
        { requestTimeout: COMPLETE_TIMES * this.settings.requestTimeoutMs },
      );
      const checksum = compositeChecksum(parts);
      if (answer.ChecksumSHA256 === undefined) await this.requireSize(upload.key, parts, checksum);
      else requireChecksum(answer.ChecksumSHA256, checksum, upload.key);
      return true;
    } catch (error) {
      if (isTaken(error) && !mayReplace) return false;
      throw explainS3(error, `completing ${upload.key}`);
    }
  }

  /** What S3 says of it does not matter: a lifecycle rule clears away what is left. */
  async abort(upload: Upload): Promise<void> {
    await this.client
      .send(new this.sdk.AbortMultipartUploadCommand(this.upload(upload)))
      .catch(() => undefined);
  }

  /** Ends the uploads of a key whose ids nobody was told. Without the right to list them a lifecycle rule does it. */
  async abortUnknown(key: string): Promise<void> {
    try {
      const { Uploads = [] } = await this.client.send(
        new this.sdk.ListMultipartUploadsCommand({ Bucket: this.settings.bucket, Prefix: key }),
      );
      for (const { Key, UploadId } of Uploads.slice(0, MAX_UNKNOWN_UPLOADS))
        if (Key === key && UploadId !== undefined) await this.abort({ key, uploadId: UploadId });
    } catch {
      // The recording matters more.
    }
  }

  /** null: there is nothing, or nothing that these credentials may see. */
  async find(key: string): Promise<Found | null> {
    try {
      return foundIn(
        await this.client.send(
          new this.sdk.HeadObjectCommand({
            Bucket: this.settings.bucket,
            Key: key,
            ChecksumMode: 'ENABLED',
          }),
        ),
      );
    } catch (error) {
      // Without s3:ListBucket S3 says 403 of what is not there, too.
      if (statusOf(error) === 404 || statusOf(error) === 403) return null;
      throw explainS3(error, `looking for ${key}`);
    }
  }

  /** For what was put as a trial; nothing that was delivered is ever deleted. */
  async remove(key: string): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand({ Bucket: this.settings.bucket, Key: key });
    await this.client.send(command).catch((error: unknown) => {
      throw explainS3(error, `deleting ${key}`);
    });
  }

  /** Tells the Date header of each answer, refusals included. */
  onDate(told: (date: string) => void): void {
    const listen =
      (next: (args: unknown) => Promise<{ response: { headers?: Record<string, string> } }>) =>
      async (args: unknown): Promise<unknown> => {
        const answer = await next(args);
        const date = answer.response.headers?.['date'];
        if (date !== undefined) told(date);
        return answer;
      };
    this.client.middlewareStack.add(
      listen as never,
      { step: 'deserialize', priority: 'low', name: 'answerDate' } as never,
    );
  }

  /** Whose requests these are. @throws SightlineError when there are no credentials */
  async credentials(): ReturnType<S3Client['config']['credentials']> {
    return this.client.config.credentials().catch((error: unknown) => {
      throw explainS3(error, 'looking for credentials');
    });
  }

  /** For stores that confirm the parts, but not the whole: then the size must do. */
  private async requireSize(key: string, parts: readonly Part[], checksum: string): Promise<void> {
    const found = await this.find(key);
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    if (found?.sizeBytes !== sizeBytes)
      throw new DeliveryError(
        'UPLOAD_FAILED',
        `S3 does not confirm the size of ${key}. It is sent again.`,
        false,
      );
    // moto, for one, has something of its own there that is no checksum of the parts.
    if (found.checksum?.includes('-') === true) requireChecksum(found.checksum, checksum, key);
  }

  private upload({ key, uploadId }: Upload) {
    return { Bucket: this.settings.bucket, Key: key, UploadId: uploadId };
  }

  private object(key: string, contentType: string, metadata: Record<string, string>) {
    const { bucket, kmsKeyId, storageClass, tags } = this.settings;
    const tagging = new URLSearchParams({ ...tags }).toString().replaceAll('+', '%20');
    return {
      Bucket: bucket,
      Key: key,
      ContentType: contentType,
      Metadata: metadata,
      ...(tagging === '' ? {} : { Tagging: tagging }),
      ...(storageClass === null ? {} : { StorageClass: storageClass as StorageClass }),
      ...(kmsKeyId === null
        ? {}
        : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyId, BucketKeyEnabled: true }),
    };
  }

  private body({ data }: Bytes, moved?: Moved): { Body: Readable; ContentLength: number } {
    return { Body: pacedBody(data, this.throttle, moved), ContentLength: data.byteLength };
  }
}

/** Metadata of our objects. */
export function metadataOf(order: { recordingId: string; contactId: string }): Record<string, string> {
  return { [RECORDING_ID]: order.recordingId, 'sightline-contact-id': order.contactId };
}

/** S3's checksum of an object of parts: that of the parts' checksums, and how many there are. */
export function compositeChecksum(parts: readonly { sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of parts) hash.update(Buffer.from(sha256, 'hex'));
  return `${hash.digest('base64')}-${parts.length}`;
}

export function toBase64(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** Parts without a checksum of ours are sent again. */
function knownPart({ PartNumber, ETag, Size, ChecksumSHA256 }: AwsPart): Part[] {
  if (PartNumber === undefined || ETag === undefined || ChecksumSHA256 === undefined) return [];
  const sha256 = Buffer.from(ChecksumSHA256, 'base64').toString('hex');
  return [{ number: PartNumber, eTag: usableETag(ETag), sizeBytes: Size ?? 0, sha256 }];
}

function foundIn(answer: HeadObjectCommandOutput): Found {
  return {
    recordingId: answer.Metadata?.[RECORDING_ID] ?? null,
    sizeBytes: answer.ContentLength ?? 0,
    checksum: answer.ChecksumSHA256 ?? null,
    eTag: answer.ETag?.replaceAll('"', '') ?? null,
  };
}

/** The signature covers the body, although that is sent as it flows: its hash is known. */
function signAsIs(
  command: { middlewareStack: { add: (middleware: never, options: never) => void } },
  sha256: string,
): void {
  const setHeader =
    (next: (args: unknown) => unknown) =>
    (args: { request: { headers: Record<string, string> } }): unknown => {
      args.request.headers['x-amz-content-sha256'] = sha256;
      return next(args);
    };
  command.middlewareStack.add(setHeader as never, { step: 'build', name: 'knownPayloadHash' } as never);
}

function isTaken(error: unknown): boolean {
  return nameOf(error) === 'PreconditionFailed' || statusOf(error) === 412;
}

/** Nothing counts as delivered that S3 has not confirmed. */
function requireChecksum(said: string | undefined, expected: string, what: string): void {
  if (said === expected) return;
  throw new DeliveryError(
    'UPLOAD_FAILED',
    said === undefined
      ? `The store does not confirm the checksum of ${what}: it must know SHA-256 checksums, as S3 does.`
      : `S3 has something else than was sent as ${what}. It is sent again.`,
    said === undefined,
  );
}
