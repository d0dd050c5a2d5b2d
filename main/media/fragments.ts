// Fragmented MP4 (ISO/IEC 14496-12): splits ffmpeg's byte stream into the initialisation segment and whole fragments,
// and reads each fragment's decode time. Decodes nothing. The finished MP4 is written by mp4Muxer.ts.

import { BOX_HEADER_BYTES, boxType, findBox } from './boxes.ts';

/** Far above every box that ffmpeg writes for us: a larger size means that the stream is not MP4. */
const MAX_BOX_BYTES = 64 * 1024 * 1024;

/** One frame: ffmpeg runs with frag_every_frame. */
export interface Fragment {
  /** One moof and its mdat. */
  readonly bytes: Uint8Array;
  /** The frame as the track stores it (H.264: NAL units, each after its 4-byte length). */
  readonly frame: Uint8Array;
  /** In units of the track's timescale. There are no B-frames, so it is also the presentation time. */
  readonly decodeTime: number;
}

export interface InitialisationSegment {
  readonly bytes: Uint8Array;
  /** Units per second. */
  readonly timescale: number;
  /** Coded size in pixels. */
  readonly width: number;
  readonly height: number;
}

export type Segment =
  | { readonly kind: 'initialisation'; readonly segment: InitialisationSegment }
  | { readonly kind: 'fragment'; readonly fragment: Fragment };

/** Takes chunks of any size and returns whole segments, never an incomplete one. */
export class FragmentSplitter {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private ftyp: Buffer[] = [];
  private moof: Buffer | null = null;
  private broken: Error | null = null;

  /**
   * @returns copies, so that the caller may reuse the chunk
   * @throws Error when the bytes are not fragmented MP4; segments before the bad bytes are returned first, and the next
   *   call throws
   */
  push(chunk: Uint8Array): Segment[] {
    if (this.broken !== null) throw this.broken;
    this.pending.push(Buffer.from(chunk));
    this.pendingBytes += chunk.byteLength;
    const segments: Segment[] = [];
    try {
      for (let box = this.takeBox(); box !== null; box = this.takeBox()) {
        const segment = this.accept(box);
        if (segment !== null) segments.push(segment);
      }
    } catch (error) {
      this.broken = error instanceof Error ? error : new Error(String(error));
      if (segments.length === 0) throw this.broken;
    }
    return segments;
  }

  private takeBox(): Buffer | null {
    if (this.pendingBytes < BOX_HEADER_BYTES) return null;
    const size = this.pendingFrom(BOX_HEADER_BYTES).readUInt32BE(0);
    if (size < BOX_HEADER_BYTES || size > MAX_BOX_BYTES)
      throw new Error(`not an MP4 stream: box size ${size}`);
    if (this.pendingBytes < size) return null;
    const bytes = this.pendingFrom(size);
    if (bytes.byteLength === size) this.pending.shift();
    else this.pending[0] = bytes.subarray(size);
    this.pendingBytes -= size;
    return bytes.subarray(0, size);
  }

  /** The first pending chunk, merged with the others if it is shorter than `length`. */
  private pendingFrom(length: number): Buffer {
    const [first] = this.pending;
    if (first !== undefined && first.byteLength >= length) return first;
    const merged = Buffer.concat(this.pending);
    this.pending = [merged];
    return merged;
  }

  private accept(box: Buffer): Segment | null {
    switch (boxType(box)) {
      case 'ftyp':
        this.ftyp = [box];
        return null;
      case 'moov': {
        const bytes = Buffer.concat([...this.ftyp, box]);
        return { kind: 'initialisation', segment: { bytes, ...readTrack(box) } };
      }
      case 'moof':
        this.moof = box;
        return null;
      case 'mdat': {
        if (this.moof === null) throw new Error('not a fragmented MP4 stream: mdat without moof');
        const bytes = Buffer.concat([this.moof, box]);
        const frame = box.subarray(BOX_HEADER_BYTES);
        const fragment = { bytes, frame, decodeTime: readDecodeTime(this.moof) };
        this.moof = null;
        return { kind: 'fragment', fragment };
      }
      default:
        return null; // sidx, mfra, free: not needed
    }
  }
}

/** The first segment in these bytes; null where there is none. */
export function firstSegment(bytes: Uint8Array): Segment | null {
  try {
    return new FragmentSplitter().push(bytes)[0] ?? null;
  } catch {
    return null;
  }
}

function readTrack(moov: Buffer): { timescale: number; width: number; height: number } {
  const mdhd = findBox(moov, 'trak', 'mdia', 'mdhd');
  const timescale = mdhd.readUInt32BE(mdhd.readUInt8(8) === 1 ? 28 : 20);
  // The last two fields of tkhd are width and height, 16.16 fixed point.
  const tkhd = findBox(moov, 'trak', 'tkhd');
  const size = tkhd.subarray(tkhd.byteLength - 8);
  return { timescale, width: size.readUInt32BE(0) >>> 16, height: size.readUInt32BE(4) >>> 16 };
}

function readDecodeTime(moof: Buffer): number {
  const tfdt = findBox(moof, 'traf', 'tfdt');
  return tfdt.readUInt8(8) === 1 ? Number(tfdt.readBigUInt64BE(12)) : tfdt.readUInt32BE(12);
}
