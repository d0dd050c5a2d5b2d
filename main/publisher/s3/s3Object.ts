// One recording on its way into S3. The first part begins with the moov, which is known last; so the frames of the first part
// wait in memory, and the parts from the second on are sent as they fill. Part boundaries do not depend on the moov: a later
// attempt makes the same parts from the same frames, and sends only those that S3 does not have.

import type { Moov } from '../../media/moov.ts';
import type { SinkObject, SinkOrder, SinkReceipt } from '../sink.ts';
import { longerKey } from '../sink.ts';
import { UploadError } from '../uploadError.ts';
import type { Bytes, MultipartUpload, Part, StoredObject } from './checksums.ts';
import { expectedOf, hashed, isOfParts, isWhole, md5Of, sizeOf } from './checksums.ts';
import { isEncryptedWith } from './encryption.ts';
import type { Confirmed, S3Calls, Sending } from './s3Client.ts';
import { metadataOf } from './s3Client.ts';
import { nameOf } from './s3Errors.ts';

/** S3's minimum for a part other than the last. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PART_BYTES = 5 * 1024 * 1024;
/** While one part is being sent the next one is read and hashed. */
const AT_ONCE = 2;

/** What earlier attempts left in S3. */
export interface Earlier {
  /** A multipart upload that can be resumed, and its parts. */
  readonly upload: MultipartUpload | null;
  readonly parts: readonly Part[];
  /** That upload's object, where it was completed and only the response was lost. */
  readonly stored: StoredObject | null;
}

export class S3Object implements SinkObject {
  private readonly pending = new PendingFrames();
  /** The frames of the first part. */
  private first: Uint8Array | null = null;
  private upload: MultipartUpload | null;
  private readonly known: ReadonlyMap<number, Part>;
  private readonly done = new Map<number, Part>();
  /** Of parts that are compared with a stored object. */
  private readonly md5s = new Map<number, string | null>();
  private readonly inFlight = new Set<Promise<void>>();
  private failure: Error | null = null;
  private next = 2;
  private readonly aborted = new AbortController();

  constructor(
    private readonly calls: S3Calls,
    private readonly order: SinkOrder,
    private readonly key: string,
    private readonly earlier: Earlier,
  ) {
    this.upload = earlier.upload;
    this.known = new Map(earlier.parts.map((part) => [part.number, part]));
  }

  async write(_: number, data: Uint8Array): Promise<void> {
    this.pending.push(data);
    while (this.pending.byteLength >= PART_BYTES) {
      const part = this.pending.take(PART_BYTES);
      if (this.first === null) this.first = part;
      else await this.send(part);
    }
  }

  async finish(moov: Moov): Promise<SinkReceipt> {
    try {
      const rest = this.pending.take(this.pending.byteLength);
      if (this.first !== null && rest.byteLength > 0) await this.send(rest);
      const first = Buffer.concat([moov.compact(), this.first ?? rest]);
      return this.next === 2 ? await this.putWhole(first) : await this.complete(first);
    } finally {
      this.calls.close();
    }
  }

  /** The multipart upload stays: the next attempt resumes it. */
  async abort(): Promise<void> {
    this.aborted.abort();
    await Promise.allSettled(this.inFlight);
    this.calls.close();
  }

  /** Short recordings need no parts. */
  private async putWhole(data: Uint8Array): Promise<SinkReceipt> {
    if (this.upload !== null) await this.calls.abort(this.upload);
    await this.abortUnknown();
    const bytes = hashed(data);
    const receipt = (key: string, confirmed: Confirmed): SinkReceipt => ({
      ...this.stored(key, confirmed),
      sizeBytes: data.byteLength,
      digest: { sha256: bytes.sha256 },
    });
    for (const key of [this.key, longerKey(this.order)]) {
      const put = await this.put(key, bytes, false);
      if (put !== null) return receipt(key, put);
      const existing = await this.existing(key);
      if (!this.isOurs(existing)) continue;
      // The response to an earlier attempt was lost, or that attempt made different bytes.
      const isSame = this.isEncrypted(existing) && isWhole(existing, expectedOf(bytes));
      const replaced = isSame ? existing : await this.put(key, bytes, true);
      if (replaced !== null) return receipt(key, replaced);
    }
    throw this.namesTaken();
  }

  private get sending(): Sending {
    return { signal: this.aborted.signal, onSent: this.order.onSent };
  }

  private async put(key: string, bytes: Bytes, mayReplace: boolean): Promise<Confirmed | null> {
    let sentBytes = 0;
    const put = await this.calls.put(key, bytes, {
      contentType: 'video/mp4',
      metadata: metadataOf(this.order),
      mayReplace,
      signal: this.aborted.signal,
      onSent: (count) => {
        sentBytes += count;
        this.order.onSent?.(count);
      },
    });
    if (put === null) this.order.onSent?.(-sentBytes);
    return put;
  }

  private async complete(firstPart: Uint8Array): Promise<SinkReceipt> {
    await Promise.all(this.inFlight);
    if (this.failure !== null) throw this.failure;
    const later = [...this.done.values()].sort((a, b) => a.number - b.number);
    const bytes = hashed(firstPart);
    const parts = [{ sizeBytes: firstPart.byteLength, sha256: bytes.sha256 }, ...later].map(
      ({ sizeBytes, sha256 }) => ({ sizeBytes, sha256 }),
    );
    const sizeBytes = sizeOf(parts);
    const receipt = (key: string, confirmed: Confirmed): SinkReceipt => ({
      ...{ ...this.stored(key, confirmed), sizeBytes, digest: { parts } },
    });
    const isThis = (found: StoredObject): boolean =>
      this.isEncrypted(found) &&
      isOfParts(found, [
        expectedOf(bytes),
        ...later.map((part) => ({ ...part, md5: this.md5s.get(part.number) ?? null })),
      ]);
    if (this.earlier.stored !== null) {
      if (isThis(this.earlier.stored)) return receipt(this.key, this.earlier.stored);
      await this.save(this.key, '');
      throw retried(`${this.key} exists, but is not what the spool has. It is sent again.`);
    }
    const upload = await this.begin();
    const known = this.known.get(1);
    const first =
      known?.sha256 === bytes.sha256 ? known : await this.calls.uploadPart(upload, 1, bytes, this.sending);
    const completed = await this.calls
      .complete(upload, [first, ...later], false)
      .catch(async (error: unknown) => {
        if (isConflict(error)) await this.startOver(upload, upload.key);
        throw error;
      });
    if (completed !== null) return receipt(upload.key, completed);
    const existing = await this.existing(upload.key);
    if (this.isOurs(existing)) {
      if (!isThis(existing)) {
        const replaced = await this.calls.complete(upload, [first, ...later], true);
        return receipt(upload.key, replaced ?? existing);
      }
      await this.calls.abort(upload);
      return receipt(upload.key, existing);
    }
    // Another recording's: the next attempt uses the longer name.
    await this.startOver(upload, longerKey(this.order));
    if (upload.key === longerKey(this.order)) throw this.namesTaken();
    throw retried(
      `${upload.key} is already the name of another recording. The recording is sent under a longer one.`,
    );
  }

  private async send(data: Uint8Array): Promise<void> {
    const number = this.next;
    this.next += 1;
    const bytes = hashed(data);
    const sizeBytes = data.byteLength;
    const known = this.known.get(number);
    if (known?.sha256 === bytes.sha256 && known.sizeBytes === sizeBytes) {
      this.done.set(number, known);
      this.order.onSent?.(sizeBytes);
      return;
    }
    if (this.earlier.stored !== null) {
      this.done.set(number, { number, eTag: '', sizeBytes, sha256: bytes.sha256 });
      this.md5s.set(number, md5Of(data));
      return;
    }
    const upload = await this.begin();
    while (this.inFlight.size >= AT_ONCE) await Promise.race(this.inFlight);
    if (this.failure !== null) throw this.failure;
    const sending = this.calls.uploadPart(upload, number, bytes, this.sending).then(
      (part) => void this.done.set(number, part),
      (error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      },
    );
    this.inFlight.add(sending);
    void sending.finally(() => this.inFlight.delete(sending));
  }

  private async begin(): Promise<MultipartUpload> {
    if (this.upload === null) {
      // The intention is saved first, so that an upload whose id gets lost is found and aborted later.
      await this.save(this.key, '');
      await this.abortUnknown();
      this.upload = await this.calls.createUpload(this.key, 'video/mp4', metadataOf(this.order));
      await this.save(this.key, this.upload.uploadId);
    }
    return this.upload;
  }

  /** The next attempt creates a new upload. */
  private async startOver(upload: MultipartUpload, key: string): Promise<void> {
    await this.calls.abort(upload);
    await this.save(key, '');
  }

  private save(key: string, uploadId: string): Promise<void> {
    const { bucket, kmsKeyId } = this.calls;
    return this.order.resume.save({ bucket, key, uploadId, ...(kmsKeyId === null ? {} : { kmsKeyId }) });
  }

  private async abortUnknown(): Promise<void> {
    if (this.order.resume.saved?.uploadId === '') await this.calls.abortUnknown(this.key);
  }

  private stored(
    key: string,
    { encryption }: Confirmed,
  ): Pick<SinkReceipt, 'key' | 'location' | 'encryption'> {
    const location = `s3://${this.calls.bucket}/${key}`;
    if (encryption === null) return { key, location };
    const { algorithm, keyId } = encryption;
    return { key, location, encryption: { algorithm, ...(keyId === null ? {} : { keyId }) } };
  }

  private isEncrypted({ encryption }: StoredObject): boolean {
    return isEncryptedWith(this.calls.kmsKeyId, encryption);
  }

  /** @throws UploadError when the object under that name may not be read */
  private async existing(key: string): Promise<StoredObject> {
    const found = await this.calls.find(key);
    if (found !== null) return found;
    throw new UploadError(
      'CLIENT_AUTH_ERROR',
      `${key} already exists, and the credentials may not check whether it is this recording: they need s3:GetObject. The ` +
        'recording is kept in the spool.',
      true,
    );
  }

  private isOurs(found: StoredObject): boolean {
    return found.recordingId === this.order.recordingId;
  }

  private namesTaken(): UploadError {
    return new UploadError(
      'UPLOAD_FAILED',
      `${this.key} and ${longerKey(this.order)} are already names of other recordings. The recording is kept in the spool.`,
      true,
    );
  }
}

/** Frames whose part is not full yet. */
class PendingFrames {
  byteLength = 0;
  private parts: Uint8Array[] = [];

  push(data: Uint8Array): void {
    this.parts.push(data);
    this.byteLength += data.byteLength;
  }

  take(length: number): Uint8Array {
    const all = Buffer.concat(this.parts);
    // A copy, so that the part's memory is freed after it was sent.
    this.parts = length < all.byteLength ? [Uint8Array.from(all.subarray(length))] : [];
    this.byteLength -= length;
    return all.subarray(0, length);
  }
}

/**
 * Another client was writing that name: S3 asks for a new upload.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
function isConflict(error: unknown): boolean {
  return error instanceof UploadError && nameOf(error.cause) === 'ConditionalRequestConflict';
}

function retried(message: string): UploadError {
  return new UploadError('UPLOAD_FAILED', message, false);
}
