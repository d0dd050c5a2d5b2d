// The beginning of a finished MP4, up to its first frame: `ftyp`, `moov`, and the header of `mdat`. The muxer reserves
// space for `moov` before its size is known; a sink that writes the beginning last does not need the unused space.

import type { Moment } from '../shared/time.ts';
import { BOX_HEADER_BYTES, FULL_BOX_BYTES, boxType, childBoxes } from './boxes.ts';

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
  /**
   * @param written `ftyp`, `moov`, the beginning of the unused space and the header of `mdat`; later writes win
   * @param byteLength of the reserved space: the offset of the first frame
   * @param createdAt creation time in the file. The same for each attempt, so that all attempts produce the same bytes
   */
  constructor(
    private readonly written: readonly Written[],
    private readonly byteLength: number,
    private readonly createdAt: Moment,
  ) {}

  /** As long as reserved; the rest is a `free` box. */
  padded(): Buffer {
    const all = this.read(0, this.byteLength);
    const ftypBytes = this.boxBytesAt(0);
    const moov = all.subarray(ftypBytes, ftypBytes + this.boxBytesAt(ftypBytes));
    for (const box of allBoxes(moov)) setCreationTime(box, this.createdAt);
    return all;
  }

  /** Without the unused space. The chunk offsets are corrected for that. */
  compact(): Buffer {
    const ftypBytes = this.boxBytesAt(0);
    const moovBytes = this.boxBytesAt(ftypBytes);
    const mdatAt = this.byteLength - LARGE_BOX_HEADER_BYTES;
    const moov = this.read(ftypBytes, moovBytes);
    for (const box of allBoxes(moov)) {
      setCreationTime(box, this.createdAt);
      subtractFromOffsets(box, mdatAt - ftypBytes - moovBytes);
    }
    return Buffer.concat([this.read(0, ftypBytes), moov, this.read(mdatAt, LARGE_BOX_HEADER_BYTES)]);
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

function* allBoxes(box: Buffer): Generator<Buffer> {
  for (const child of childBoxes(box)) {
    yield child;
    if (CONTAINERS.has(boxType(child))) yield* allBoxes(child);
  }
}

/** In place, in the entries of `stco` and `co64`. */
function subtractFromOffsets(box: Buffer, bytes: number): void {
  const type = boxType(box);
  if (type !== 'stco' && type !== 'co64') return;
  const count = box.readUInt32BE(FULL_BOX_BYTES);
  for (let index = 0, at = FULL_BOX_BYTES + 4; index < count; index += 1) {
    if (type === 'stco') at = box.writeUInt32BE(box.readUInt32BE(at) - bytes, at);
    else at = box.writeBigUInt64BE(box.readBigUInt64BE(at) - BigInt(bytes), at);
  }
}

/** In place: creation and modification time come first in these headers, with 64 bits each in version 1. */
function setCreationTime(box: Buffer, at: Moment): void {
  if (!['mvhd', 'tkhd', 'mdhd'].includes(boxType(box))) return;
  const seconds = Math.floor(at / 1000) + SECONDS_FROM_1904;
  for (const index of [0, 1]) {
    if (box.readUInt8(BOX_HEADER_BYTES) === 1)
      box.writeBigUInt64BE(BigInt(seconds), FULL_BOX_BYTES + index * 8);
    else box.writeUInt32BE(seconds, FULL_BOX_BYTES + index * 4);
  }
}
