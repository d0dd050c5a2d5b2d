// The head of a finished MP4: everything before its first picture. The muxer reserves room for it before it knows how
// long it gets; a sink that takes the head last need not keep what was left over of that room.

import { concat } from '../shared/fragments.ts';
import type { Moment } from '../shared/time.ts';

/** Boxes on the way to a track's table of places (ISO/IEC 14496-12). */
const CONTAINERS = new Set(['trak', 'mdia', 'minf', 'stbl']);
/** Size and type; where 32 bits are not enough for the size, 64 bits of it follow. */
const BOX_HEADER_BYTES = 8;
export const LARGE_BOX_HEADER_BYTES = 16;
const FULL_BOX_BYTES = 12;
/** MP4 counts from 1904, Unix from 1970. */
const SECONDS_FROM_1904 = 2_082_844_800;

/** What the muxer wrote, and where. */
export interface Written {
  readonly position: number;
  readonly data: Uint8Array;
}

export class Mp4Head {
  /**
   * @param written `ftyp`, `moov`, the beginning of what is left over, and the header of `mdat`; later ones over earlier
   * @param byteLength of the room: where the first picture lies
   * @param createdAt what the file says of its making: the same for each try, so that all tries make the same file
   */
  constructor(
    private readonly written: readonly Written[],
    private readonly byteLength: number,
    private readonly createdAt: Moment,
  ) {}

  /** As long as was reserved: what is left over is a `free` box. */
  padded(): Uint8Array {
    const room = this.read(0, this.byteLength);
    const ftypBytes = this.boxBytesAt(0);
    const moov = room.subarray(ftypBytes, ftypBytes + this.boxBytesAt(ftypBytes));
    eachBox(moov, (box) => stamp(box, this.createdAt));
    return room;
  }

  /** Without what is left over; the table says where the pictures lie then. */
  compact(): Uint8Array {
    const ftypBytes = this.boxBytesAt(0);
    const moovBytes = this.boxBytesAt(ftypBytes);
    const moov = this.read(ftypBytes, moovBytes);
    const leftOver = this.byteLength - LARGE_BOX_HEADER_BYTES - ftypBytes - moovBytes;
    eachBox(moov, (box) => {
      stamp(box, this.createdAt);
      moveChunks(box, leftOver);
    });
    const mdat = this.read(this.byteLength - LARGE_BOX_HEADER_BYTES, LARGE_BOX_HEADER_BYTES);
    return concat([this.read(0, ftypBytes), moov, mdat]);
  }

  private boxBytesAt(position: number): number {
    return viewOf(this.read(position, BOX_HEADER_BYTES)).getUint32(0);
  }

  private read(position: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (const { position: at, data } of this.written) {
      const from = Math.max(0, position - at);
      const to = Math.min(data.byteLength, position + length - at);
      if (from < to) out.set(data.subarray(from, to), at + from - position);
    }
    return out;
  }
}

function boxAt(bytes: Uint8Array, position: number): Uint8Array {
  return bytes.subarray(position, position + viewOf(bytes).getUint32(position));
}

function isBox(type: string, bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(4, BOX_HEADER_BYTES)).toString('latin1') === type;
}

/** Visits the boxes below this one. */
function eachBox(box: Uint8Array, visit: (box: Uint8Array) => void): void {
  for (let at = BOX_HEADER_BYTES; at + BOX_HEADER_BYTES <= box.byteLength;) {
    const child = boxAt(box, at);
    at += child.byteLength;
    visit(child);
    if ([...CONTAINERS].some((type) => isBox(type, child))) eachBox(child, visit);
  }
}

/** Subtracts from each entry of `stco` and `co64`, in place. Nothing can fall below zero by it. */
function moveChunks(box: Uint8Array, by: number): void {
  const view = viewOf(box);
  if (isBox('stco', box)) eachEntry(view, 4, (entry) => view.setUint32(entry, view.getUint32(entry) - by));
  if (isBox('co64', box))
    eachEntry(view, 8, (entry) => view.setBigUint64(entry, view.getBigUint64(entry) - BigInt(by)));
}

/** Sets when it was made and changed. Both come first in the three headers; version 1 has 64 bits for each. */
function stamp(box: Uint8Array, at: Moment): void {
  if (!['mvhd', 'tkhd', 'mdhd'].some((type) => isBox(type, box))) return;
  const view = viewOf(box);
  const seconds = Math.floor(at / 1000) + SECONDS_FROM_1904;
  for (const index of [0, 1]) {
    if (view.getUint8(BOX_HEADER_BYTES) === 1) view.setBigUint64(FULL_BOX_BYTES + index * 8, BigInt(seconds));
    else view.setUint32(FULL_BOX_BYTES + index * 4, seconds);
  }
}

function eachEntry(table: DataView, entryBytes: number, act: (position: number) => void): void {
  const count = table.getUint32(FULL_BOX_BYTES);
  for (let index = 0; index < count; index += 1) act(FULL_BOX_BYTES + 4 + index * entryBytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
