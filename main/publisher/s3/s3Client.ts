// The S3 requests that an upload needs. Each response is verified. Nothing is retried here; the queue does that.

import type { S3Client, S3ClientConfig, StorageClass } from '@aws-sdk/client-s3';
import type { Network } from '../../platform/network/network.ts';
import { UploadError } from '../uploadError.ts';
import type { Bytes, MultipartUpload, Part, StoredObject } from './checksums.ts';
import { compositeChecksum, sizeOf, toBase64 } from './checksums.ts';
import type { Encryption } from './encryption.ts';
import { EncryptionNotConfirmed, encryptionIn, isEncryptedWith } from './encryption.ts';
import type { Sdk } from './openClient.ts';
import { closeClient, onResponseDate, openClient, signBody } from './openClient.ts';
import { nextMarker, requireEnd, usableETag, usableUploadId } from './responseLimits.ts';
import {
  RECORDING_ID,
  explained,
  requireChecksum,
  storedObject,
  unlessTaken,
  usablePart,
} from './s3Answers.ts';
import { explainS3, nameOf, statusOf } from './s3Errors.ts';
import type { S3Settings } from './settings.ts';
import type { Throttle } from './throttle.ts';
import { pacedBody } from './throttle.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html: "could take several minutes". */
const COMPLETE_TIMES = 5;
/** For all pages of a list together. */
const LIST_TIMES = 3;
/** It is not essential, and must not delay the next attempt much. */
const ABORT_MS = 10_000;
/** Uploads of one recording whose ids were lost. Two are rare. */
const MAX_UNKNOWN_UPLOADS = 5;

export interface Sending {
  readonly signal: AbortSignal;
  readonly onSent?: ((bytes: number) => void) | undefined;
}

export interface PutOptions extends Sending {
  readonly contentType: string;
  readonly metadata: Record<string, string>;
  readonly mayReplace: boolean;
}

/** An object that the store has confirmed. */
export interface Confirmed {
  /** As the store names it; null: it names none. */
  readonly encryption: Encryption | null;
}

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
    network: Network,
  ): Promise<S3Calls> {
    const { sdk, client } = await openClient(settings, credentials, network);
    return new S3Calls(sdk, client, settings, throttle);
  }

  close(): void {
    closeClient(this.client);
  }

  get bucket(): string {
    return this.settings.bucket;
  }

  /** null: policy requires none. */
  get kmsKeyId(): string | null {
    return this.settings.kmsKeyId;
  }

  /** @returns null when the name is taken (unless the object may be replaced) */
  async put(key: string, bytes: Bytes, options: PutOptions): Promise<Confirmed | null> {
    return this.kmsKeyId === null ? this.putAtOnce(key, bytes, options) : this.putProven(key, bytes, options);
  }

  private async putAtOnce(key: string, bytes: Bytes, options: PutOptions): Promise<Confirmed | null> {
    const { contentType, metadata, mayReplace, signal, onSent } = options;
    const command = new this.sdk.PutObjectCommand({
      ...this.object(key, contentType, metadata),
      ...this.body(bytes, onSent),
      ...(mayReplace ? {} : { IfNoneMatch: '*' }),
    });
    signBody(command, bytes.sha256);
    return unlessTaken(`putting ${key}`, mayReplace, async () => {
      const answer = await this.client.send(command, { abortSignal: signal });
      requireChecksum(answer.ChecksumSHA256, toBase64(bytes.sha256), key);
      return { encryption: encryptionIn(answer) };
    });
  }

  /**
   * As one part: a store names the encryption of an upload before it has a byte of it, and shows nothing of it until it is
   * complete. After a PutObject with the wrong encryption the object would be readable, and Sightline may not delete objects.
   */
  private async putProven(key: string, bytes: Bytes, options: PutOptions): Promise<Confirmed | null> {
    const { contentType, metadata, mayReplace, ...sending } = options;
    const upload = await this.createUpload(key, contentType, metadata);
    try {
      const part = await this.uploadPart(upload, 1, bytes, sending);
      const confirmed = await this.complete(upload, [part], mayReplace);
      if (confirmed === null) await this.abort(upload);
      return confirmed;
    } catch (error) {
      await this.abort(upload);
      throw error;
    }
  }

  /** @throws EncryptionNotConfirmed unless the store names the key that policy requires */
  async createUpload(
    key: string,
    contentType: string,
    metadata: Record<string, string>,
  ): Promise<MultipartUpload> {
    const command = new this.sdk.CreateMultipartUploadCommand({
      ...this.object(key, contentType, metadata),
      ...{ ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' },
    });
    return explained(`creating ${key}`, async () => {
      const answer = await this.client.send(command);
      const upload = { key, uploadId: usableUploadId(answer.UploadId) };
      await this.requireEncryption(upload, encryptionIn(answer));
      return upload;
    });
  }

  /** Parts are encrypted as their upload was created: with another key it is of no use. */
  private async requireEncryption(upload: MultipartUpload, found: Encryption | null): Promise<void> {
    if (isEncryptedWith(this.kmsKeyId, found)) return;
    await this.abort(upload);
    throw new EncryptionNotConfirmed(upload.key, found);
  }

  async uploadPart(upload: MultipartUpload, number: number, bytes: Bytes, sending: Sending): Promise<Part> {
    const { data, sha256 } = bytes;
    const where = `part ${number} of ${upload.key}`;
    const command = new this.sdk.UploadPartCommand({
      ...this.idOf(upload),
      ...this.body(bytes, sending.onSent),
      PartNumber: number,
    });
    signBody(command, sha256);
    return explained(where, async () => {
      const answer = await this.client.send(command, { abortSignal: sending.signal });
      requireChecksum(answer.ChecksumSHA256, toBase64(sha256), where);
      const encryption = encryptionIn(answer);
      // S3 names it here, too; other stores need not, because it was named when the upload was created.
      if (encryption !== null) await this.requireEncryption(upload, encryption);
      return { number, eTag: usableETag(answer.ETag ?? ''), sizeBytes: data.byteLength, sha256 };
    });
  }

  /** null when S3 does not know the upload (completed, aborted, or removed by a lifecycle rule). */
  async listParts(upload: MultipartUpload): Promise<Part[] | null> {
    try {
      const parts: Part[] = [];
      const until = performance.now() + LIST_TIMES * this.settings.requestTimeoutMs;
      // Not the SDK's paginator: S3 names a next page on the last one, too, and the paginator would never end.
      for (let marker: string | undefined, pages = 1, isLast = false; !isLast; pages += 1) {
        const page = await this.client.send(
          new this.sdk.ListPartsCommand({
            ...this.idOf(upload),
            ...(marker === undefined ? {} : { PartNumberMarker: marker }),
          }),
        );
        parts.push(...(page.Parts ?? []).flatMap(usablePart));
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

  /** @param parts in order @returns null when the name is taken (unless the object may be replaced) */
  async complete(
    upload: MultipartUpload,
    parts: readonly Part[],
    mayReplace: boolean,
  ): Promise<Confirmed | null> {
    const Parts = parts.map(({ number: PartNumber, eTag: ETag, sha256 }) => ({
      ...{ PartNumber, ETag, ChecksumSHA256: toBase64(sha256) },
    }));
    const command = new this.sdk.CompleteMultipartUploadCommand({
      ...this.idOf(upload),
      ...(mayReplace ? {} : { IfNoneMatch: '*' }),
      MpuObjectSize: sizeOf(parts),
      MultipartUpload: { Parts },
    });
    return unlessTaken(`completing ${upload.key}`, mayReplace, async () => {
      const requestTimeout = COMPLETE_TIMES * this.settings.requestTimeoutMs;
      const answer = await this.client.send(command, { requestTimeout });
      const checksum = compositeChecksum(parts);
      if (answer.ChecksumSHA256 === undefined) await this.requireSize(upload.key, parts, checksum);
      else requireChecksum(answer.ChecksumSHA256, checksum, upload.key);
      return { encryption: await this.confirmedEncryption(upload.key, encryptionIn(answer)) };
    });
  }

  /** @param named in the answer; null: only the object's head may name it */
  private async confirmedEncryption(key: string, named: Encryption | null): Promise<Encryption | null> {
    const { kmsKeyId } = this;
    const found = named ?? (kmsKeyId === null ? null : ((await this.find(key))?.encryption ?? null));
    if (!isEncryptedWith(kmsKeyId, found)) throw new EncryptionNotConfirmed(key, found);
    return found;
  }

  /** Errors do not matter: a lifecycle rule removes what is left. */
  async abort(upload: MultipartUpload): Promise<void> {
    const command = new this.sdk.AbortMultipartUploadCommand(this.idOf(upload));
    const abortSignal = AbortSignal.timeout(ABORT_MS);
    await this.client.send(command, { abortSignal }).catch(() => undefined);
  }

  /** Aborts the uploads of a key whose ids were lost. Without the right to list them a lifecycle rule removes them. */
  async abortUnknown(key: string): Promise<void> {
    try {
      const { Uploads = [] } = await this.client.send(
        new this.sdk.ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: key }),
      );
      for (const { Key, UploadId } of Uploads.slice(0, MAX_UNKNOWN_UPLOADS))
        if (Key === key && UploadId !== undefined) await this.abort({ key, uploadId: UploadId });
    } catch {
      // The recording matters more.
    }
  }

  /** null: there is no such object, or these credentials may not see it. */
  async find(key: string): Promise<StoredObject | null> {
    const command = new this.sdk.HeadObjectCommand({
      ...{ Bucket: this.bucket, Key: key, ChecksumMode: 'ENABLED' },
    });
    try {
      return storedObject(await this.client.send(command));
    } catch (error) {
      // Without s3:ListBucket S3 answers 403 for a missing object, too.
      if (statusOf(error) === 404 || statusOf(error) === 403) return null;
      throw explainS3(error, `looking for ${key}`);
    }
  }

  /** Of an upload that requests none. It has no parts and is aborted. */
  async defaultEncryption(key: string): Promise<Encryption | null> {
    const command = new this.sdk.CreateMultipartUploadCommand({ Bucket: this.bucket, Key: key });
    const answer = await this.client.send(command);
    await this.abort({ key, uploadId: usableUploadId(answer.UploadId) });
    return encryptionIn(answer);
  }

  /** For test objects only; recordings are never deleted. */
  async remove(key: string): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand({ Bucket: this.bucket, Key: key });
    await explained(`deleting ${key}`, () => this.client.send(command));
  }

  onDate(listener: (date: string) => void): void {
    onResponseDate(this.client, listener);
  }

  /** The credentials in use. @throws SightlineError when there are none */
  async credentials(): ReturnType<S3Client['config']['credentials']> {
    return explained('looking for credentials', () => this.client.config.credentials());
  }

  /** For stores that confirm the parts, but not the whole object: the size must match. */
  private async requireSize(key: string, parts: readonly Part[], checksum: string): Promise<void> {
    const found = await this.find(key);
    if (found?.sizeBytes !== sizeOf(parts))
      throw new UploadError(
        'UPLOAD_FAILED',
        `S3 does not confirm the size of ${key}. It is sent again.`,
        false,
      );
    // moto returns a value there that is not a checksum of parts.
    if (found.checksum?.includes('-') === true) requireChecksum(found.checksum, checksum, key);
  }

  private idOf({ key, uploadId }: MultipartUpload) {
    return { Bucket: this.bucket, Key: key, UploadId: uploadId };
  }

  private object(key: string, contentType: string, metadata: Record<string, string>) {
    const { bucket, kmsKeyId, storageClass, tags } = this.settings;
    const tagging = new URLSearchParams({ ...tags }).toString().replaceAll('+', '%20');
    const kms = { ServerSideEncryption: 'aws:kms' as const, BucketKeyEnabled: true };
    return {
      ...{ Bucket: bucket, Key: key, ContentType: contentType, Metadata: metadata },
      ...(tagging === '' ? {} : { Tagging: tagging }),
      ...(storageClass === null ? {} : { StorageClass: storageClass as StorageClass }),
      ...(kmsKeyId === null ? {} : { ...kms, SSEKMSKeyId: kmsKeyId }),
    };
  }

  private body({ data, sha256 }: Bytes, onSent: Sending['onSent']) {
    return {
      ...{ Body: pacedBody(data, this.throttle, onSent), ContentLength: data.byteLength },
      ...{ ChecksumAlgorithm: 'SHA256' as const, ChecksumSHA256: toBase64(sha256) },
    };
  }
}

/** Metadata of our objects. */
export function metadataOf(order: { recordingId: string; contactId: string }): Record<string, string> {
  return { [RECORDING_ID]: order.recordingId, 'sightline-contact-id': order.contactId };
}
