// Assembly: one MP4 from the pictures of the runs and a slate for each gap. Packets are copied, never decoded or
// encoded; no plain video is written anywhere but to the sink; memory holds a megabyte of a run and, in mediabunny's
// muxer, the table of when each picture is shown. It may go on while the contact does: what is certain is taken in, the
// head comes last. (Runs are read by our own splitter: mediabunny's demuxer keeps every fragment's place, which for an
// eight-hour run is far more than the table.)

import { EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output, StreamTarget } from 'mediabunny';
import type { StreamTargetChunk } from 'mediabunny';
import { concat, isKeyPicture } from '../shared/fragments.ts';
import type { GapReason } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { RunReader } from '../spool/runFiles.ts';
import { DamagedRunFile } from '../spool/runFiles.ts';
import type { Piece } from '../spool/timeline.ts';
import { sameDecoder } from './decoderConfig.ts';
import { LARGE_BOX_HEADER_BYTES, Mp4Head } from './mp4Head.ts';
import type { Written } from './mp4Head.ts';
import type { Picture } from './pictures.ts';
import { RunPictures, slatePicture } from './pictures.ts';

export interface AssemblySource {
  readonly startTime: Moment;
  /** No fewer than the packets that will be written: room for the head is reserved by it. */
  readonly maxPackets: number;
  readonly openRun: (runId: string) => Promise<RunReader>;
  readonly runStart: (runId: string) => Moment;
  /** How many pictures of the run count; what a crash left behind them in the file is not looked at. */
  readonly runFrames: (runId: string) => number;
  /** The error to throw for a run that was damaged. @param read what could be read of it; null: nothing */
  readonly damaged: (runId: string, read: RunPictures['read'] | null, why: DamagedRunFile) => Error;
  /** A fragmented MP4 with one picture, made with the encoder settings of the runs. */
  readonly slate: (reason: GapReason) => Promise<Uint8Array>;
  /** Pictures, each part directly behind the last one. @param position in the file as its head is padded */
  readonly write: (position: number, data: Uint8Array) => Promise<void>;
}

export interface Assembled {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly head: Mp4Head;
}

/** What was taken in as certain has changed since: the assembly is of no use any more, and another must begin anew. */
export class TimelineChanged extends Error {
  override readonly name = 'TimelineChanged';
}

const WRITE_BYTES = 1024 * 1024;
/** The size that says "see below", and the type: what the muxer writes before it knows how much there will be. */
const LARGE_MDAT = Buffer.from('\0\0\0\x01mdat', 'latin1');

/** A picture and the moment from which it is shown. */
interface Shown {
  readonly at: Moment;
  readonly data: Uint8Array;
}

export class Assembly {
  private readonly video = new EncodedVideoPacketSource('avc');
  private readonly output: Output<Mp4OutputFormat, StreamTarget>;
  private readonly file: OutputFile;
  private started = false;
  /** Between its start and its end: only then is there something to cancel. */
  private isOpen = false;
  private decoder: VideoDecoderConfig | null = null;
  private previous: Shown | null = null;
  private frames = 0;
  /** The pieces taken in so far; of the last one there may be more to come. */
  private readonly taken: Piece[] = [];
  private run: RunPictures | null = null;

  constructor(private readonly source: AssemblySource) {
    this.file = new OutputFile((position, data) => source.write(position, data));
    this.output = new Output({
      format: new Mp4OutputFormat({ fastStart: 'reserve' }),
      target: new StreamTarget(
        new WritableStream<StreamTargetChunk>({ write: (part) => this.file.take(part.position, part.data) }),
      ),
    });
    this.output.addVideoTrack(this.video, { maximumPacketCount: source.maxPackets });
  }

  /**
   * Takes in what has not been taken in before.
   * @param pieces cover the recording from its start without a hole; what was taken in before must be their beginning
   * @throws TimelineChanged
   */
  async advance(pieces: readonly Piece[]): Promise<void> {
    if (!this.started) {
      this.started = true;
      await this.output.start();
      this.isOpen = true;
    }
    this.requireSameBeginning(pieces);
    for (const piece of pieces.slice(Math.max(0, this.taken.length - 1))) {
      const last = this.taken.at(-1);
      if (last?.from !== piece.from) {
        await this.closeRun();
        this.taken.push(piece);
        if (piece.kind === 'gap') await this.showSlate(piece);
      } else {
        this.taken[this.taken.length - 1] = piece;
      }
      if (piece.kind === 'run') await this.showRun(piece);
    }
  }

  /** @param pieces all of them */
  async finish(pieces: readonly Piece[], endTime: Moment): Promise<Assembled> {
    await this.advance(pieces);
    await this.show(endTime);
    await this.closeRun();
    if (this.decoder === null) throw new Error('The recording holds no picture at all.');
    await this.output.finalize();
    this.isOpen = false;
    const { codec, codedWidth = 0, codedHeight = 0 } = this.decoder;
    const head = await this.file.end(this.source.startTime);
    return { codec, width: codedWidth, height: codedHeight, frames: this.frames, head };
  }

  /** Lets go of everything. */
  async cancel(): Promise<void> {
    await this.closeRun().catch(() => undefined);
    if (this.isOpen) await this.output.cancel().catch(() => undefined);
    this.isOpen = false;
  }

  private requireSameBeginning(pieces: readonly Piece[]): void {
    this.taken.forEach((before, index) => {
      const now = pieces[index];
      const isLast = index === this.taken.length - 1;
      const same =
        now !== undefined &&
        nameOf(now) === nameOf(before) &&
        now.from === before.from &&
        (isLast || now.to === before.to);
      // A picture is shown until the next one: of the last piece only what was shown must still be in it.
      const holds = !isLast || this.previous === null || (now !== undefined && this.previous.at < now.to);
      if (!same || !holds) throw new TimelineChanged(`the timeline changed at ${nameOf(before)}`);
    });
  }

  private async showSlate(piece: Piece & { kind: 'gap' }): Promise<void> {
    const { config, data } = await slatePicture(await this.source.slate(piece.reason));
    this.requireSameDecoder(config);
    await this.showNext({ at: piece.from, data });
  }

  private async showRun(piece: Piece & { kind: 'run' }): Promise<void> {
    const { runId } = piece;
    const start = this.source.runStart(runId);
    const isInside = (picture: Picture): boolean => start + picture.offsetMs < piece.to;
    try {
      this.run ??= new RunPictures(
        await this.source.openRun(runId),
        (config) => this.requireSameDecoder(config),
        () => this.source.runFrames(runId),
      );
      for await (const { data, offsetMs } of this.run.take(isInside)) {
        await this.showNext({ at: start + offsetMs, data });
      }
    } catch (error) {
      if (error instanceof DamagedRunFile) throw this.source.damaged(runId, this.run?.read ?? null, error);
      throw error;
    }
  }

  private async showNext(shown: Shown): Promise<void> {
    await this.show(shown.at);
    this.previous = shown;
  }

  /** Writes the picture before: its duration is the time until the next one, whatever run or slate that comes from. */
  private async show(until: Moment): Promise<void> {
    if (this.previous === null || this.decoder === null) return;
    const { data, at } = this.previous;
    const type = isKeyPicture(data) ? 'key' : 'delta';
    const timestamp = (at - this.source.startTime) / 1000;
    await this.video.add(new EncodedPacket(data, type, timestamp, (until - at) / 1000), {
      decoderConfig: this.decoder,
    });
    this.frames += 1;
  }

  private async closeRun(): Promise<void> {
    const { run } = this;
    this.run = null;
    await run?.close();
  }

  /** One MP4 track has one set of decoder parameters; runs and slates of one recording are made so that they agree. */
  private requireSameDecoder(found: VideoDecoderConfig): void {
    this.decoder ??= found;
    if (sameDecoder(this.decoder, found)) return;
    throw new Error(
      `The runs of this recording were encoded differently (${this.decoder.codec}, ${found.codec}).`,
    );
  }
}

function nameOf(piece: Piece): string {
  return piece.kind === 'run' ? `run ${piece.runId}` : `gap ${piece.reason}`;
}

/** Parts what the muxer writes into the pictures, which go on in larger parts, and the head, which is kept until the end. */
class OutputFile {
  private readonly before: Written[] = [];
  /** Where the first picture lies. */
  private picturesAt: number | null = null;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private writtenTo = 0;

  constructor(private readonly write: AssemblySource['write']) {}

  async take(position: number, data: Uint8Array): Promise<void> {
    this.picturesAt ??= picturesBegin(position, data);
    const headBytes = Math.max(0, Math.min(data.byteLength, (this.picturesAt ?? Infinity) - position));
    if (headBytes > 0) this.before.push(...withoutZeros(position, data.subarray(0, headBytes)));
    if (headBytes === data.byteLength) return;
    this.waiting.push(data.subarray(headBytes));
    this.waitingBytes += data.byteLength - headBytes;
    if (this.waitingBytes >= WRITE_BYTES) await this.flush();
  }

  /** Once everything was taken. */
  async end(createdAt: Moment): Promise<Mp4Head> {
    if (this.picturesAt === null) throw new Error('The muxer wrote no pictures.');
    if (this.waitingBytes > 0) await this.flush();
    return new Mp4Head(this.before, this.picturesAt, createdAt);
  }

  private async flush(): Promise<void> {
    const data = concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    const position = (this.picturesAt ?? 0) + this.writtenTo;
    this.writtenTo += data.byteLength;
    await this.write(position, data);
  }
}

/** The muxer first writes `ftyp`, then zeros where the head will be, the header of `mdat`, and the first pictures. */
function picturesBegin(position: number, data: Uint8Array): number | null {
  const mdat = Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(LARGE_MDAT);
  return mdat === -1 ? null : position + mdat + LARGE_BOX_HEADER_BYTES;
}

/** Copies, so that the room reserved for a long recording is not held in memory while that goes on. */
function withoutZeros(position: number, data: Uint8Array): Written[] {
  const tail = Math.max(0, data.byteLength - LARGE_BOX_HEADER_BYTES);
  let end = tail;
  while (end > 0 && data[end - 1] === 0) end -= 1;
  return [
    { position, data: data.slice(0, end) },
    { position: position + tail, data: data.slice(tail) },
  ];
}
