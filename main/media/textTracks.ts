// What ordinary players show of a recording: chapters, and the wall clock as a subtitle track that is off by default. Chapters
// are written twice, as ffmpeg and HandBrake do: `chpl` (Nero), and a text track that the video refers to (QuickTime File
// Format, "Chapter lists"), which Apple's players need. The clock is 3GPP timed text (TS 26.245), the only subtitles in an MP4
// that VLC, QuickTime and mpv all read.

import type { Moment } from '../shared/time.ts';
import { box, fullBox, u16, u32, u64 } from './boxWriter.ts';

export interface Chapter {
  readonly atMs: number;
  /** Without anything that a player may take for markup. */
  readonly title: string;
}

export interface Texts {
  /** In order; the first begins at 0. At most MAX_CHAPTERS. */
  readonly chapters: readonly Chapter[];
  readonly startTime: Moment;
  readonly durationMs: number;
}

/** `chpl` counts them in one byte. */
export const MAX_CHAPTERS = 255;
/** And the bytes of each title. */
const MAX_TITLE_BYTES = 255;
const CUE_BYTES = Buffer.byteLength('\0\0hh:mm:ss UTC');
/** Millisecond ticks: chapters and seconds begin exactly where they should. */
const TIMESCALE = 1000;
/** In place of an identity matrix: 16.16 fixed point, the last column 2.30. */
const UNITY = 0x10000;
const LAST = 0x40000000;
const IN_MOVIE_BUT_NOT_ENABLED = 2;
/** Players choose one of a group; frames are in none. */
const SUBTITLES = 2;
/** Not English: a player whose user prefers English subtitles would switch the clock on. */
const LANGUAGE_UNDETERMINED = 0x55c4;

/** At most so many bytes are needed for the texts. */
export function maxTextBytes(chapters: number, durationMs: number): number {
  const perChapter = 2 * MAX_TITLE_BYTES + 40;
  return (
    3000 + Math.min(chapters, MAX_CHAPTERS) * perChapter + (Math.ceil(durationMs / 1000) + 2) * CUE_BYTES
  );
}

/** Of the movie: what the tracks must agree with. */
export interface Movie {
  readonly timescale: number;
  readonly width: number;
  readonly height: number;
  /** Not yet used; the next one neither. */
  readonly trackId: number;
}

export interface TextBoxes {
  /** `trak` of the chapters, `trak` of the clock, `udta`: for the end of `moov`. */
  readonly boxes: Buffer;
  /** For the `trak` of the video. */
  readonly reference: Buffer;
  /** An `mdat` with the texts. */
  readonly data: Buffer;
}

/** What does not depend on the place in the file. */
export interface TextSamples {
  readonly texts: Texts;
  readonly titles: readonly Buffer[];
  readonly chapters: readonly Buffer[];
  readonly cues: {
    readonly durations: readonly (readonly [count: number, ms: number])[];
    readonly data: Buffer;
  };
}

export function textSamples(texts: Texts): TextSamples {
  const titles = texts.chapters.map(({ title }) => shortened(title));
  return { texts, titles, chapters: titles.map(chapterSample), cues: clockCues(texts) };
}

/** @param dataAt where `data` will be in the file */
export function textBoxes(samples: TextSamples, movie: Movie, dataAt: number): TextBoxes {
  const { texts, titles, cues, chapters: chapterSamples } = samples;
  const chapterData = Buffer.concat(chapterSamples);
  const samplesAt = dataAt + 8;
  const chapters = track(movie, texts.durationMs, {
    id: movie.trackId,
    name: 'Chapters',
    handler: 'text',
    language: 0,
    media: box(
      'gmhd',
      fullBox('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)),
      box('text', matrix(0, 0)),
    ),
    description: quickTimeText,
    durations: texts.chapters.map(({ atMs }, index) => [
      1,
      (texts.chapters[index + 1]?.atMs ?? texts.durationMs) - atMs,
    ]),
    sizes: chapterSamples.map(({ byteLength }) => byteLength),
    at: samplesAt,
    place: null,
  });
  const height = Math.round(movie.height / 10);
  const clock = track(movie, texts.durationMs, {
    id: movie.trackId + 1,
    name: 'Clock (UTC)',
    handler: 'sbtl',
    language: LANGUAGE_UNDETERMINED,
    media: fullBox('nmhd', 0, 0),
    description: timedText(movie.width, height),
    durations: cues.durations,
    sizes: { each: CUE_BYTES, count: cues.data.byteLength / CUE_BYTES },
    at: samplesAt + chapterData.byteLength,
    place: { width: movie.width, height, down: movie.height - height },
  });
  return {
    boxes: Buffer.concat([chapters, clock, box('udta', neroChapters(texts.chapters, titles))]),
    reference: box('tref', box('chap', u32(movie.trackId))),
    data: box('mdat', chapterData, cues.data),
  };
}

interface Track {
  readonly id: number;
  readonly name: string;
  readonly handler: 'text' | 'sbtl';
  readonly language: number;
  /** The header that goes with the handler. */
  readonly media: Buffer;
  /** The only entry of `stsd`. */
  readonly description: Buffer;
  /** How many samples, of how many milliseconds each. */
  readonly durations: readonly (readonly [count: number, ms: number])[];
  readonly sizes: readonly number[] | { readonly each: number; readonly count: number };
  /** Where its samples are in the file, one after the other. */
  readonly at: number;
  /** In the picture; null: nothing is shown. */
  readonly place: { readonly width: number; readonly height: number; readonly down: number } | null;
}

function track(movie: Movie, durationMs: number, one: Track): Buffer {
  const { sizes, place } = one;
  const inMovie = Math.round((durationMs * movie.timescale) / 1000);
  const isLong = inMovie > 0xffffffff;
  const version = isLong ? 1 : 0;
  // Creation and modification time, which Moov sets.
  const times = Buffer.alloc(isLong ? 16 : 8);
  const time = isLong ? u64 : u32;
  const count = 'each' in sizes ? sizes.count : sizes.length;
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), one.description),
    fullBox('stts', 0, 0, u32(one.durations.length), u32(...one.durations.flat())),
    fullBox('stsc', 0, 0, u32(1, 1, count, 1)),
    'each' in sizes
      ? fullBox('stsz', 0, 0, u32(sizes.each, count))
      : fullBox('stsz', 0, 0, u32(0, count), u32(...sizes)),
    fullBox('stco', 0, 0, u32(1, one.at)),
  );
  return box(
    'trak',
    fullBox(
      ...([
        'tkhd',
        version,
        IN_MOVIE_BUT_NOT_ENABLED,
        times,
        u32(one.id, 0),
        time(inMovie),
        u32(0, 0),
      ] as const),
      u16(0, place === null ? 0 : SUBTITLES, 0, 0),
      matrix(0, place?.down ?? 0),
      u32((place?.width ?? 0) * UNITY, (place?.height ?? 0) * UNITY),
    ),
    box('edts', fullBox('elst', version, 0, u32(1), time(inMovie), time(0), u16(1, 0))),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, Buffer.alloc(8), u32(TIMESCALE, durationMs), u16(one.language, 0)),
      fullBox('hdlr', 0, 0, u32(0), Buffer.from(one.handler), Buffer.alloc(12), Buffer.from(`${one.name}\0`)),
      box('minf', one.media, box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))), table),
    ),
    box('udta', box('name', Buffer.from(one.name))),
  );
}

function matrix(right: number, down: number): Buffer {
  return u32(UNITY, 0, 0, 0, UNITY, 0, right * UNITY, down * UNITY, LAST);
}

/** Sample entries begin with six reserved bytes and the index of the data reference. */
const entryStart = Buffer.concat([Buffer.alloc(6), u16(1)]);

/** As ffmpeg describes a chapter track's samples: no place, no colours, font 1. */
const quickTimeText = box(
  'text',
  ...[entryStart, u32(1), Buffer.alloc(18), u16(1), Buffer.alloc(6)],
  box('ftab', u16(1, 1), Buffer.from([0])),
);

/** TS 26.245, 5.16: in the middle of the bottom line, white on a dark ground. */
function timedText(width: number, height: number): Buffer {
  const black = Buffer.from([0, 0, 0, 0xa0]);
  const white = Buffer.from([0xff, 0xff, 0xff, 0xff]);
  const fontSize = Math.min(255, Math.round(height / 2));
  return box(
    'tx3g',
    ...[entryStart, u32(0), Buffer.from([1, 0xff]), black, u16(0, 0, height, width)],
    ...[u16(0, 0, 1), Buffer.from([0, fontSize]), white],
    box('ftab', u16(1, 1), Buffer.from([10]), Buffer.from('Sans-Serif')),
  );
}

/** The length, the text, and that it is UTF-8: Apple's players take it for Mac Roman otherwise. */
function chapterSample(title: Buffer): Buffer {
  return Buffer.concat([u16(title.byteLength), title, box('encd', u32(0x100))]);
}

/** Version 1 as ffmpeg, GPAC and mp4v2 write it: a reserved byte more than version 0, times in 100 ns. */
function neroChapters(chapters: readonly Chapter[], titles: readonly Buffer[]): Buffer {
  const entries = chapters.flatMap(({ atMs }, index) => {
    const title = titles[index] ?? Buffer.alloc(0);
    return [u64(Math.round(atMs * 10_000)), Buffer.from([title.byteLength]), title];
  });
  return fullBox('chpl', 1, 0, u32(0), Buffer.from([chapters.length]), ...entries);
}

function shortened(title: string): Buffer {
  let characters = Array.from(title);
  while (Buffer.byteLength(characters.join('')) > MAX_TITLE_BYTES) characters = characters.slice(0, -1);
  return Buffer.from(characters.join(''));
}

function hours(second: number): string {
  return String(Math.floor(second / 3600) % 24).padStart(2, '0');
}

function sixtieths(count: number): string {
  return String(Math.floor(count) % 60).padStart(2, '0');
}

/** One for each second of the wall clock, so that what is read is right to the second; all of one size, so that no table is needed. */
function clockCues({ startTime, durationMs }: Texts): { durations: [number, number][]; data: Buffer } {
  const first = Math.min(durationMs, 1000 - (startTime % 1000));
  const whole = Math.floor((durationMs - first) / 1000);
  const last = durationMs - first - whole * 1000;
  const durations = (
    [
      [1, first],
      [whole, 1000],
      [1, last],
    ] as [number, number][]
  ).filter(([count, ms]) => count > 0 && ms > 0);
  const data = Buffer.alloc(durations.reduce((sum, [count]) => sum + count, 0) * CUE_BYTES);
  for (
    let at = 0, second = Math.floor(startTime / 1000);
    at < data.byteLength;
    at += CUE_BYTES, second += 1
  ) {
    data.writeUInt16BE(CUE_BYTES - 2, at);
    data.write(`${hours(second)}:${sixtieths(second / 60)}:${sixtieths(second)} UTC`, at + 2, 'latin1');
  }
  return { durations, data };
}
