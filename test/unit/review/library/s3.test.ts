// A library in S3, over the rig's strict server: pages of names, names that an HTTP client would change, ranges of one version, and
// what a reviewer is told when the store refuses.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordingRow } from '../../../../review/contract.ts';
import type { LibraryOptions } from '../../../../review/server/library/openLibrary.ts';
import type { Library } from '../../../../review/server/library/ports.ts';
import { readRange } from '../../../../review/server/library/source.ts';
import { madeRecording } from '../../../rig/reviewLibrary.ts';
import { startS3Server, TEST_KEY, type S3Server } from '../../../rig/s3Server.ts';
import { EVERYTHING, opened } from './support.ts';

const BUCKET = 'recordings';
const never = new AbortController().signal;
let s3: S3Server;

beforeEach(async () => {
  s3 = await startS3Server({ buckets: [BUCKET] });
});
afterEach(() => s3.close());

function library(location = `s3://${BUCKET}/connect`, more: Partial<LibraryOptions> = {}): Promise<Library> {
  const policy = { awsRegion: 'eu-west-1', awsProfile: null, s3Endpoint: s3.endpoint, s3PathStyle: true };
  return opened(location, { policy, credentials: TEST_KEY, ...more });
}

function put(index: number, under = '', mp4: Buffer | null = Buffer.from('an MP4')): string {
  const { key, manifest } = madeRecording(index);
  const name = key.replace('connect/', `connect/${under}`);
  s3.put(BUCKET, name.replace(/mp4$/, 'json'), Buffer.from(JSON.stringify(manifest)));
  if (mp4 !== null) s3.put(BUCKET, name, mp4);
  return name;
}

const all = (one: Library): readonly RecordingRow[] => one.list({}, EVERYTHING).rows;
const requests = (operation: string): number =>
  s3.requests.filter((one) => one.operation === operation).length;

describe('a library in S3', () => {
  it('lists in pages, and reads again only what has changed', async () => {
    for (let index = 0; index < 40; index += 1) put(index);
    for (let index = 0; index < 1000; index += 1)
      s3.put(BUCKET, `connect/acme/${index}.txt`, Buffer.alloc(1));
    const one = await library();
    expect(one.state).toMatchObject({ state: 'ready', indexed: 40 });
    expect(requests('ListObjectsV2')).toBe(2);
    expect(requests('GetObject')).toBe(40);
    put(700);
    await one.refresh();
    expect(requests('GetObject')).toBe(41);
    expect(one.list({}, EVERYTHING).total).toBe(41);
    expect(s3.problems).toEqual([]);
  });

  it('is the prefix and nothing beside it', async () => {
    put(0, 'acme/');
    put(1, 'acme-test/');
    expect((await library(`s3://${BUCKET}/connect/acme/`)).state.indexed).toBe(1);
    expect((await library(`s3://${BUCKET}`)).state.indexed).toBe(2);
    await expect(library(`s3://${BUCKET}/connect/../x`)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(library('s3://')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('has no row for a name that a client would turn into another one', async () => {
    const { manifest } = madeRecording(0);
    const text = Buffer.from(JSON.stringify(manifest));
    for (const name of ['a/../b', 'a/./b', 'a//b', '../b', '.hidden', '/b'])
      for (const ending of ['json', 'mp4'])
        s3.put(BUCKET, `connect/${name}_20260302T060000Z.${ending}`, text);
    for (const name of ['ü +%2e%2e&?#', 'a\\..\\b'])
      for (const ending of ['json', 'mp4'])
        s3.put(BUCKET, `connect/${name}_20260302T060000Z.${ending}`, text);
    const one = await library();
    const names = all(one).map(({ id }) => one.find(id, EVERYTHING)!.key);
    expect(names.sort()).toEqual(['a\\..\\b_20260302T060000Z.mp4', 'ü +%2e%2e&?#_20260302T060000Z.mp4']);
    for (const { id } of all(one))
      expect((await one.find(id, EVERYTHING)!.detail()).manifest.recordingId).toBe(manifest.recordingId);
  });

  it('with names too long for one answer is listed in smaller pages', async () => {
    const { manifest } = madeRecording(0);
    const text = Buffer.from(JSON.stringify(manifest));
    for (let index = 0; index < 450; index += 1)
      s3.put(
        BUCKET,
        `connect/${'ü'.repeat(240)}/${'ü'.repeat(230)}/${index}_20260302T060000Z.${index % 45 === 0 ? 'json' : 'txt'}`,
        text,
      );
    expect((await library()).state).toMatchObject({ state: 'ready', indexed: 10 });
  });

  it('reads ranges of one version of an object, larger than one answer may be', async () => {
    const content = Buffer.alloc(2_500_000, 'abcdefghij');
    const key = put(0, '', content);
    const one = await library();
    const video = await one.find(all(one)[0]!.id, EVERYTHING)!.video();
    expect(video.sizeBytes).toBe(2_500_000);
    expect((await readRange(video, 7, 2_400_000, never)).equals(content.subarray(7, 2_400_001))).toBe(true);
    const reader = (await video.read(0, 2_499_999, never)).getReader();
    await reader.read();
    s3.put(BUCKET, key, Buffer.alloc(2_500_000, 'other'));
    const rest = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'LIBRARY_UNAVAILABLE' });
    await expect(readRange(video, 0, 4, never)).rejects.toMatchObject({ code: 'LIBRARY_UNAVAILABLE' });
    const again = await one.find(all(one)[0]!.id, EVERYTHING)!.video();
    expect((await readRange(again, 0, 4, never)).toString()).toBe('other');
  });

  it('retries what may pass, and keeps its rows when the store stays away', async () => {
    put(0);
    s3.inject({ kind: 'slowDown', operation: 'ListObjectsV2' });
    s3.inject({ kind: 'reset', operation: 'GetObject' });
    const one = await library();
    expect(one.state).toMatchObject({ state: 'ready', indexed: 1 });
    s3.inject({ kind: 'accessDenied', operation: 'ListObjectsV2' });
    await one.refresh();
    const { state, indexed, problem } = one.state;
    expect({ state, indexed, code: problem?.code }).toEqual({
      state: 'failed',
      indexed: 1,
      code: 'LIBRARY_UNAVAILABLE',
    });
    expect(problem?.message).toContain('s3:ListBucket');
    await one.refresh();
    expect(one.state.state).toBe('ready');
  });

  it('shows an object that may not be read as its own row, and tries it again', async () => {
    put(0);
    put(1);
    s3.inject({ kind: 'kmsAccessDenied', operation: 'GetObject' });
    const one = await library();
    expect(
      all(one)
        .map(({ problems }) => problems.includes('unreadable-manifest'))
        .sort(),
    ).toEqual([false, true]);
    await one.refresh();
    expect(all(one).some(({ problems }) => problems.includes('unreadable-manifest'))).toBe(false);
  });

  it('finds audio by the beginning of its name, in the folders of its days', async () => {
    put(0);
    const { manifest } = madeRecording(0);
    const id = manifest.contact.contactId;
    s3.put(BUCKET, `calls/CallRecordings/2026/03/02/${id}_20260302T06:00_UTC.wav`, Buffer.alloc(100));
    s3.put(
      BUCKET,
      `calls/Analysis/Voice/Redacted/2026/03/02/${id}_analysis_redacted_2026-03-02T06:00:02Z.json`,
      Buffer.from('{"Transcript":[]}'),
    );
    const one = await library(undefined, { audio: [`s3://${BUCKET}/calls`] });
    const before = s3.requests.length;
    const recording = one.find(all(one)[0]!.id, EVERYTHING)!;
    expect((await recording.audio('original')).sizeBytes).toBe(100);
    expect((await recording.transcript()).lines).toEqual([]);
    const asked = s3.requests.slice(before).filter(({ operation }) => operation === 'ListObjectsV2');
    expect(asked.length).toBeLessThan(20);
    expect((await recording.detail()).hasTranscript).toBe(true);
  });
});
