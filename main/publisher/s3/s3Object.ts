// One recording on its way into S3. The first part begins with the MP4's head, which is known last; so the pictures of the
// first part are held back, and the parts from the second on go as they fill. Where a part begins in the pictures does not
// depend on the head: a later try makes the same parts from the same pictures, and sends those only that S3 does not have.

import { createHash } from 'node:crypto';
import { concat } from '../../shared/fragments.ts';
import { DeliveryError } from '../deliveryError.ts';
import type { Mp4Head } from '../mp4Head.ts';
import type { SinkObject, SinkOrder, SinkReceipt } from '../sink.ts';
import { longerKey } from '../sink.ts';
import type { Bytes, Found, Part, S3Calls, Upload } from './s3Client.ts';
import type { Expected } from './proof.ts';
import { isOfParts, isWhole, md5Of } from './proof.ts';
import { metadataOf } from './s3Client.ts';
import { nameOf } from './s3Errors.ts';

/** S3's least for a part other than the last. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PART_BYTES = 5 * 1024 * 1024;
/** While one part is on its way the next one is read and hashed. */
const AT_ONCE = 2;

/** What earlier tries have left in S3. */
export interface Earlier {
  /** A multipart upload that can be gone on with, and the parts that S3 has of it. */
  readonly upload: Upload | null;
  readonly parts: readonly Part[];
  /** That upload's object, where it was completed and only the answer was lost. */
  readonly delivered: Found | null;
}

export class S3Object implements SinkObject {
  private readonly pending = new Pictures();
  /** The pictures of the first part. */
  private first: Uint8Array | null = null;
  private upload: Upload | null;
  private readonly known: ReadonlyMap<number, Part>;
  private readonly done = new Map<number, Part>();
  /** Of parts that are compared with what was delivered before. */
  private readonly md5s = new Map<number, string | null>();
  private readonly underWay = new Set<Promise<void>>();
  private failure: Error | null = null;
  private next = 2;
  private readonly giveUp = new AbortController();

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

  async finish(head: Mp4Head): Promise<SinkReceipt> {
    try {
      const rest = this.pending.take(this.pending.byteLength);
      if (this.first !== null && rest.byteLength > 0) await this.send(rest);
      const first = concat([head.compact(), this.first ?? rest]);
      return this.next === 2 ? await this.putWhole(first) : await this.complete(first);
    } finally {
      this.calls.close();
    }
  }

  /** The multipart upload stays: the next try goes on with it. */
  async abort(): Promise<void> {
    this.giveUp.abort();
    await Promise.allSettled(this.underWay);
    this.calls.close();
  }

  /** Short recordings need no parts. */
  private async putWhole(data: Uint8Array): Promise<SinkReceipt> {
    if (this.upload !== null) await this.calls.abort(this.upload);
    await this.endUnknown();
    const bytes = hashed(data);
    const receipt = (key: string): SinkReceipt => ({
      ...this.place(key),
      sizeBytes: data.byteLength,
      digest: { sha256: bytes.sha256 },
    });
    for (const key of [this.key, longerKey(this.order)]) {
      if (await this.put(key, bytes, false)) return receipt(key);
      const there = await this.whatIsThere(key);
      if (!this.isOurs(there)) continue;
      // The answer to an earlier try was lost, or that try was not this one's equal.
      const isSame = isWhole(there, expectedOf(bytes));
      if (isSame || (await this.put(key, bytes, true))) return receipt(key);
    }
    throw this.taken();
  }

  private get sending(): { signal: AbortSignal; moved?: (bytes: number) => void } {
    const { moved } = this.order;
    return { signal: this.giveUp.signal, ...(moved === undefined ? {} : { moved }) };
  }

  private async put(key: string, bytes: Bytes, mayReplace: boolean): Promise<boolean> {
    let movedBytes = 0;
    const isPut = await this.calls.put(key, bytes, {
      contentType: 'video/mp4',
      metadata: metadataOf(this.order),
      mayReplace,
      ...this.sending,
      moved: (count) => {
        movedBytes += count;
        this.order.moved?.(count);
      },
    });
    if (!isPut) this.order.moved?.(-movedBytes);
    return isPut;
  }

  private async complete(firstPart: Uint8Array): Promise<SinkReceipt> {
    await Promise.all(this.underWay);
    if (this.failure !== null) throw this.failure;
    const later = [...this.done.values()].sort((a, b) => a.number - b.number);
    const bytes = hashed(firstPart);
    const parts = [{ sizeBytes: firstPart.byteLength, sha256: bytes.sha256 }, ...later].map(
      ({ sizeBytes, sha256 }) => ({ sizeBytes, sha256 }),
    );
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const isThis = (found: Found): boolean =>
      isOfParts(found, [
        expectedOf(bytes),
        ...later.map((part) => ({ ...part, md5: this.md5s.get(part.number) ?? null })),
      ]);
    const receipt = (key: string): SinkReceipt => ({ ...this.place(key), sizeBytes, digest: { parts } });
    if (this.earlier.delivered !== null) {
      if (isThis(this.earlier.delivered)) return receipt(this.key);
      await this.keep(this.key, '');
      throw new DeliveryError(
        'UPLOAD_FAILED',
        `${this.key} is there, but is not what the spool holds. It is sent again.`,
        false,
      );
    }
    const upload = await this.begin();
    const known = this.known.get(1);
    const first =
      known?.sha256 === bytes.sha256 ? known : await this.calls.uploadPart(upload, 1, bytes, this.sending);
    const isNew = await this.calls
      .complete(upload, [first, ...later], false)
      .catch(async (error: unknown) => {
        if (isConflict(error)) await this.startOver(upload, upload.key);
        throw error;
      });
    if (isNew) return receipt(upload.key);
    const there = await this.whatIsThere(upload.key);
    if (this.isOurs(there)) {
      if (isThis(there)) await this.calls.abort(upload);
      else await this.calls.complete(upload, [first, ...later], true);
      return receipt(upload.key);
    }
    // Another recording's: the next try takes the longer name.
    await this.startOver(upload, longerKey(this.order));
    if (upload.key === longerKey(this.order)) throw this.taken();
    throw new DeliveryError(
      'UPLOAD_FAILED',
      `${upload.key} is another recording's name already. The recording is sent under a longer one.`,
      false,
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
      this.order.moved?.(sizeBytes);
      return;
    }
    if (this.earlier.delivered !== null) {
      this.done.set(number, { number, eTag: '', sizeBytes, sha256: bytes.sha256 });
      this.md5s.set(number, md5Of(data));
      return;
    }
    const upload = await this.begin();
    while (this.underWay.size >= AT_ONCE) await Promise.race(this.underWay);
    if (this.failure !== null) throw this.failure;
    const sending = this.calls.uploadPart(upload, number, bytes, this.sending).then(
      (part) => void this.done.set(number, part),
      (error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
      },
    );
    this.underWay.add(sending);
    void sending.finally(() => this.underWay.delete(sending));
  }

  private async begin(): Promise<Upload> {
    if (this.upload === null) {
      // What is meant comes first, so that an upload whose id is lost, with the answer or with us, is looked for later.
      await this.keep(this.key, '');
      await this.endUnknown();
      this.upload = await this.calls.createUpload(this.key, metadataOf(this.order));
      await this.keep(this.key, this.upload.uploadId);
    }
    return this.upload;
  }

  /** The next try has an upload of its own. */
  private async startOver(upload: Upload, key: string): Promise<void> {
    await this.calls.abort(upload);
    await this.keep(key, '');
  }

  private keep(key: string, uploadId: string): Promise<void> {
    return this.order.memory.keep({ bucket: this.calls.bucket, key, uploadId });
  }

  private async endUnknown(): Promise<void> {
    if (this.order.memory.kept?.uploadId === '') await this.calls.abortUnknown(this.key);
  }

  private place(key: string): { key: string; location: string } {
    return { key, location: `s3://${this.calls.bucket}/${key}` };
  }

  /** @throws DeliveryError when there is something that may not be looked at */
  private async whatIsThere(key: string): Promise<Found> {
    const there = await this.calls.find(key);
    if (there !== null) return there;
    throw new DeliveryError(
      'CLIENT_AUTH_ERROR',
      `${key} is there already, and the credentials may not look whether it is this recording: they need s3:GetObject. The ` +
        'recording is kept in the spool.',
      true,
    );
  }

  private isOurs(found: Found): boolean {
    return found.recordingId === this.order.recordingId;
  }

  private taken(): DeliveryError {
    return new DeliveryError(
      'UPLOAD_FAILED',
      `${this.key} and ${longerKey(this.order)} are other recordings' names already. The recording is kept in the spool.`,
      true,
    );
  }
}

/** Pictures that wait for their part to be full. */
class Pictures {
  byteLength = 0;
  private parts: Uint8Array[] = [];

  push(data: Uint8Array): void {
    this.parts.push(data);
    this.byteLength += data.byteLength;
  }

  take(length: number): Uint8Array {
    const all = concat(this.parts);
    this.parts = length < all.byteLength ? [all.slice(length)] : [];
    this.byteLength -= length;
    return all.subarray(0, length);
  }
}

/**
 * Somebody else was writing that name: S3 asks for a new upload then.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
function isConflict(error: unknown): boolean {
  return error instanceof DeliveryError && nameOf(error.cause) === 'ConditionalRequestConflict';
}

function expectedOf({ data, sha256 }: Bytes): Expected {
  return { sizeBytes: data.byteLength, sha256, md5: md5Of(data) };
}

function hashed(data: Uint8Array): Bytes {
  return { data, sha256: createHash('sha256').update(data).digest('hex') };
}
