// Assembly: one MP4 from the frames of the runs and a slate for each gap; in gaps under a second the last frame stays, with a
// badge. Frames are copied, never decoded or encoded, and no unencrypted video is written anywhere but to the sink. Assembly can run during the contact: it takes what is certain, and
// the moov comes last. Runs are read with our own splitter, because mediabunny's demuxer keeps the position of every
// fragment in memory, which is too much for an eight-hour run.

import { BusiestMinute } from '../media/bitRate.ts';
import { readDecoderConfig, sameDecoder, singleFrame } from '../media/decoderConfig.ts';
import type { Moov } from '../media/moov.ts';
import type { WriteFrames } from '../media/mp4Muxer.ts';
import { Mp4Muxer } from '../media/mp4Muxer.ts';
import type { Overlay } from '../media/overlayFrame.ts';
import type { Chapter } from '../media/textTracks.ts';
import { overlayFrame } from '../media/overlayFrame.ts';
import type { Moment } from '../shared/time.ts';
import type { RunReader } from '../spool/runFiles.ts';
import { DamagedRunFile } from '../spool/runFiles.ts';
import type { Gap, Piece, RunPiece } from '../spool/timeline.ts';
import type { Frame } from './runFrames.ts';
import { RunFrames } from './runFrames.ts';

export interface AssemblySource {
  readonly startTime: Moment;
  /** At least as many as will be written: the space for the moov is reserved from it. */
  readonly maxPackets: number;
  /** And for chapters and clock (maxTextBytes). */
  readonly maxTextBytes: number;
  readonly openRun: (runId: string) => Promise<RunReader>;
  readonly runStart: (runId: string) => Moment;
  /** How many frames of the run count; anything that a crash left after them is ignored. */
  readonly runFrames: (runId: string) => number;
  /** The error to throw for a damaged run. @param read what could be read of it; null: nothing */
  readonly damaged: (runId: string, read: RunFrames['read'] | null, why: DamagedRunFile) => Error;
  /** For one of the pieces: a fragmented MP4 with one frame, encoded with the settings of the runs. */
  readonly slate: (gap: Gap, pieces: readonly Piece[]) => Promise<Uint8Array>;
  /** For gaps that follow each other. */
  readonly badge: (gaps: readonly Gap[]) => Promise<Overlay>;
  readonly chapters: (pieces: readonly Piece[]) => readonly Chapter[];
  readonly write: WriteFrames;
}

export interface Assembled {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Of the busiest minute. */
  readonly bitsPerSecond: number;
  readonly moov: Moov;
}

/** A shorter gap does not interrupt the video: the last frame stays. */
const SLATE_FROM_MS = 1000;

/** Something that was assembled as certain has changed. This assembly is void; a new one must start from the beginning. */
export class TimelineChanged extends Error {
  override readonly name = 'TimelineChanged';
}

/** A frame and the time from which it is shown. */
interface ShownFrame {
  readonly at: Moment;
  readonly data: Uint8Array;
}

export class Assembly {
  private readonly muxer: Mp4Muxer;
  private decoder: VideoDecoderConfig | null = null;
  private previous: ShownFrame | null = null;
  private frames = 0;
  private readonly busiest = new BusiestMinute();
  /** The pieces assembled so far. The last one may continue. */
  private readonly taken: Piece[] = [];
  private run: RunFrames | null = null;

  constructor(private readonly source: AssemblySource) {
    this.muxer = new Mp4Muxer(source.maxPackets, source.maxTextBytes, source.write);
  }

  /**
   * Assembles what is new, up to the end of the last run: a gap after it may grow and change its reason.
   * @param pieces cover the recording from its start without a hole, and begin with those of the previous call
   * @throws TimelineChanged
   */
  async advance(pieces: readonly Piece[]): Promise<void> {
    await this.assemble(pieces.slice(0, pieces.findLastIndex(({ kind }) => kind === 'run') + 1));
  }

  /** @param pieces all of them */
  async finish(pieces: readonly Piece[], endTime: Moment): Promise<Assembled> {
    await this.assemble(pieces);
    await this.writePrevious(endTime);
    await this.closeRun();
    if (this.decoder === null) throw new Error('The recording has no frame at all.');
    const { startTime } = this.source;
    const chapters = this.source.chapters(pieces);
    const moov = await this.muxer.finish({ chapters, startTime, durationMs: endTime - startTime });
    const { codec, codedWidth: width = 0, codedHeight: height = 0 } = this.decoder;
    const { bitsPerSecond } = this.busiest;
    return { codec, width, height, frames: this.frames, bitsPerSecond, moov };
  }

  /** Releases everything. Never rejects. */
  async cancel(): Promise<void> {
    await this.closeRun().catch(() => undefined);
    await this.muxer.cancel();
  }

  private async assemble(pieces: readonly Piece[]): Promise<void> {
    this.requireSameBeginning(pieces);
    for (const piece of pieces.slice(Math.max(0, this.taken.length - 1))) {
      if (this.taken.at(-1)?.from === piece.from) {
        this.taken[this.taken.length - 1] = piece;
      } else {
        await this.closeRun();
        this.taken.push(piece);
        if (piece.kind === 'gap') await this.addGap(piece, pieces);
      }
      if (piece.kind === 'run') await this.addRun(piece);
    }
  }

  private requireSameBeginning(pieces: readonly Piece[]): void {
    this.taken.forEach((before, index) => {
      const now = pieces[index];
      const isLast = index === this.taken.length - 1;
      const isSame =
        now !== undefined &&
        nameOf(now) === nameOf(before) &&
        now.from === before.from &&
        (isLast || now.to === before.to);
      // A frame is shown until the next one: the last piece must still contain the newest frame.
      const hasNewest = !isLast || this.previous === null || (now !== undefined && this.previous.at < now.to);
      if (!isSame || !hasNewest) throw new TimelineChanged(`the timeline changed at ${nameOf(before)}`);
    });
  }

  private async addGap(gap: Gap, pieces: readonly Piece[]): Promise<void> {
    if (this.previous !== null && isShort(gap)) {
      const before = pieces[this.taken.length - 2];
      // The first of several short gaps has the badge of all.
      if (before === undefined || !isShort(before)) await this.addBadge(gap, pieces);
      return;
    }
    const { config, data } = await singleFrame(await this.source.slate(gap, pieces));
    this.requireSameDecoder(config);
    await this.addFrame({ at: gap.from, data });
  }

  /** The last frame with a badge; without one where the encoder's stream does not allow it. */
  private async addBadge(gap: Gap, pieces: readonly Piece[]): Promise<void> {
    const rest = pieces.slice(this.taken.length - 1);
    const end = rest.findIndex((piece) => !isShort(piece));
    const gaps = rest.slice(0, end === -1 ? rest.length : end).filter(isShort);
    const overlay = await this.source.badge(gaps);
    const data = this.decoder && this.previous && overlayFrame(this.decoder, this.previous.data, overlay);
    if (data !== null) await this.addFrame({ at: gap.from, data });
  }

  private async addRun(piece: RunPiece): Promise<void> {
    const { runId } = piece;
    const start = this.source.runStart(runId);
    const isInside = (frame: Frame): boolean => start + frame.offsetMs < piece.to;
    try {
      this.run ??= new RunFrames(
        await this.source.openRun(runId),
        async (initialisation) => this.requireSameDecoder(await readDecoderConfig(initialisation)),
        () => this.source.runFrames(runId),
      );
      for await (const { data, offsetMs } of this.run.take(isInside)) {
        await this.addFrame({ at: start + offsetMs, data });
      }
    } catch (error) {
      if (error instanceof DamagedRunFile) throw this.source.damaged(runId, this.run?.read ?? null, error);
      throw error;
    }
  }

  private async addFrame(frame: ShownFrame): Promise<void> {
    await this.writePrevious(frame.at);
    this.previous = frame;
  }

  /** A frame's duration is known when the next one starts, whether that belongs to a run or is a slate. */
  private async writePrevious(until: Moment): Promise<void> {
    if (this.previous === null || this.decoder === null) return;
    const { data, at } = this.previous;
    const timeMs = at - this.source.startTime;
    await this.muxer.add({ data, timeMs, durationMs: until - at }, this.decoder);
    this.frames += 1;
    this.busiest.add(timeMs, data.byteLength);
  }

  private async closeRun(): Promise<void> {
    const { run } = this;
    this.run = null;
    await run?.close();
  }

  /** An MP4 track has one set of decoder parameters; the runs and slates of a recording are encoded so that they agree. */
  private requireSameDecoder(found: VideoDecoderConfig): void {
    this.decoder ??= found;
    if (sameDecoder(this.decoder, found)) return;
    throw new Error(
      `The runs of this recording were encoded differently (${this.decoder.codec}, ${found.codec}).`,
    );
  }
}

/** It has a badge instead of a slate, except at the beginning. */
export function isShort(piece: Piece): piece is Gap {
  return piece.kind === 'gap' && piece.to - piece.from < SLATE_FROM_MS;
}

function nameOf(piece: Piece): string {
  return piece.kind === 'run' ? `run ${piece.runId}` : `gap ${piece.reason}`;
}
