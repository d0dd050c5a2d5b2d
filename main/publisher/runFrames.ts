// The frames of one run in order, as many as are wanted now.

import type { Segment } from '../media/fragments.ts';
import { FragmentSplitter } from '../media/fragments.ts';
import type { RunReader } from '../spool/runFiles.ts';
import { DamagedRunFile } from '../spool/runFiles.ts';

export interface Frame {
  readonly data: Uint8Array;
  /** Since the run's first frame. */
  readonly offsetMs: number;
}

export class RunFrames {
  private readonly splitter = new FragmentSplitter();
  private timescale = 1;
  /** Decode time of the run's first frame. */
  private first: number | null = null;
  /** Read, but not taken yet. */
  private pending: Frame[] = [];
  private taken = 0;
  private lastOffsetMs: number | null = null;

  constructor(
    private readonly reader: RunReader,
    private readonly onInitialisation: (segment: Uint8Array) => Promise<void>,
    /** How many there are; Infinity while the run is being written. */
    private readonly limit: () => number,
  ) {}

  /** Stops at the first frame that is not wanted; the next call starts with that one. */
  async *take(isWanted: (frame: Frame) => boolean): AsyncGenerator<Frame> {
    for (;;) {
      for (const [index, frame] of this.pending.entries()) {
        if (!isWanted(frame) || this.taken >= this.limit()) {
          this.pending = this.pending.slice(index);
          return;
        }
        this.taken += 1;
        this.lastOffsetMs = frame.offsetMs;
        yield frame;
      }
      this.pending = [];
      // The bytes after the last frame may be damaged.
      if (this.taken >= this.limit()) return;
      const bytes = await this.reader.next();
      if (bytes === null) {
        this.requireAll();
        return;
      }
      this.pending = await this.framesIn(this.splitter.push(bytes));
    }
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  /** The number of frames taken, and the offset of the last one; null: there was none. */
  get read(): { readonly frames: number; readonly lastOffsetMs: number | null } {
    return { frames: this.taken, lastOffsetMs: this.lastOffsetMs };
  }

  /** A closed run has as many frames as its journal states; fewer mean that its file was truncated. */
  private requireAll(): void {
    const expected = this.limit();
    if (expected === Infinity || this.taken >= expected) return;
    throw new DamagedRunFile(
      `A run in the spool has ${this.taken} of its ${expected} frames: the disk is faulty, or its file was truncated.`,
    );
  }

  private async framesIn(segments: readonly Segment[]): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (const part of segments) {
      if (part.kind === 'initialisation') {
        this.timescale = part.segment.timescale;
        await this.onInitialisation(part.segment.bytes);
      } else {
        const { decodeTime, frame } = part.fragment;
        this.first ??= decodeTime;
        frames.push({ data: frame, offsetMs: ((decodeTime - this.first) / this.timescale) * 1000 });
      }
    }
    return frames;
  }
}
