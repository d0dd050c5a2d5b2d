// Whether a recording is what was recorded: real ones, as the folder sink stores them, and what somebody may have done to them.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { FolderSink } from '../../../../main/publisher/folderSink.ts';
import { canonicalJson } from '../../../../main/shared/canonicalJson.ts';
import type { Manifest } from '../../../../main/shared/manifest.ts';
import type { ReviewFile } from '../../../../review/server/library/ports.ts';
import { PublishedEvents } from '../../../../review/server/verify/publishedEvents.ts';
import { verifyRecording } from '../../../../review/server/verify/verifyRecording.ts';
import { publishedEvent, publishedRecordings } from '../../../rig/verifyCases.ts';

let mp4: Buffer;
let manifestText: string;
let event: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-test-'));
  const [result] = await publishedRecordings(new FolderSink(folder), 1);
  const path = fileURLToPath(result!.receipt.location);
  mp4 = await readFile(path);
  manifestText = await readFile(path.replace(/mp4$/, 'json'), 'utf8');
  event = publishedEvent(result!);
  await rm(folder, { recursive: true, force: true });
});

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** In chunks that are no divisors of anything. */
function fileOf(bytes: Buffer, chunkBytes = 9973): ReviewFile {
  return {
    sizeBytes: bytes.byteLength,
    etag: '"1"',
    read: (start, end, signal) => {
      let at = start;
      return Promise.resolve(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            if (signal.aborted) return controller.error(signal.reason);
            const next = Math.min(end + 1, at + chunkBytes);
            controller.enqueue(bytes.subarray(at, next));
            at = next;
            if (at > end) controller.close();
          },
        }),
      );
    },
  };
}

const signal = new AbortController().signal;
const verify = (text = manifestText, bytes = mp4, events?: PublishedEvents) =>
  verifyRecording({
    manifestText: text,
    file: fileOf(bytes),
    signal,
    ...(events === undefined ? {} : { events }),
  });
const parsed = (): Manifest => JSON.parse(manifestText) as Manifest;

/** A manifest with another content and the right digest, as a forger writes it. */
function forged(change: (manifest: Manifest) => void): string {
  const { contentSha256: _, ...content } = parsed();
  change(content);
  return JSON.stringify({ ...content, contentSha256: sha256(canonicalJson(content)) });
}

function withParts(manifest: Manifest, sizes: readonly number[], bytes = mp4): void {
  let at = 0;
  manifest.video.parts = sizes.map((sizeBytes) => {
    const part = bytes.subarray(at, (at += sizeBytes));
    return { sizeBytes, sha256: sha256(part) };
  });
  delete manifest.video.sha256;
}

describe('a recording', () => {
  it('is intact as it was stored, however the manifest is indented, and agrees with its event', async () => {
    const events = new PublishedEvents();
    events.add(event);
    expect(await verify(manifestText, mp4, events)).toMatchObject({
      verdict: 'intact',
      findings: [
        expect.stringContaining('size and SHA-256'),
        expect.stringContaining('the one of the PUBLISHED event'),
      ],
    });
    expect((await verify(JSON.stringify(parsed()))).verdict).toBe('intact');
  });

  it('is changed by any bit of the MP4, and by its end missing or another one added', async () => {
    for (const at of [0, Math.floor(mp4.byteLength / 2), mp4.byteLength - 1]) {
      const other = Buffer.from(mp4);
      other[at]! ^= 1;
      expect(await verify(manifestText, other)).toMatchObject({
        verdict: 'changed',
        findings: [expect.stringContaining('SHA-256 is not that of the manifest')],
      });
    }
    for (const other of [mp4.subarray(0, -1), Buffer.concat([mp4, Buffer.from([0])])])
      expect(await verify(manifestText, other)).toMatchObject({
        verdict: 'changed',
        findings: [expect.stringContaining(`the manifest says ${mp4.byteLength}`)],
      });
  });

  it('in parts, as S3 has it, is compared part by part, and the changed part is named', async () => {
    const sizes = [5000, 1, 20_000, mp4.byteLength - 25_001];
    const text = forged((manifest) => withParts(manifest, sizes));
    expect((await verify(text)).verdict).toBe('intact');
    const other = Buffer.from(mp4);
    other[5000]! ^= 1;
    other[25_001]! ^= 1;
    expect(await verify(text, other)).toMatchObject({
      verdict: 'changed',
      findings: [
        `The MP4 was changed: 2 of its 4 parts do not have the SHA-256 of the manifest (bytes 5000 to 5000, bytes 25001 to ${mp4.byteLength - 1}).`,
      ],
    });
    // Parts that do not add up say nothing about what is between them.
    const short = forged((manifest) => withParts(manifest, [5000, 1, 20_000]));
    expect((await verify(short)).verdict).toBe('changed');
  });

  it('is not verifiable without a SHA-256, and with a manifest of a later version', async () => {
    const none = forged(({ video }) => void delete video.sha256);
    expect((await verify(none)).verdict).toBe('not-verifiable');
    const later = await verify(JSON.stringify({ ...parsed(), manifestVersion: 2 }));
    expect(later).toMatchObject({
      verdict: 'not-verifiable',
      findings: [expect.stringContaining('Update Sightline')],
    });
  });

  it('is changed when the manifest was edited, damaged, or is none', async () => {
    const edited = manifestText.replace('card number', 'nothing');
    expect(edited).not.toBe(manifestText);
    expect(await verify(edited)).toMatchObject({
      verdict: 'changed',
      findings: [expect.stringContaining('contentSha256')],
    });
    const deep = `${manifestText.trim().slice(0, -1)},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    for (const text of ['', '{', '[]', manifestText.slice(0, 500), '{"manifestVersion":1}', deep])
      expect((await verify(text)).verdict, text.slice(0, 50)).toBe('changed');
  });

  it('of an earlier version has no digest of its own, which is said and is no fault', async () => {
    const { contentSha256: _, ...earlier } = parsed();
    expect(await verify(JSON.stringify(earlier))).toMatchObject({
      verdict: 'intact',
      findings: [expect.anything(), expect.stringContaining('earlier version')],
    });
  });

  it('that is forged from end to end is found by the event only', async () => {
    const other = Buffer.from(mp4);
    other[other.byteLength - 1]! ^= 1;
    const text = forged(({ video }) => (video.sha256 = sha256(other)));
    expect((await verify(text, other)).verdict).toBe('intact');
    const events = new PublishedEvents();
    events.add(event);
    expect(await verify(text, other, events)).toMatchObject({
      verdict: 'changed',
      findings: [expect.stringContaining('not the one of the PUBLISHED event')],
    });
    expect((await verify(manifestText, mp4, new PublishedEvents())).verdict).toBe('not-verifiable');
  });

  it('that was uploaded twice by two versions matches either event', async () => {
    const events = new PublishedEvents();
    events.add(event);
    events.add(event.replace(/"manifestSha256":"[0-9a-f]+"/, `"manifestSha256":"${'0'.repeat(64)}"`));
    expect((await verify(manifestText, mp4, events)).verdict).toBe('intact');
  });

  it('is not read on when it is aborted', async () => {
    const stop = new AbortController();
    const reading = verifyRecording({ manifestText, file: fileOf(mp4, 100), signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('a manifest that contradicts itself is changed, even with the right digest', () => {
  const cases: Record<string, (manifest: Manifest) => void> = {
    'a gap is gone': (manifest) => void manifest.gaps.pop(),
    'a run is gone': (manifest) => void manifest.runs.shift(),
    'a run overlaps the gap': ({ runs }) => (runs[0]!.endTime = runs[1]!.startTime),
    'a gap has another length': ({ gaps }) => (gaps[0]!.durationMs += 1),
    'a run is elsewhere in the MP4': ({ runs }) => (runs[1]!.offsetMs += 1),
    'it ends later': (manifest) =>
      (manifest.endTime = new Date(Date.parse(manifest.endTime) + 1000).toISOString()),
    'it is longer': (manifest) => (manifest.durationMs += 1),
    'no runs and gaps': (manifest) => void (manifest.runs.splice(0), manifest.gaps.splice(0)),
    'a suspension ends before it begins': ({ suspensions }) =>
      (suspensions[0]!.resumedAt = new Date(Date.parse(suspensions[0]!.suspendedAt) - 1).toISOString()),
    'more slates than frames': (manifest) => {
      const [gap] = manifest.gaps;
      manifest.video.frames = 1;
      const half = new Date(Date.parse(gap!.startTime) + 1000).toISOString();
      const second = {
        ...gap!,
        startTime: half,
        offsetMs: gap!.offsetMs + 1000,
        durationMs: gap!.durationMs - 1000,
      };
      manifest.gaps = [{ ...gap!, endTime: half, durationMs: 1000 }, second];
    },
  };
  it.each(Object.entries(cases))('%s', async (_, change) => {
    const { verdict, findings } = await verify(forged(change));
    expect(verdict).toBe('changed');
    expect(findings[0]).toMatch(/^The manifest (contradicts itself|is not complete): /);
  });
});
