// Writes one MP4 from encoded frames. Frames go out as they come, in larger parts; the moov comes last. Uses mediabunny's
// muxer, which keeps only the table of frame times in memory. It is loaded for the first frame: an idle recorder does not need it.

import type {
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
  StreamTarget,
} from 'mediabunny';
import type { StreamTargetChunk } from 'mediabunny';
import { asBuffer } from './boxes.ts';
import { isKeyFrame } from './h264.ts';
import type { Written } from './moov.ts';
import { LARGE_BOX_HEADER_BYTES, Moov } from './moov.ts';
import type { Texts } from './textTracks.ts';

/** Receives the frames, each part directly after the previous one. @param position in the file with a padded moov */
export type WriteFrames = (position: number, data: Uint8Array) => Promise<void>;

export interface TimedFrame {
  readonly data: Uint8Array;
  /** In milliseconds since the file's first frame. */
  readonly timeMs: number;
  readonly durationMs: number;
}

/** Loads the library before it is needed: 100 to 200 ms that the end of the first contact would otherwise take longer. Never rejects. */
export async function preloadMuxer(): Promise<void> {
  await import('mediabunny').catch(() => undefined); // the first frame reports it
}

export class Mp4Muxer {
  private readonly file: OutputFile;
  private opened: Opened | null = null;

  private readonly maxPackets: number;

  /**
   * Space for the moov is reserved from these two.
   * @param maxFrames at least as many as will be added
   * @param maxTextBytes for the texts
   */
  constructor(maxFrames: number, maxTextBytes: number, write: WriteFrames) {
    this.maxPackets = maxFrames + Math.ceil(maxTextBytes / RESERVED_PER_PACKET);
    this.file = new OutputFile(write);
  }

  async add({ data, timeMs, durationMs }: TimedFrame, decoderConfig: VideoDecoderConfig): Promise<void> {
    const { video, Packet } = (this.opened ??= await this.open());
    const type = isKeyFrame(data) ? 'key' : 'delta';
    await video.add(new Packet(data, type, timeMs / 1000, durationMs / 1000), { decoderConfig });
  }

  async finish(texts: Texts): Promise<Moov> {
    await this.opened?.output.finalize();
    this.opened = null;
    return this.file.end(texts);
  }

  /** Releases everything. Never rejects. */
  async cancel(): Promise<void> {
    await this.opened?.output.cancel().catch(() => undefined);
    this.opened = null;
  }

  private async open(): Promise<Opened> {
    // Once for a file: even of a module that is loaded, an import for each frame took most of the time.
    const library = await import('mediabunny');
    const { EncodedVideoPacketSource, Mp4OutputFormat, Output, StreamTarget } = library;
    const { file } = this;
    const output = new Output({
      format: new Mp4OutputFormat({ fastStart: 'reserve' }),
      target: new StreamTarget(
        new WritableStream<StreamTargetChunk>({ write: ({ position, data }) => file.take(position, data) }),
      ),
    });
    const video = new EncodedVideoPacketSource('avc');
    output.addVideoTrack(video, { maximumPacketCount: this.maxPackets });
    await output.start();
    return { output, video, Packet: library.EncodedPacket };
  }
}

interface Opened {
  readonly output: Output<Mp4OutputFormat, StreamTarget>;
  readonly video: EncodedVideoPacketSource;
  readonly Packet: typeof EncodedPacket;
}

/** What mediabunny reserves for each packet, at least: entries of `stss`, `stsz` and `co64`, and two thirds of the compact tables. */
const RESERVED_PER_PACKET = 34;
const WRITE_BYTES = 1024 * 1024;
/** What the muxer writes while the size is unknown: size 1 ("64-bit size follows"), then the type. */
const LARGE_MDAT = Buffer.from('\0\0\0\x01mdat', 'latin1');

/** Splits the muxer's output into the frames and everything before them, which is kept until the end. */
class OutputFile {
  private readonly beginning: Written[] = [];
  /** Offset of the first frame. */
  private framesAt: number | null = null;
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private writtenBytes = 0;

  constructor(private readonly write: WriteFrames) {}

  async take(position: number, data: Uint8Array): Promise<void> {
    this.framesAt ??= firstFrameIn(position, data);
    const beforeBytes = Math.max(0, Math.min(data.byteLength, (this.framesAt ?? Infinity) - position));
    if (beforeBytes > 0) this.beginning.push(...withoutZeros(position, data.subarray(0, beforeBytes)));
    if (beforeBytes === data.byteLength) return;
    this.pending.push(data.subarray(beforeBytes));
    this.pendingBytes += data.byteLength - beforeBytes;
    if (this.pendingBytes >= WRITE_BYTES) await this.flush();
  }

  async end(texts: Texts): Promise<Moov> {
    if (this.framesAt === null) throw new Error('The muxer wrote no frames.');
    if (this.pendingBytes > 0) await this.flush();
    return new Moov(this.beginning, this.framesAt, texts.startTime, texts);
  }

  private async flush(): Promise<void> {
    const data = Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    const position = (this.framesAt ?? 0) + this.writtenBytes;
    this.writtenBytes += data.byteLength;
    await this.write(position, data);
  }
}

/** The muxer's first write is `ftyp`, zeros where the moov will be, the header of `mdat`, then frames. */
function firstFrameIn(position: number, data: Uint8Array): number | null {
  const mdat = asBuffer(data).indexOf(LARGE_MDAT);
  return mdat === -1 ? null : position + mdat + LARGE_BOX_HEADER_BYTES;
}

/** Copies, so that the zeros reserved for a long recording do not stay in memory. */
function withoutZeros(position: number, data: Uint8Array): Written[] {
  const tail = Math.max(0, data.byteLength - LARGE_BOX_HEADER_BYTES);
  let end = tail;
  while (end > 0 && data[end - 1] === 0) end -= 1;
  return [
    { position, data: data.slice(0, end) },
    { position: position + tail, data: data.slice(tail) },
  ];
}
