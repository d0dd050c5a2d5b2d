// The S3 sink and doctor's trial with two stores that we did not write: a second opinion on what S3 is. Real SDK, real spool,
// real assembly; the objects are judged by ffmpeg. What each store gets wrong is in `differences` and in docs/s3.md.
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { S3Settings } from '../../main/publisher/s3/settings.ts';
import { tryS3 } from '../../main/publisher/s3/s3Trial.ts';
import { Throttle } from '../../main/publisher/s3/throttle.ts';
import { LONG, SHORT, expectWhole, newId, recordingsIn, rig } from '../rig/s3Judge.ts';
import { clientOf, startMoto, startS3Mock } from '../rig/otherStores.ts';
import { BUCKET, KMS_KEY, type S3Store } from '../rig/s3Store.ts';
import { START, s3SinkFor, settingsFor } from '../rig/uploads.ts';

/** From S3, and from each other. */
interface Differences {
  /** Of an object that was uploaded in parts, HeadObject names no key. */
  readonly forgetsKey: boolean;
  /** Or not that there is a bucket key. */
  readonly forgetsBucketKey: boolean;
  /** Aborting an upload deletes the object that has its name. */
  readonly abortDeletes: boolean;
  /** Whether a wrong SHA-256 is refused. */
  readonly checksSums: boolean;
  /** In ListParts; without them all parts are sent again. */
  readonly listsSums: boolean;
  readonly knowsKeys: boolean;
  /** x-amz-tagging is stored as it came. */
  readonly decodesTags: boolean;
}
const differences: Record<string, Differences> = {
  moto: {
    ...{
      forgetsKey: false,
      forgetsBucketKey: true,
      abortDeletes: false,
      checksSums: false,
      listsSums: false,
    },
    ...{ knowsKeys: false, decodesTags: true },
  },
  'Adobe S3Mock': {
    ...{ forgetsKey: true, forgetsBucketKey: true, abortDeletes: true, checksSums: true, listsSums: true },
    ...{ knowsKeys: true, decodesTags: false },
  },
};

const [moto, s3Mock] = await Promise.all([startMoto(), startS3Mock()]);
const stores = { moto, 'Adobe S3Mock': s3Mock };
afterAll(async () => {
  for (const store of Object.values(stores)) await store?.stop();
});

for (const [name, store] of Object.entries(stores)) {
  if (store === null) it.skip(`${name}: the set-up could not fetch or start it`, () => undefined);
  else describe(name, () => withStore(store, differences[name]!));
}

class CountingThrottle extends Throttle {
  bytes = 0;

  override take(bytes: number): Promise<void> {
    this.bytes += bytes;
    return super.take(bytes);
  }
}

function withStore(store: S3Store, differs: Differences): void {
  const { kmsKey } = store;
  const settings = { kmsKeyId: kmsKey, storageClass: 'STANDARD_IA' };
  const tags = { department: 'sales', 'cost centre': 'a@b=1' };
  const tagsThere = differs.decodesTags ? tags : { department: 'sales', 'cost%20centre': 'a%40b%3D1' };
  const client = clientOf(store.endpoint);
  afterAll(() => client.destroy());
  afterEach(async () => {
    for (const { key } of await store.objects())
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
  });
  const partsThere = async (): Promise<number> => {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    const [{ Key, UploadId } = {}] = Uploads;
    const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId }));
    return Parts.length;
  };
  const keyInHead = differs.forgetsKey ? null : kmsKey;

  it.each([
    ['short', SHORT],
    ['long', LONG],
  ])('takes a %s recording with its manifest, tags, class, key and metadata', async (_, frames) => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, frames);
    const { receipt, manifest } = await spool.deliver(id, s3SinkFor(store, { ...settings, tags }));
    const key = await expectWhole(store, id, frames);
    expect(receipt.location).toBe(`s3://${BUCKET}/${key}`);
    expect(manifest.video.encryption).toEqual({ algorithm: 'aws:kms', keyId: kmsKey });
    const { videos, manifests } = await recordingsIn(store, id);
    for (const found of [...videos, ...manifests])
      expect(found).toMatchObject({
        metadata: { 'sightline-recording-id': id, 'sightline-contact-id': `contact-${id}` },
        tags: tagsThere,
        storageClass: 'STANDARD_IA',
        kmsKeyId: keyInHead,
        bucketKey: !differs.forgetsBucketKey,
      });
    expect(await store.openUploads()).toBe(0);
  });

  it.each([
    ['short', SHORT],
    ['long', LONG],
  ])('takes a %s recording without any of them, once', async (_, frames) => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, frames);
    const { manifest } = await spool.deliver(id, s3SinkFor(store));
    expect(manifest.video.encryption).toBeUndefined();
    const key = await expectWhole(store, id, frames);
    // As after a lost response: the object is there, and is this recording.
    await spool.reopen();
    const sent = new CountingThrottle();
    await spool.deliver(id, s3SinkFor(store, {}, sent));
    expect(await expectWhole(store, id, frames)).toBe(key);
    const manifestBytes = (await recordingsIn(store, id)).manifests[0]!.bytes.byteLength;
    // S3 answers to a PUT only when it has all of it.
    const wholeBytes = frames === SHORT ? manifest.video.sizeBytes : 0;
    expect(sent.bytes).toBe(wholeBytes + manifestBytes);
    expect(await store.openUploads()).toBe(0);
  });

  it('is sent only what is missing by another process, after an abort in the middle', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const before = new CountingThrottle();
    const first = spool.live(id, s3SinkFor(store, {}, before));
    await first.advance(run.endTime);
    await expect.poll(partsThere, { timeout: 20_000 }).toBe(1);
    await first.abort();
    await spool.end(id, run);
    await spool.reopen();
    const after = new CountingThrottle();
    const { manifest } = await spool.deliver(id, s3SinkFor(store, {}, after));
    await expectWhole(store, id, LONG);
    const manifestBytes = (await recordingsIn(store, id)).manifests[0]!.bytes.byteLength;
    expect(before.bytes).toBeGreaterThan(0);
    expect(after.bytes).toBe(
      manifest.video.sizeBytes + manifestBytes - (differs.listsSums ? before.bytes : 0),
    );
    expect(await store.openUploads()).toBe(0);
  });

  it('is left without an upload that was begun with another key, or whose id was lost', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const first = spool.live(id, s3SinkFor(store));
    await first.advance(run.endTime);
    await first.abort();
    await spool.end(id, run);
    await spool.reopen();
    expect(await store.openUploads()).toBe(1);
    await spool.deliver(id, s3SinkFor(store, settings));
    expect((await recordingsIn(store, id)).videos).toMatchObject([{ kmsKeyId: keyInHead }]);
    const key = await expectWhole(store, id, LONG);
    expect(await store.openUploads()).toBe(0);

    const lost = newId();
    await spool.record(lost, SHORT, START + 3_600_000);
    const begun = key.replace(/[^/]*$/, `contact-${lost}_20270115T090000Z.mp4`);
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: begun }));
    const entry = {
      type: 'upload.begun',
      recordingId: lost,
      bucket: BUCKET,
      key: begun,
      uploadId: '',
    } as const;
    await spool.session.append(entry);
    await spool.reopen();
    await spool.deliver(lost, s3SinkFor(store));
    expect(await expectWhole(store, lost, SHORT)).toBe(begun);
    expect(await store.openUploads()).toBe(0);
  });

  it.each<[string, Partial<S3Settings>]>([
    ['put at once', {}],
    // Where an abort deletes objects, the first recording is lost.
    ...(differs.abortDeletes ? [] : [['put in parts', settings] satisfies [string, Partial<S3Settings>]]),
  ])('keeps a recording that was %s under its name: another one gets a longer name', async (what, change) => {
    const spool = await rig();
    const [one, two] = [newId(), newId()];
    const startTime = START + what.length * 10_000_000;
    for (const id of [one, two]) {
      await spool.record(id, SHORT, startTime);
      const started = spool.session.ledger.recordings.get(id)!.started;
      // The same contact, begun twice in a second.
      Object.assign(started, { contact: { ...started.contact, contactId: `twice-${what}` } });
    }
    const sink = s3SinkFor(store, change);
    await spool.deliver(one, sink);
    const keyOfOne = await expectWhole(store, one, SHORT);
    await spool.deliver(two, sink);
    expect(await expectWhole(store, one, SHORT)).toBe(keyOfOne);
    const keyOfTwo = await expectWhole(store, two, SHORT);
    expect(keyOfTwo).toBe(keyOfOne.replace('.mp4', `_${two.slice(0, 8)}.mp4`));
    expect(await store.openUploads()).toBe(0);
  });

  it('refuses a key that it does not have', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT);
    const sink = s3SinkFor(store, { kmsKeyId: kmsKey.replace('11111111', '99999999') });
    const attempt = spool.deliver(id, sink);
    // moto encrypts nothing and knows no keys.
    if (!differs.knowsKeys) {
      await attempt;
      return;
    }
    await expect(attempt).rejects.toMatchObject({ code: 'UPLOAD_FAILED', isPermanent: true });
    expect(await recordingsIn(store, id)).toEqual({ videos: [], manifests: [] });
  });

  it('refuses bytes that are not those of their checksum, and lists the checksums of parts', async () => {
    const wrong = { Body: 'sent', ChecksumSHA256: Buffer.alloc(32).toString('base64') };
    const place = { Bucket: BUCKET, Key: 'wrong' };
    const put = client.send(new PutObjectCommand({ ...place, ...wrong }));
    if (differs.checksSums) await expect(put).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    else await put;
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'SHA256' }),
    );
    const part = client.send(new UploadPartCommand({ ...place, ...wrong, UploadId, PartNumber: 1 }));
    if (differs.checksSums) await expect(part).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    else await part;
    const sha256 = 'JwQvTm7KfQsqfuQCbfLs+lHTM55tEiqgmRGOzYVjutk=';
    const right = { Body: 'right', ChecksumSHA256: sha256 };
    await client
      .send(new UploadPartCommand({ ...place, ...right, UploadId, PartNumber: 1 }))
      .catch(() => undefined);
    const { Parts = [] } = await client.send(new ListPartsCommand({ ...place, UploadId }));
    expect(Parts.some(({ ChecksumSHA256 }) => ChecksumSHA256 !== undefined)).toBe(differs.listsSums);
  });

  it("passes doctor's trial, which leaves nothing there", async () => {
    process.env['AWS_ACCESS_KEY_ID'] = store.credentials.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = store.credentials.secretAccessKey;
    const trial = (kmsKeyId: string | null) =>
      tryS3({
        settings: settingsFor(store, { kmsKeyId, tags }),
        network: new NodeNetwork(),
        ...{ prefix: 'a', machine: 'm', onDate: () => undefined },
      });
    const before = await store.openUploads();
    expect(await trial(null)).toMatchObject({
      ...{ kind: 'put', problem: null, encryption: 'the store names no encryption' },
    });
    expect(await trial(kmsKey)).toMatchObject({
      ...{ kind: 'put', problem: null },
      encryption: `aws:kms with the key ${kmsKey}; the bucket's default is another: no encryption`,
    });
    if (differs.knowsKeys)
      expect(await trial(KMS_KEY.replace(/.*\/1/, '9'))).toMatchObject({
        kind: 'refused',
        said: expect.stringContaining('KMS.NotFoundException') as string,
      });
    expect((await store.objects()).filter(({ key }) => key.includes('sightline-doctor'))).toEqual([]);
    expect(await store.openUploads()).toBe(before);
  });
}
