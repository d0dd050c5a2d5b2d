// The beginning of a finished MP4, up to its first frame: `ftyp`, `moov`, the texts (textTracks.ts) in an `mdat` of their own,
// and the header of the frames' `mdat`. The muxer reserves space for all that before its size is known; a sink that writes the
// beginning last does not need the unused space.

import type { Moment } from '../shared/time.ts';
import { BOX_HEADER_BYTES, FULL_BOX_BYTES, boxType, childBoxes, findBox } from './boxes.ts';
import { box, u32 } from './boxWriter.ts';
import type { Movie, Texts, TextSamples } from './textTracks.ts';
import { textBoxes, textSamples } from './textTracks.ts';

/** Boxes on the way to the sample tables. */
const CONTAINERS = new Set(['trak', 'mdia', 'minf', 'stbl']);
/** With the 64-bit size that follows the type. */
export const LARGE_BOX_HEADER_BYTES = 16;
/** MP4 counts from 1904, Unix from 1970. */
const SECONDS_FROM_1904 = 2_082_844_800;

/** What the muxer wrote, and at which offset of the file. */
export interface Written {
  readonly position: number;
  readonly data: Uint8Array;
}

export class Moov {
  private readonly texts: TextSamples | null;

  /**
   * @param written `ftyp`, `moov`, the beginning of the unused space and the header of `mdat`; later writes win
   * @param byteLength of the reserved space: the offset of the first frame
   * @param createdAt creation time in the file. The same for each attempt, so that all attempts produce the same bytes
   * @param texts null: none
   */
  constructor(
    private readonly written: readonly Written[],
    private readonly byteLength: number,
    private readonly createdAt: Moment,
    texts: Texts | null = null,
  ) {
    this.texts = texts === null ? null : textSamples(texts);
  }

  /** As long as reserved; the rest is a `free` box. */
  padded(): Buffer {
    if (this.texts === null) return this.without();
    const beginning = this.beginning(this.texts, 0);
    const freeBytes = this.byteLength - LARGE_BOX_HEADER_BYTES - beginning.byteLength;
    // Chapters are worth less than a recording that arrives.
    if (freeBytes < BOX_HEADER_BYTES) return this.without();
    return Buffer.concat([
      beginning,
      box('free', Buffer.alloc(freeBytes - BOX_HEADER_BYTES)),
      this.mdatHeader(),
    ]);
  }

  /** Without the unused space. The chunk offsets are corrected for that. */
  compact(): Buffer {
    const { texts } = this;
    const moveBy = this.beginning(texts, 0).byteLength + LARGE_BOX_HEADER_BYTES - this.byteLength;
    return Buffer.concat([this.beginning(texts, moveBy), this.mdatHeader()]);
  }

  /** As the muxer wrote it, without texts. */
  private without(): Buffer {
    const all = this.read(0, this.byteLength);
    const ftypBytes = this.boxBytesAt(0);
    const moov = all.subarray(ftypBytes, ftypBytes + this.boxBytesAt(ftypBytes));
    for (const one of allBoxes(moov)) setCreationTime(one, this.createdAt);
    return all;
  }

  /** Everything before the unused space. @param moveBy how much later the frames are than the muxer wrote them */
  private beginning(texts: TextSamples | null, moveBy: number): Buffer {
    const ftypBytes = this.boxBytesAt(0);
    let moov = this.read(ftypBytes, this.boxBytesAt(ftypBytes));
    for (const one of allBoxes(moov)) addToOffsets(one, moveBy);
    let data: Buffer = Buffer.alloc(0);
    if (texts !== null) {
      const moovBytes = withTexts(moov, texts, 0).moov.byteLength;
      ({ moov, data } = withTexts(moov, texts, ftypBytes + moovBytes));
    }
    for (const one of allBoxes(moov)) setCreationTime(one, this.createdAt);
    return Buffer.concat([this.read(0, ftypBytes), moov, data]);
  }

  private mdatHeader(): Buffer {
    return this.read(this.byteLength - LARGE_BOX_HEADER_BYTES, LARGE_BOX_HEADER_BYTES);
  }

  private boxBytesAt(position: number): number {
    return this.read(position, BOX_HEADER_BYTES).readUInt32BE(0);
  }

  private read(position: number, length: number): Buffer {
    const out = Buffer.alloc(length);
    for (const { position: at, data } of this.written) {
      const from = Math.max(0, position - at);
      const to = Math.min(data.byteLength, position + length - at);
      if (from < to) out.set(data.subarray(from, to), at + from - position);
    }
    return out;
  }
}

function* allBoxes(parent: Buffer): Generator<Buffer> {
  for (const child of childBoxes(parent)) {
    yield child;
    if (CONTAINERS.has(boxType(child))) yield* allBoxes(child);
  }
}

/** @param moov of the muxer: with one track, the video */
function withTexts(moov: Buffer, texts: TextSamples, dataAt: number): { moov: Buffer; data: Buffer } {
  const children = [...childBoxes(moov)];
  const movie = movieOf(moov);
  const { boxes, reference, data } = textBoxes(texts, movie, dataAt);
  const changed = children.map((child) => {
    const content = child.subarray(BOX_HEADER_BYTES);
    if (boxType(child) === 'trak') return box('trak', content, reference);
    // Its last field: the number of the next track.
    if (boxType(child) === 'mvhd') return box('mvhd', content.subarray(0, -4), u32(movie.trackId + 2));
    return child;
  });
  return { moov: box('moov', ...changed, boxes), data };
}

function movieOf(moov: Buffer): Movie {
  const mvhd = findBox(moov, 'mvhd');
  const tkhd = findBox(moov, 'trak', 'tkhd');
  // After version, flags and two times of 64 bits in version 1.
  const timescaleAt = FULL_BOX_BYTES + (mvhd.readUInt8(BOX_HEADER_BYTES) === 1 ? 16 : 8);
  return {
    timescale: mvhd.readUInt32BE(timescaleAt),
    trackId: mvhd.readUInt32BE(mvhd.byteLength - 4),
    // 16.16 fixed point
    width: tkhd.readUInt16BE(tkhd.byteLength - 8),
    height: tkhd.readUInt16BE(tkhd.byteLength - 4),
  };
}

/** In place, in the entries of `stco` and `co64`. */
function addToOffsets(one: Buffer, bytes: number): void {
  const type = boxType(one);
  if (type !== 'stco' && type !== 'co64') return;
  const count = one.readUInt32BE(FULL_BOX_BYTES);
  for (let index = 0, at = FULL_BOX_BYTES + 4; index < count; index += 1) {
    if (type === 'stco') at = one.writeUInt32BE(one.readUInt32BE(at) + bytes, at);
    else at = one.writeBigUInt64BE(one.readBigUInt64BE(at) + BigInt(bytes), at);
  }
}

/** In place: creation and modification time come first in these headers, with 64 bits each in version 1. */
function setCreationTime(one: Buffer, at: Moment): void {
  if (!['mvhd', 'tkhd', 'mdhd'].includes(boxType(one))) return;
  const seconds = Math.floor(at / 1000) + SECONDS_FROM_1904;
  for (const index of [0, 1]) {
    if (one.readUInt8(BOX_HEADER_BYTES) === 1)
      one.writeBigUInt64BE(BigInt(seconds), FULL_BOX_BYTES + index * 8);
    else one.writeUInt32BE(seconds, FULL_BOX_BYTES + index * 4);
  }
}
