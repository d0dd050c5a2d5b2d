import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Segment } from '../../../main/media/fragments.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import { isKeyFrame } from '../../../main/media/h264.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { makeTestVideo, topBoxes } from '../support/fragmentedMp4.ts';

let video: TestVideo;
let whole: Segment[];

beforeAll(async () => {
  video = await makeTestVideo();
  whole = new FragmentSplitter().push(video.bytes);
});

/** Cuts the bytes at the given places and feeds the pieces one after the other. */
function split(bytes: Buffer, cuts: readonly number[]): Segment[] {
  const splitter = new FragmentSplitter();
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return edges.flatMap((edge, index) => splitter.push(bytes.subarray(edge, edges[index + 1])));
}

function bytesOf(segment: Segment): Uint8Array {
  return segment.kind === 'fragment' ? segment.fragment.bytes : segment.segment.bytes;
}

/** What a segment is and holds, in few characters: comparing the bytes themselves one by one is slow. */
function prints(segments: readonly Segment[]): string[] {
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  return segments.map((one) => {
    if (one.kind === 'initialisation')
      return JSON.stringify({ ...one.segment, bytes: hash(one.segment.bytes) });
    const { bytes, frame, decodeTime } = one.fragment;
    return JSON.stringify({ decodeTime, bytes: hash(bytes), frame: hash(frame) });
  });
}

function decodeTimes(segments: readonly Segment[]): number[] {
  return segments.flatMap((one) => (one.kind === 'fragment' ? [one.fragment.decodeTime] : []));
}

function box(type: string, size: number, payload: Buffer = Buffer.alloc(Math.max(0, size - 8))): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, payload]);
}

describe('a real fragmented MP4', () => {
  it('is one initialisation segment and one fragment for each frame', () => {
    expect(whole.map((one) => one.kind)).toEqual([
      'initialisation',
      ...Array.from({ length: video.frames }, () => 'fragment'),
    ]);
  });

  it('tells the picture’s size and the timescale', () => {
    const [first] = whole;
    expect(first?.kind === 'initialisation' && first.segment).toMatchObject({
      width: video.width,
      height: video.height,
    });
  });

  it('tells each frame’s time', () => {
    const [first] = whole;
    const timescale = first?.kind === 'initialisation' ? first.segment.timescale : 0;
    const seconds = decodeTimes(whole).map((time) => time / timescale);
    seconds.forEach((time, index) => expect(time).toBeCloseTo(index / video.fps, 3));
  });

  it('keeps every byte that is needed, in order', () => {
    const needed = topBoxes(video.bytes).filter(({ type }) =>
      ['ftyp', 'moov', 'moof', 'mdat'].includes(type),
    );
    const expected = Buffer.concat(needed.map(({ start, end }) => video.bytes.subarray(start, end)));
    expect(Buffer.concat(whole.map(bytesOf)).equals(expected)).toBe(true);
  });

  it('gives each picture alone', () => {
    const media = topBoxes(video.bytes).filter(({ type }) => type === 'mdat');
    const pictures = whole.flatMap((one) =>
      one.kind === 'fragment' ? [Buffer.from(one.fragment.frame)] : [],
    );
    expect(pictures).toHaveLength(media.length);
    for (const [index, { start, end }] of media.entries()) {
      expect(pictures[index]?.equals(video.bytes.subarray(start + 8, end))).toBe(true);
    }
  });

  it('tells key pictures from the others', () => {
    const kinds = whole.flatMap((one) => (one.kind === 'fragment' ? [isKeyFrame(one.fragment.frame)] : []));
    expect(kinds).toEqual(kinds.map((_, index) => index % video.keyInterval === 0));
    expect(kinds).toContain(false);
  });

  it('gives the same segments however it is cut into chunks', () => {
    const cuts = fc.array(fc.nat({ max: video.bytes.length }), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, (places) => {
        expect(prints(split(video.bytes, places))).toEqual(prints(whole));
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same segments byte by byte', () => {
    const splitter = new FragmentSplitter();
    const segments = [...video.bytes].flatMap((byte) => splitter.push(Uint8Array.of(byte)));
    expect(prints(segments)).toEqual(prints(whole));
  });

  it('gives copies, so that the reader of a pipe may use its buffer again', () => {
    const chunk = Buffer.from(video.bytes);
    const segments = new FragmentSplitter().push(chunk);
    chunk.fill(0);
    expect(prints(segments)).toEqual(prints(whole));
  });
});

describe('a stream that was cut off', () => {
  it('gives every whole fragment, and nothing of the torn one', () => {
    const ends = topBoxes(video.bytes).flatMap(({ type, end }) => (type === 'mdat' ? [end] : []));
    fc.assert(
      fc.property(fc.nat({ max: video.bytes.length }), (length) => {
        const segments = new FragmentSplitter().push(video.bytes.subarray(0, length));
        const fragments = segments.filter((one) => one.kind === 'fragment');
        expect(fragments).toHaveLength(ends.filter((end) => end <= length).length);
        expect(prints(segments)).toEqual(prints(whole.slice(0, segments.length)));
      }),
    );
  });

  it('gives nothing of a fragment that lacks its last byte', () => {
    const ends = topBoxes(video.bytes).flatMap(({ type, end }) => (type === 'mdat' ? [end] : []));
    for (const [index, end] of ends.entries()) {
      const segments = new FragmentSplitter().push(video.bytes.subarray(0, end - 1));
      expect(decodeTimes(segments)).toHaveLength(index);
    }
  });
});

describe('what is no fragmented MP4', () => {
  it.each([
    ['text', Buffer.from('ffmpeg version 8.1.2 Copyright (c)')],
    ['zeros', Buffer.alloc(64)],
    ['a box smaller than its head', box('free', 7)],
    ['a box of 64 bits', box('mdat', 1)],
    ['a box that is larger than any of ours', box('mdat', 64 * 1024 * 1024 + 1, Buffer.alloc(8))],
  ])('is refused: %s', (_, bytes) => {
    expect(() => new FragmentSplitter().push(bytes)).toThrow('not an MP4 stream');
  });

  it('is refused: media data without its description', () => {
    expect(() => new FragmentSplitter().push(box('mdat', 16))).toThrow('mdat without moof');
  });

  it('is refused: a description without a track', () => {
    expect(() => new FragmentSplitter().push(box('moov', 24, box('free', 16)))).toThrow('no box trak');
  });

  it('is refused: a fragment without a time', () => {
    const bytes = Buffer.concat([box('moof', 8), box('mdat', 16)]);
    expect(() => new FragmentSplitter().push(bytes)).toThrow('no box traf');
  });

  it('is refused in the midst of a good stream', () => {
    const splitter = new FragmentSplitter();
    splitter.push(video.bytes);
    expect(() => splitter.push(Buffer.alloc(16))).toThrow('not an MP4 stream');
  });
});

describe('a picture that is none', () => {
  it.each([
    ['nothing', []],
    ['less than a length', [0, 0, 0]],
    ['a length and nothing after it', [0, 0, 0, 9]],
    ['a unit that claims to be longer than it is', [0, 0, 0, 99, 0x41, 1]],
    ['a length of zero', [0, 0, 0, 0, 0x41, 0, 0, 0]],
  ])('is no key picture: %s', (_, bytes) => {
    expect(isKeyFrame(Uint8Array.from(bytes))).toBe(false);
  });

  it('is a key picture when an IDR slice stands behind others', () => {
    expect(isKeyFrame(Uint8Array.from([0, 0, 0, 1, 0x67, 0, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65]))).toBe(true);
  });
});

describe('times of 64 bits', () => {
  it('are read as such', () => {
    const time = 2 ** 40 + 5;
    const payload = Buffer.alloc(12);
    payload.writeUInt8(1, 0);
    payload.writeBigUInt64BE(BigInt(time), 4);
    const tfdt = box('tfdt', 20, payload);
    const traf = box('traf', 28, tfdt);
    const bytes = Buffer.concat([box('moof', 36, traf), box('mdat', 12)]);
    expect(decodeTimes(new FragmentSplitter().push(bytes))).toEqual([time]);
  });
});
