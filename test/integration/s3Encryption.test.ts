// Policy "s3KmsKeyId": a recording is not confirmed unless the store names that key. Real SDK, real spool; the stand-in names
// whatever a test wants.
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { S3Settings } from '../../main/publisher/s3/settings.ts';
import { tryS3 } from '../../main/publisher/s3/s3Trial.ts';
import { manifestSchema } from '../../main/shared/manifest.ts';
import { LONG, SHORT, expectWhole, newId, recordingsIn, rig } from '../rig/s3Judge.ts';
import type { Fault, Operation, S3Server } from '../rig/s3Server.ts';
import { BUCKET, KMS_KEY, startStrictStore } from '../rig/s3Store.ts';
import { s3SinkFor, settingsFor, type SpoolRig } from '../rig/uploads.ts';

const store = await startStrictStore();
const s3 = store.strict as S3Server;
const OTHER_KEY = KMS_KEY.replace('11111111', '99999999');
afterAll(() => store.stop());
afterEach(() => s3.clearFaults());
let received = 0;
beforeEach(() => (received = s3.bytesReceived));

type Named = Extract<Fault, { kind: 'encryptionInAnswer' }>['named'];
const none: Named = null;
const managed: Named = { sse: 'AES256', kmsKeyId: null };
const keyless: Named = { sse: 'aws:kms', kmsKeyId: null };
const another: Named = { sse: 'aws:kms', kmsKeyId: OTHER_KEY };
const elsewhere: Named = { sse: 'aws:kms', kmsKeyId: KMS_KEY.replace('eu-west-1', 'us-east-1') };

function answerWith(named: Named, operation?: Operation, more: { times?: number; skip?: number } = {}): void {
  const one = operation === undefined ? {} : { operation };
  s3.inject({ kind: 'encryptionInAnswer', named, ...one, times: Infinity, ...more });
}

const settings: Partial<S3Settings> = { kmsKeyId: KMS_KEY };
const attempt = (spool: SpoolRig, id: string, change: Partial<S3Settings> = settings): Promise<unknown> =>
  spool.deliver(id, s3SinkFor(store, change)).then(
    () => null,
    (error: unknown) => error,
  );
const notConfirmed = { code: 'ENCRYPTION_NOT_CONFIRMED', isPermanent: true };

const everywhere: [string, Named, string][] = [
  ['no encryption', none, 'names no encryption'],
  ['another algorithm', managed, 'names AES256'],
  ['a KMS key that it does not name', keyless, 'names aws:kms'],
  ['another key', another, OTHER_KEY],
  ['the key of another region', elsewhere, 'us-east-1'],
];
for (const [length, frames] of Object.entries({ short: SHORT, long: LONG })) {
  describe(`a ${length} recording`, () => {
    // Each length goes its own way; the comparison of keys is tested in test/unit/publisher/encryption.test.ts.
    it.each(frames === SHORT ? everywhere : everywhere.slice(0, 2))(
      'is not confirmed by a store that answers with %s',
      async (_, named, words) => {
        const spool = await rig();
        const id = newId();
        await spool.record(id, frames);
        answerWith(named);
        const error = await attempt(spool, id);
        expect(error).toMatchObject(notConfirmed);
        expect(String(error)).toContain(words);
        // No byte was sent: the store named it before.
        expect(s3.bytesReceived - received).toBe(0);
        expect(await recordingsIn(store, id)).toEqual({ videos: [], manifests: [] });
        expect(await store.openUploads()).toBe(0);
        expect(spool.session.ledger.recordings.get(id)?.published).toBeNull();
        expect(await readdir(spool.session.folder)).toContain(`run-of-${id}.run`);
        s3.clearFaults();
        await spool.reopen();
        expect(await attempt(spool, id)).toBeNull();
        await expectWhole(store, id, frames);
      },
    );

    it.each([
      ['a part', 'UploadPart', another],
      ['the end', 'CompleteMultipartUpload', managed],
    ] as const)('is not confirmed where the answer to %s names another', async (_, operation, named) => {
      const spool = await rig();
      const id = newId();
      await spool.record(id, frames);
      answerWith(named, operation);
      expect(await attempt(spool, id)).toMatchObject(notConfirmed);
      expect((await recordingsIn(store, id)).manifests).toEqual([]);
      if (operation === 'UploadPart') expect((await recordingsIn(store, id)).videos).toEqual([]);
      expect(await store.openUploads()).toBe(0);
      s3.clearFaults();
      await spool.reopen();
      expect(await attempt(spool, id)).toBeNull();
      await expectWhole(store, id, frames);
    });

    it('is confirmed by its head where the answer to its end names nothing', async () => {
      const spool = await rig();
      const id = newId();
      await spool.record(id, frames);
      answerWith(none, 'CompleteMultipartUpload');
      expect(await attempt(spool, id)).toBeNull();
      const again = newId();
      await spool.record(again, frames, Date.parse('2027-03-01T00:00:00Z'));
      answerWith(another, 'HeadObject');
      expect(await attempt(spool, again)).toMatchObject(notConfirmed);
    });

    it('that is stored already counts only with the key', async () => {
      const spool = await rig();
      const id = newId();
      await spool.record(id, frames);
      // Stored without the key, and the answer was lost.
      const lost = s3.inject({
        kind: 'lostAnswer',
        operation: frames === SHORT ? 'PutObject' : 'CompleteMultipartUpload',
      });
      expect(await attempt(spool, id, {})).toMatchObject({ code: 'CLIENT_CONNECTION_ERROR' });
      expect(lost.hits).toBe(1);
      expect((await recordingsIn(store, id)).videos).toMatchObject([{ kmsKeyId: null }]);
      await spool.reopen();
      expect(await attempt(spool, id)).toBeNull();
      expect((await recordingsIn(store, id)).videos).toMatchObject([{ kmsKeyId: KMS_KEY }]);
      // With it: not sent again.
      const other = newId();
      await spool.record(other, frames, Date.parse('2027-04-01T00:00:00Z'));
      s3.inject({ kind: 'lostAnswer', operation: 'CompleteMultipartUpload' });
      await attempt(spool, other);
      await spool.reopen();
      const before = eTagOf(other);
      expect(before).not.toBeUndefined();
      expect(await attempt(spool, other)).toBeNull();
      expect(eTagOf(other)).toBe(before);
    });
  });
}

function eTagOf(id: string): string | undefined {
  return s3
    .objects(BUCKET)
    .find(({ key, metadata }) => key.endsWith('.mp4') && metadata['sightline-recording-id'] === id)?.etag;
}

describe('an upload in parts', () => {
  it('is not continued with another key than it was created with', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const begun = spool.live(id, s3SinkFor(store));
    await begun.advance(run.endTime);
    await begun.abort();
    await spool.end(id, run);
    await spool.reopen();
    const [open] = s3.uploads(BUCKET);
    expect(open).toMatchObject({ settings: { kmsKeyId: null } });
    expect(await attempt(spool, id)).toBeNull();
    await expectWhole(store, id, LONG);
    expect((await recordingsIn(store, id)).videos).toMatchObject([{ kmsKeyId: KMS_KEY }]);
    expect(await store.openUploads()).toBe(0);
  });

  it('is continued with its key', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const begun = spool.live(id, s3SinkFor(store, settings));
    await begun.advance(run.endTime);
    await begun.abort();
    await spool.end(id, run);
    await spool.reopen();
    const from = s3.requests.length;
    expect(await attempt(spool, id)).toBeNull();
    const created = s3.requests.slice(from).filter((one) => one.operation === 'CreateMultipartUpload');
    expect(created.map(({ key }) => key)).toEqual([expect.stringMatching(/\.json$/) as string]);
    await expectWhole(store, id, LONG);
  });

  it('begins during the contact only where the store names the key', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    answerWith(managed, 'CreateMultipartUpload');
    const begun = spool.live(id, s3SinkFor(store, settings));
    await expect(begun.advance(run.endTime)).rejects.toMatchObject(notConfirmed);
    await begun.abort();
    expect(s3.bytesReceived - received).toBe(0);
    expect(await store.openUploads()).toBe(0);
  });
});

describe('the manifest', () => {
  it('is encrypted, too, or the recording is not confirmed', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT);
    answerWith(managed, 'CreateMultipartUpload', { skip: 1 });
    expect(await attempt(spool, id)).toMatchObject(notConfirmed);
    expect((await recordingsIn(store, id)).manifests).toEqual([]);
    s3.clearFaults();
    expect(await attempt(spool, id)).toBeNull();
    const { videos, manifests } = await recordingsIn(store, id);
    expect([...videos, ...manifests]).toMatchObject([{ kmsKeyId: KMS_KEY }, { kmsKeyId: KMS_KEY }]);
    const { video } = manifestSchema.parse(JSON.parse(String(manifests[0]?.bytes)));
    expect(video.encryption).toEqual({ algorithm: 'aws:kms', keyId: KMS_KEY });
  });

  it('says what the store answers where policy requires nothing', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT);
    const { manifest } = await spool.deliver(id, s3SinkFor(store));
    expect(manifest.video.encryption).toEqual({ algorithm: 'AES256' });
    const other = newId();
    await spool.record(other, LONG, Date.parse('2027-05-01T00:00:00Z'));
    answerWith(none);
    const delivered = await spool.deliver(other, s3SinkFor(store));
    expect(delivered.manifest.video.encryption).toBeUndefined();
  });
});

describe('an alias', () => {
  const ALIAS = 'alias/recordings';

  it('is confirmed by any key that the store names, which the manifest remembers', async () => {
    s3.kmsKeys.set(ALIAS, 'enabled');
    answerWith({ sse: 'aws:kms', kmsKeyId: OTHER_KEY });
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT, Date.parse('2027-06-01T00:00:00Z'));
    const { manifest } = await spool.deliver(id, s3SinkFor(store, { kmsKeyId: ALIAS }));
    expect(manifest.video.encryption).toEqual({ algorithm: 'aws:kms', keyId: OTHER_KEY });
    expect(await trial(ALIAS)).toMatchObject({
      encryption: `aws:kms with the key ${OTHER_KEY}, now the key of ${ALIAS}; as is the bucket's default`,
    });
  });
});

async function trial(kmsKeyId: string | null): ReturnType<typeof tryS3> {
  process.env['AWS_ACCESS_KEY_ID'] = store.credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = store.credentials.secretAccessKey;
  const trialSettings = settingsFor(store, { kmsKeyId });
  return tryS3({
    settings: trialSettings,
    network: new NodeNetwork(),
    prefix: '',
    machine: 'test',
    onDate: () => undefined,
  });
}

describe("doctor's trial", () => {
  const second = { skip: 1 };

  it.each<[string, string | null, () => unknown, string]>([
    ['without a key', null, () => undefined, 'AES256'],
    ['without any', null, () => answerWith(none), 'the store names no encryption'],
    [
      "with the bucket's own key",
      KMS_KEY,
      () => answerWith({ sse: 'aws:kms', kmsKeyId: KMS_KEY }, 'CreateMultipartUpload', second),
      `aws:kms with the key ${KMS_KEY}; as is the bucket's default`,
    ],
    [
      'with another key than the bucket has',
      KMS_KEY,
      () => answerWith(another, 'CreateMultipartUpload', second),
      `aws:kms with the key ${KMS_KEY}; the bucket's default is another: aws:kms with the key ${OTHER_KEY}`,
    ],
    [
      'where the bucket accepts no upload without a key',
      KMS_KEY,
      () => s3.inject({ kind: 'accessDenied', operation: 'CreateMultipartUpload', ...second }),
      `aws:kms with the key ${KMS_KEY}; the bucket's default is not known: AccessDenied: Access Denied`,
    ],
  ])('%s reports what the store answers', async (_, kmsKeyId, arrange, encryption) => {
    arrange();
    expect(await trial(kmsKeyId)).toMatchObject({ kind: 'put', encryption, problem: null });
    expect(await store.openUploads()).toBe(0);
  });
});

it('nothing that was asked of the stand-in was wrong', () => {
  expect(s3.problems).toEqual([]);
});
