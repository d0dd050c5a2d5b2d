// Chapters and clock of an MP4, as ffprobe, ffmpeg and mediabunny read them, in both forms that sinks store.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDecoderConfig } from '../../../main/media/decoderConfig.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import type { Moov } from '../../../main/media/moov.ts';
import { Mp4Muxer } from '../../../main/media/mp4Muxer.ts';
import type { Texts } from '../../../main/media/textTracks.ts';
import { MAX_CHAPTERS, maxTextBytes } from '../../../main/media/textTracks.ts';
import { decodesCleanly, probe, topLevelBoxes } from '../../rig/mp4.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../../rig/process.ts';
import { temporaryFolder } from '../support/folders.ts';
import { makeTestVideo } from '../support/fragmentedMp4.ts';

const FRAMES = 10;
const startTime = Date.parse('2026-03-02T23:59:58.250Z');
const texts: Texts = {
  startTime,
  durationMs: 4000,
  chapters: [
    { atMs: 0, title: '2026-03-02 23:59:58 UTC Recorded' },
    { atMs: 1201, title: '23:59:59 UTC Recording suspended, 1.8 s. Suspended by the page: кредит' },
    { atMs: 3001, title: '00:00:01 UTC Recorded' },
  ],
};
let frames: Uint8Array[];
let config: VideoDecoderConfig;

beforeAll(async () => {
  const segments = new FragmentSplitter().push((await makeTestVideo(FRAMES)).bytes);
  frames = segments.flatMap((one) => (one.kind === 'fragment' ? [one.fragment.frame] : []));
  const start = segments.find((one) => one.kind === 'initialisation');
  config = await readDecoderConfig(start!.segment.bytes);
});

async function mux(of: Texts, most = maxTextBytes(of.chapters.length, of.durationMs)) {
  const media: Uint8Array[] = [];
  const muxer = new Mp4Muxer(FRAMES, most, (_, data) => Promise.resolve(void media.push(data)));
  const durationMs = of.durationMs / FRAMES;
  for (const [index, data] of frames.entries())
    await muxer.add({ data, timeMs: index * durationMs, durationMs }, config);
  return { moov: await muxer.finish(of), media: Buffer.concat(media) };
}

const forms = { padded: (moov: Moov) => moov.padded(), compact: (moov: Moov) => moov.compact() };

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(await temporaryFolder(), 'video.mp4');
  await writeFile(path, bytes);
  return path;
}

interface Probe {
  readonly streams: { codec_tag_string: string; nb_frames: string; disposition: { default: number } }[];
  readonly chapters: { start_time: string; end_time: string; tags: { title: string } }[];
}

async function ffprobe(path: string): Promise<Probe> {
  const { stdout } = await runOrThrow(findTool(['ffprobe'], FFMPEG_HINT), [
    ...['-v', 'error', '-show_streams', '-show_chapters', '-of', 'json', path],
  ]);
  return JSON.parse(String(stdout)) as Probe;
}

/** As SRT: number, times, text. */
async function clockOf(path: string): Promise<string[][]> {
  const { stdout } = await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
    ...['-v', 'error', '-i', path, '-map', '0:s:0', '-f', 'srt', '-'],
  ]);
  return String(stdout)
    .trim()
    .split(/\r?\n\r?\n/)
    .map((cue) =>
      cue
        .replaceAll(/<[^>]*>/g, '')
        .split(/\r?\n/)
        .slice(1),
    );
}

describe.each(Object.entries(forms))('a %s MP4', (form, bytesOf) => {
  it('has its chapters, and a clock that no player shows by default', async () => {
    const { moov, media } = await mux(texts);
    const path = await fileOf(Buffer.concat([bytesOf(moov), media]));
    const { streams, chapters } = await ffprobe(path);
    expect(streams.map((one) => [one.codec_tag_string, one.disposition.default, one.nb_frames])).toEqual([
      ['avc1', 1, '10'],
      ['text', 0, '3'],
      ['tx3g', 0, '5'],
    ]);
    expect(chapters.map((one) => [Number(one.start_time), Number(one.end_time), one.tags.title])).toEqual([
      [0, 1.201, texts.chapters[0]!.title],
      [1.201, 3.001, texts.chapters[1]!.title],
      [3.001, 4, texts.chapters[2]!.title],
    ]);
    // The clock changes when the second does, also at midnight.
    expect(await clockOf(path)).toEqual([
      ['00:00:00,000 --> 00:00:00,750', '23:59:58 UTC'],
      ['00:00:00,750 --> 00:00:01,750', '23:59:59 UTC'],
      ['00:00:01,750 --> 00:00:02,750', '00:00:00 UTC'],
      ['00:00:02,750 --> 00:00:03,750', '00:00:01 UTC'],
      ['00:00:03,750 --> 00:00:04,000', '00:00:02 UTC'],
    ]);
  });

  it('keeps its frames: decoded by ffmpeg, read one by one by mediabunny', async () => {
    const { moov, media } = await mux(texts);
    const bytes = Buffer.concat([bytesOf(moov), media]);
    const path = await fileOf(bytes);
    expect(await decodesCleanly(path)).toBe('');
    expect(await probe(path)).toMatchObject({ packets: FRAMES, durationMs: 4000, startTimeMs: 0 });
    expect(await topLevelBoxes(path)).toEqual(
      form === 'padded' ? ['ftyp', 'moov', 'mdat', 'free', 'mdat'] : ['ftyp', 'moov', 'mdat', 'mdat'],
    );
    const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
    const track = (await input.getPrimaryVideoTrack())!;
    const read: Buffer[] = [];
    for await (const { data } of new EncodedPacketSink(track).packets()) read.push(Buffer.from(data));
    expect(read).toEqual(frames.map((one) => Buffer.from(one)));
  });

  it('is the same in each attempt', async () => {
    const [one, other] = [await mux(texts), await mux(texts)];
    expect(bytesOf(one.moov).equals(bytesOf(other.moov))).toBe(true);
  });

  it('has room for the longest titles of a day', async () => {
    const chapters = Array.from({ length: MAX_CHAPTERS }, (_, index) => ({
      atMs: index * 300_000,
      // Four bytes each: cut off before the one that does not fit.
      title: '𝕏'.repeat(100),
    }));
    const { moov, media } = await mux({ startTime, durationMs: 24 * 3_600_000, chapters });
    const path = await fileOf(Buffer.concat([bytesOf(moov), media]));
    const found = await ffprobe(path);
    expect(found.chapters.map(({ tags }) => tags.title)).toEqual(chapters.map(() => '𝕏'.repeat(63)));
    expect(found.streams[2]!.nb_frames).toBe(String(24 * 3600 + 1));
  });
});

it('of which no more is reserved than is needed, the recording is stored without chapters where they have no room', async () => {
  const day: Texts = { ...texts, durationMs: 24 * 3_600_000 };
  const { moov, media } = await mux(day, 0);
  const path = await fileOf(Buffer.concat([moov.padded(), media]));
  expect(await decodesCleanly(path)).toBe('');
  const { streams, chapters } = await ffprobe(path);
  expect([streams.length, chapters.length]).toEqual([1, 0]);
});
