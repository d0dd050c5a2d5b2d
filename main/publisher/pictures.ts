// Pictures out of fragmented MP4: a run's one after the other, as far as they are wanted now, and a slate's only one.

import type { Segment } from '../shared/fragments.ts';
import { FragmentSplitter } from '../shared/fragments.ts';
import type { RunReader } from '../spool/runFiles.ts';
import { DamagedRunFile } from '../spool/runFiles.ts';
import type { EncoderName } from '../shared/names.ts';
import { readDecoderConfig } from './decoderConfig.ts';

/** What pictures of one recording have in common. */
export interface PictureKind {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly encoder: EncoderName;
}

export interface Picture {
  readonly data: Uint8Array;
  /** Since the run's first picture. */
  readonly offsetMs: number;
}

export class RunPictures {
  private readonly splitter = new FragmentSplitter();
  private timescale = 1;
  /** Decode time of the run's first picture. */
  private first: number | null = null;
  /** Read, but not wanted yet. */
  private waiting: Picture[] = [];
  private taken = 0;
  private lastOffsetMs: number | null = null;

  constructor(
    private readonly reader: RunReader,
    private readonly onConfig: (config: VideoDecoderConfig) => void,
    /** How many there are; Infinity while it is being written. */
    private readonly limit: () => number,
  ) {}

  /** The next pictures, up to the first that is not wanted; that one comes first the next time. */
  async *take(isWanted: (picture: Picture) => boolean): AsyncGenerator<Picture> {
    for (;;) {
      for (const [index, picture] of this.waiting.entries()) {
        if (!isWanted(picture) || this.taken >= this.limit()) {
          this.waiting = this.waiting.slice(index);
          return;
        }
        this.taken += 1;
        this.lastOffsetMs = picture.offsetMs;
        yield picture;
      }
      this.waiting = [];
      // What is behind them may be damaged.
      if (this.taken >= this.limit()) return;
      const bytes = await this.reader.next();
      if (bytes === null) {
        this.requireAll();
        return;
      }
      this.waiting = await this.picturesIn(this.splitter.push(bytes));
    }
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  /** How many pictures were taken, and when the last of them begins; null: there was none. */
  get read(): { readonly frames: number; readonly lastOffsetMs: number | null } {
    return { frames: this.taken, lastOffsetMs: this.lastOffsetMs };
  }

  /** A run that is closed holds what its journal says: if it does not, something has been taken away. */
  private requireAll(): void {
    const expected = this.limit();
    if (expected === Infinity || this.taken >= expected) return;
    throw new DamagedRunFile(
      `A run in the spool holds ${this.taken} of its ${expected} pictures: the disk is faulty, or somebody has cut its file off.`,
    );
  }

  private async picturesIn(segments: readonly Segment[]): Promise<Picture[]> {
    const pictures: Picture[] = [];
    for (const part of segments) {
      if (part.kind === 'initialisation') {
        this.timescale = part.segment.timescale;
        this.onConfig(await readDecoderConfig(part.segment.bytes));
      } else {
        const { decodeTime, picture } = part.fragment;
        this.first ??= decodeTime;
        pictures.push({ data: picture, offsetMs: ((decodeTime - this.first) / this.timescale) * 1000 });
      }
    }
    return pictures;
  }
}

/** The picture of a slate's fragmented MP4. */
export async function slatePicture(
  mp4: Uint8Array,
): Promise<{ config: VideoDecoderConfig; data: Uint8Array }> {
  let config: VideoDecoderConfig | null = null;
  for (const part of new FragmentSplitter().push(mp4)) {
    if (part.kind === 'initialisation') config = await readDecoderConfig(part.segment.bytes);
    else if (config !== null) return { config, data: part.fragment.picture };
  }
  throw new Error('A slate holds no picture.');
}
