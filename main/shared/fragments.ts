// Fragmented MP4 (ISO/IEC 14496-12) as far as the capture timeline needs it: cutting ffmpeg's byte stream into the
// initialisation segment and whole fragments, and reading when a fragment's first picture is shown. Nothing here
// decodes pictures. Assembly is mediabunny's work, not this file's.

/** No box of ours is near this; a larger size means that the stream is not what it claims to be. */
const MAX_BOX_BYTES = 64 * 1024 * 1024;

/** One picture: ffmpeg is told to write a fragment a frame. */
export interface Fragment {
  /** The bytes of one moof and its mdat. */
  readonly bytes: Uint8Array;
  /** The picture alone, as the track stores it (for H.264: NAL units with their lengths before them). */
  readonly picture: Uint8Array;
  /** When it is shown, in units of the track's timescale (there are no B-frames). */
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

/** Feeds on chunks of any size and gives back whole segments; a rest that is not whole is never given out. */
export class FragmentSplitter {
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private head: Uint8Array[] = [];
  private moof: Uint8Array | null = null;
  private broken: Error | null = null;

  /**
   * @throws Error when the bytes are not an MP4 stream; what was good before them is given out first, and the error
   *   comes with the next call
   */
  push(chunk: Uint8Array): Segment[] {
    if (this.broken !== null) throw this.broken;
    this.pending.push(chunk);
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

  private takeBox(): Uint8Array | null {
    if (this.pendingBytes < 8) return null;
    const size = new DataView(this.peek(8).buffer).getUint32(0);
    if (size < 8 || size > MAX_BOX_BYTES) throw new Error(`not an MP4 stream: box size ${size}`);
    if (this.pendingBytes < size) return null;
    return this.take(size);
  }

  private accept(box: Uint8Array): Segment | null {
    switch (boxType(box)) {
      case 'ftyp':
        this.head = [box];
        return null;
      case 'moov': {
        const bytes = concat([...this.head, box]);
        return { kind: 'initialisation', segment: { bytes, ...readTrack(box) } };
      }
      case 'moof':
        this.moof = box;
        return null;
      case 'mdat': {
        if (this.moof === null) throw new Error('not a fragmented MP4 stream: mdat without moof');
        const bytes = concat([this.moof, box]);
        const fragment = { bytes, picture: box.subarray(8), decodeTime: readDecodeTime(this.moof) };
        this.moof = null;
        return { kind: 'fragment', fragment };
      }
      default:
        return null; // sidx, mfra, free: of no use to us
    }
  }

  /** The next bytes in a buffer of their own, left in place. */
  private peek(length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length);
    let filled = 0;
    for (const chunk of this.pending) {
      const part = chunk.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.byteLength;
      if (filled === length) break;
    }
    return out;
  }

  private take(length: number): Uint8Array {
    const out = this.peek(length);
    let rest = length;
    while (rest > 0) {
      const chunk = this.pending[0];
      if (chunk === undefined) break;
      if (chunk.byteLength <= rest) {
        this.pending.shift();
        rest -= chunk.byteLength;
      } else {
        this.pending[0] = chunk.subarray(rest);
        rest = 0;
      }
    }
    this.pendingBytes -= length;
    return out;
  }
}

/** The first segment that begins with these bytes; null where none does. */
export function firstSegment(bytes: Uint8Array): Segment | null {
  try {
    return new FragmentSplitter().push(bytes)[0] ?? null;
  } catch {
    return null;
  }
}

const IDR_SLICE = 5;

/** Whether an H.264 picture (ISO/IEC 14496-15, 4-byte lengths) can be decoded alone: it has an IDR slice. */
export function isKeyPicture(picture: Uint8Array): boolean {
  for (let at = 0; at + 4 < picture.byteLength;) {
    if (((picture[at + 4] ?? 0) & 0x1f) === IDR_SLICE) return true;
    at += 4 + view(picture).getUint32(at);
  }
  return false;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.byteLength;
  }
  return out;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function boxType(box: Uint8Array): string {
  return String.fromCharCode(...box.subarray(4, 8));
}

/** The first box at `path` below `box`, or an error that names it. */
function find(box: Uint8Array, path: readonly string[]): Uint8Array {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return box;
  for (let at = 8; at + 8 <= box.byteLength;) {
    const size = view(box).getUint32(at);
    if (size < 8) break;
    const child = box.subarray(at, at + size);
    if (boxType(child) === wanted) return find(child, rest);
    at += size;
  }
  throw new Error(`not an MP4 stream: no box ${wanted}`);
}

function readTrack(moov: Uint8Array): { timescale: number; width: number; height: number } {
  const mdhd = view(find(moov, ['trak', 'mdia', 'mdhd']));
  const timescale = mdhd.getUint32(mdhd.getUint8(8) === 1 ? 28 : 20);
  const tkhd = find(moov, ['trak', 'tkhd']);
  // The last two fields of tkhd are width and height, 16.16 fixed point.
  const size = view(tkhd.subarray(tkhd.byteLength - 8));
  return { timescale, width: size.getUint32(0) >>> 16, height: size.getUint32(4) >>> 16 };
}

function readDecodeTime(moof: Uint8Array): number {
  const tfdt = view(find(moof, ['traf', 'tfdt']));
  return tfdt.getUint8(8) === 1 ? Number(tfdt.getBigUint64(12)) : tfdt.getUint32(12);
}
