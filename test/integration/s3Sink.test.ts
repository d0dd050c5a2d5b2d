// The S3 sink against our strict stand-in, which verifies everything and fails on demand. Real SDK, real spool, real assembly; the
// objects are judged by ffmpeg. What needs no faults is in s3Stores.test.ts, with stores that we did not write.
import { readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UploadError } from '../../main/publisher/uploadError.ts';
import { START, s3SinkFor } from '../rig/uploads.ts';
import { LONG, SHORT, expectWhole, newId, recordingsIn, rig } from '../rig/s3Judge.ts';
import type { Fault, S3Server } from '../rig/s3Server.ts';
import { KMS_KEY, startStrictStore } from '../rig/s3Store.ts';

/** Of a run file, where the first chunk holds no picture. */
async function flipPicture(path: string, picture: number): Promise<void> {
  const bytes = await readFile(path);
  let at = 8;
  for (let chunk = 0; chunk < picture + 1; chunk += 1) at += 4 + bytes.readUInt32BE(at);
  bytes[at + 40]! ^= 1;
  await writeFile(path, bytes);
}

const strict = await startStrictStore({ listPartsPage: 2 });
const s3 = strict.strict as S3Server;
afterAll(() => strict.stop());
// In its own hook, so that it is stopped when this fails.
if (process.platform === 'linux') afterAll(async () => expect(await openSpoolFiles()).toEqual([]));

/** Files of tests' folders that this process still has open: nothing but garbage collection would close them. */
async function openSpoolFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const paths = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return paths.filter((path) => path.includes('/sightline-test-'));
}

it('a long recording takes a longer name where another one has its name', async () => {
  const spool = await rig();
  const [one, two] = [newId(), newId()];
  const tags = { department: 'sales', 'cost centre': 'a@b=1' };
  for (const id of [one, two]) {
    await spool.record(id, LONG, START + 10_000_000);
    const started = spool.session.ledger.recordings.get(id)!.started;
    // The same contact, begun twice in a second.
    Object.assign(started, { contact: { ...started.contact, contactId: 'twice' } });
  }
  const sink = s3SinkFor(strict, { kmsKeyId: KMS_KEY, storageClass: 'STANDARD_IA', tags });
  await spool.deliver(one, sink);
  await spool.deliver(two, sink).catch(() => spool.deliver(two, sink));
  const [keyOfOne, keyOfTwo] = [await expectWhole(strict, one, LONG), await expectWhole(strict, two, LONG)];
  expect(keyOfTwo).toBe(keyOfOne.replace('.mp4', `_${two.slice(0, 8)}.mp4`));
  for (const id of [one, two])
    expect((await recordingsIn(strict, id)).videos).toMatchObject([
      { tags, storageClass: 'STANDARD_IA', kmsKeyId: KMS_KEY, bucketKey: true },
    ]);
  expect(await strict.openUploads()).toBe(0);
});

describe('while the contact goes on', () => {
  it('parts go as they fill, and only the head, its part and the last one are left to send', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    const delivery = spool.live(id, s3SinkFor(strict));
    const before = s3.requests.length;
    for (let step = 0; step < 8; step += 1) {
      await run.grow(60);
      await delivery.advance(run.endTime - 5000);
    }
    const sentLive = partsSent(before);
    expect(sentLive.length).toBeGreaterThanOrEqual(3);
    expect(sentLive).not.toContain(1);
    const atStop = s3.requests.length;
    await spool.end(id, run);
    await spool.deliver(id, s3SinkFor(strict), delivery);
    await expectWhole(strict, id, 480);
    const sentAtStop = partsSent(atStop);
    expect(sentAtStop).toContain(1);
    expect(sentAtStop.length).toBeLessThanOrEqual(3);
    expect(new Set([...sentLive, ...sentAtStop]).size).toBe(sentLive.length + sentAtStop.length);
  });

  it('what was sent before a crash is not sent again, whatever page of ListParts it is on', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(700);
    const before = s3.requests.length;
    const first = spool.live(id, s3SinkFor(strict));
    await first.advance(run.endTime);
    await first.abort();
    const sent = partsSent(before);
    expect(sent.length).toBeGreaterThan(4);
    await spool.end(id, run);
    await spool.reopen();
    const after = s3.requests.length;
    await spool.deliver(id, s3SinkFor(strict));
    expect(partsSent(after).filter((part) => sent.includes(part))).toEqual([]);
    await expectWhole(strict, id, 700);
  });

  it('a timeline that was changed in between is sent as it is now', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(400);
    const delivery = spool.live(id, s3SinkFor(strict));
    await delivery.advance(run.endTime);
    await run.close();
    // An earlier end than what was taken in.
    const endTime = START + 60_000;
    await spool.session.append({ type: 'contact.stopped', recordingId: id, endTime, cause: 'stopped' });
    await spool.deliver(id, s3SinkFor(strict), delivery);
    await expectWhole(strict, id, 300);
    expect(await strict.openUploads()).toBe(0);
  });
});

describe('damage', () => {
  it('a run that was damaged meanwhile is delivered as far as it can be read', async () => {
    const spool = await rig();
    const id = newId();
    const run = await spool.begin(id);
    await run.grow(LONG);
    const begun = spool.live(id, s3SinkFor(strict));
    await begun.advance(START + (LONG - 100) * 200);
    await spool.end(id, run);
    const readable = LONG - 20;
    await flipPicture(join(spool.session.folder, `run-of-${id}.run`), readable);
    const { manifest } = await spool.deliver(id, s3SinkFor(strict), begun);
    expect(manifest).toMatchObject({
      durationMs: LONG * 200,
      gaps: [{ offsetMs: readable * 200, durationMs: 20 * 200, reason: 'unreadable' }],
      integrity: {
        state: 'damaged',
        findings: [{ kind: 'run-damaged', frames: LONG, readableFrames: readable }],
      },
      // The slate is one more.
      video: { frames: readable + 1 },
    });
    expect((await recordingsIn(strict, id)).videos).toHaveLength(1);
    expect(await strict.openUploads()).toBe(0);
  });
});

function partsSent(since: number): number[] {
  return s3.requests
    .slice(since)
    .flatMap(({ operation, partNumber, status }) =>
      operation === 'UploadPart' && status === 200 && partNumber !== null ? [partNumber] : [],
    );
}

describe('trouble', () => {
  afterEach(() => s3.clearFaults());
  beforeAll(() => expect(s3.problems).toEqual([]));

  const passing = (code: string) => ({ code, isPermanent: false });
  const permanent = (code: string) => ({ code, isPermanent: true });
  const cases: [string, number, Fault, { code: string; isPermanent: boolean }][] = [
    ['an internal error', SHORT, { kind: 'internalError' }, passing('SERVICE_ISSUE')],
    [
      'an internal error in a part',
      LONG,
      { kind: 'internalError', operation: 'UploadPart', skip: 1 },
      passing('SERVICE_ISSUE'),
    ],
    ['SlowDown', LONG, { kind: 'slowDown', operation: 'UploadPart' }, passing('SERVICE_ISSUE')],
    [
      'SlowDown at the end',
      LONG,
      { kind: 'slowDown', operation: 'CompleteMultipartUpload' },
      passing('SERVICE_ISSUE'),
    ],
    [
      'a reset in mid-object',
      SHORT,
      { kind: 'reset', operation: 'PutObject', afterBytes: 1_000_000 },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'a reset in mid-part',
      LONG,
      { kind: 'reset', operation: 'UploadPart', afterBytes: 2_000_000, skip: 1 },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    ['a stalled read', LONG, { kind: 'stall', operation: 'UploadPart' }, passing('CLIENT_CONNECTION_ERROR')],
    [
      'a stalled answer',
      SHORT,
      { kind: 'stall', operation: 'PutObject' },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'a lost answer to an object',
      SHORT,
      { kind: 'lostAnswer', operation: 'PutObject' },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'a lost answer to the beginning',
      LONG,
      { kind: 'lostAnswer', operation: 'CreateMultipartUpload' },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'a lost answer to a part',
      LONG,
      { kind: 'lostAnswer', operation: 'UploadPart' },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'a lost answer to the end',
      LONG,
      { kind: 'lostAnswer', operation: 'CompleteMultipartUpload' },
      passing('CLIENT_CONNECTION_ERROR'),
    ],
    [
      'an expired token',
      LONG,
      { kind: 'expiredToken', operation: 'UploadPart' },
      passing('CLIENT_AUTH_ERROR'),
    ],
    [
      'a clock that is off',
      LONG,
      { kind: 'clockSkew', operation: 'UploadPart' },
      passing('CLIENT_AUTH_ERROR'),
    ],
    ['a conflict', SHORT, { kind: 'conflict', operation: 'PutObject' }, passing('SERVICE_ISSUE')],
    [
      'a conflict at the end',
      LONG,
      { kind: 'conflict', operation: 'CompleteMultipartUpload' },
      passing('SERVICE_ISSUE'),
    ],
    [
      'an error in a 200',
      LONG,
      { kind: 'error200', operation: 'CompleteMultipartUpload' },
      passing('SERVICE_ISSUE'),
    ],
    [
      'a wrong checksum in the answer',
      SHORT,
      { kind: 'wrongChecksumInAnswer', operation: 'PutObject' },
      passing('UPLOAD_FAILED'),
    ],
    [
      'a wrong checksum in a part’s answer',
      LONG,
      { kind: 'wrongChecksumInAnswer', operation: 'UploadPart' },
      passing('UPLOAD_FAILED'),
    ],
    [
      'a wrong checksum in the last answer',
      LONG,
      { kind: 'wrongChecksumInAnswer', operation: 'CompleteMultipartUpload' },
      passing('UPLOAD_FAILED'),
    ],
    [
      'no right to put',
      SHORT,
      { kind: 'accessDenied', operation: 'PutObject' },
      permanent('CLIENT_AUTH_ERROR'),
    ],
    [
      'no right to the key',
      LONG,
      { kind: 'kmsAccessDenied', operation: 'CreateMultipartUpload' },
      permanent('CLIENT_AUTH_ERROR'),
    ],
    ['no such bucket', SHORT, { kind: 'noSuchBucket', operation: 'PutObject' }, permanent('UPLOAD_FAILED')],
  ];

  it.each(cases)(
    '%s is told apart, and the next try delivers once and whole',
    async (_, frames, fault, expected) => {
      const spool = await rig();
      const id = newId();
      await spool.record(id, frames);
      const uploadsBefore = await strict.openUploads();
      const injected = s3.inject(fault);
      const error = await spool.deliver(id, s3SinkFor(strict)).then(
        () => null,
        (failed: unknown) => failed,
      );
      expect(error).toBeInstanceOf(UploadError);
      expect(error).toMatchObject(expected);
      expect(injected.hits).toBe(1);
      s3.clearFaults();
      await spool.reopen();
      await spool.deliver(id, s3SinkFor(strict));
      await expectWhole(strict, id, frames);
      expect(await strict.openUploads()).toBe(uploadsBefore);
    },
    20_000,
  );

  it('a wrong key of KMS, an unknown access key and a wrong secret are told apart', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT);
    const tries = [
      [s3SinkFor(strict, { kmsKeyId: KMS_KEY.replace('11111111', '99999999') }), 'UPLOAD_FAILED', 'KMS key'],
      [
        s3SinkFor({ ...strict, credentials: { ...strict.credentials, accessKeyId: 'AKIANOBODYNOBODY0000' } }),
        'CLIENT_AUTH_ERROR',
        'access key',
      ],
      [
        s3SinkFor({ ...strict, credentials: { ...strict.credentials, secretAccessKey: 'wrong' } }),
        'CLIENT_AUTH_ERROR',
        'secret',
      ],
    ] as const;
    for (const [sink, code, words] of tries) {
      const error = await spool.deliver(id, sink).catch((failed: unknown) => failed);
      expect(error).toMatchObject({ code, isPermanent: true });
      expect(String(error)).toContain(words);
      expect(String(error)).not.toContain(strict.credentials.secretAccessKey);
    }
    s3.problems.length = 0; // the stand-in has noted those
    await spool.deliver(id, s3SinkFor(strict));
    await expectWhole(strict, id, SHORT);
  });

  it('a server that is not there is waited for', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, LONG);
    await s3.down();
    const error = await spool.deliver(id, s3SinkFor(strict)).catch((failed: unknown) => failed);
    expect(error).toMatchObject({ code: 'CLIENT_CONNECTION_ERROR', isPermanent: false });
    await s3.up();
    await spool.deliver(id, s3SinkFor(strict));
    await expectWhole(strict, id, LONG);
  });

  it('an object that is there already and may not be looked at is said to be so, and replaced by nobody', async () => {
    const spool = await rig();
    const id = newId();
    await spool.record(id, SHORT);
    const lost = s3.inject({ kind: 'lostAnswer', operation: 'PutObject' });
    await spool.deliver(id, s3SinkFor(strict)).catch(() => undefined);
    expect(lost.hits).toBe(1);
    s3.inject({ kind: 'accessDenied', operation: 'HeadObject' });
    const error = await spool.deliver(id, s3SinkFor(strict)).catch((failed: unknown) => failed);
    expect(error).toMatchObject({ code: 'CLIENT_AUTH_ERROR', isPermanent: true });
    expect(String(error)).toContain('s3:GetObject');
    await spool.deliver(id, s3SinkFor(strict));
    await expectWhole(strict, id, SHORT);
  });
});

it('nothing that was asked of the strict stand-in was wrong', () => {
  expect(s3.problems).toEqual([]);
});
