// Assembly: one MP4 from the pictures of the runs and a slate for each gap. Packets are copied, never decoded or
// encoded; no plain video is written anywhere but to the sink; memory holds a megabyte of a run and, in mediabunny's
// muxer, the table of when each picture is shown. (Runs are read by our own splitter: mediabunny's demuxer keeps every
// fragment's place, which for an eight-hour run is far more than the table.)

import {
  BufferSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
  StreamTarget,
} from 'mediabunny';
import type { StreamTargetChunk } from 'mediabunny';
import type { Segment } from '../shared/fragments.ts';
import { FragmentSplitter, isKeyPicture } from '../shared/fragments.ts';
import type { GapReason } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { Piece } from '../spool/timeline.ts';
import type { RunReader } from '../spool/runFiles.ts';

export interface AssemblyPlan {
  /** Cover [startTime, endTime) without a hole. */
  readonly pieces: readonly Piece[];
  readonly startTime: Moment;
  readonly endTime: Moment;
  /** No fewer than the packets that will be written: the room for the moov box is reserved by it. */
  readonly maxPackets: number;
  readonly openRun: (runId: string) => Promise<RunReader>;
  readonly runStart: (runId: string) => Moment;
  /** How many pictures of the run count; what a crash left behind them in the file is not looked at. */
  readonly runFrames: (runId: string) => number;
  /** A fragmented MP4 with one picture, made with the encoder settings of the runs. */
  readonly slate: (reason: GapReason) => Promise<Uint8Array>;
  readonly write: (position: number, data: Uint8Array) => Promise<void>;
}

export interface Assembled {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

const WRITE_BYTES = 1024 * 1024;

/** A picture and the moment from which it is shown. */
interface Shown {
  readonly at: Moment;
  readonly data: Uint8Array;
}

export async function assemble(plan: AssemblyPlan): Promise<Assembled> {
  const decoder: { config: VideoDecoderConfig | null } = { config: null };
  const video = new EncodedVideoPacketSource('avc');
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: 'reserve' }),
    target: new StreamTarget(
      new WritableStream<StreamTargetChunk>({ write: (chunk) => plan.write(chunk.position, chunk.data) }),
      { chunked: true, chunkSize: WRITE_BYTES },
    ),
  });
  output.addVideoTrack(video, { maximumPacketCount: plan.maxPackets });
  await output.start();

  let frames = 0;
  let previous: Shown | null = null;
  // A packet's duration is the time until the next one, whatever run or slate that comes from.
  const show = async (until: Moment): Promise<void> => {
    if (previous === null || decoder.config === null) return;
    const { data, at } = previous;
    const type = isKeyPicture(data) ? 'key' : 'delta';
    const timestamp = (at - plan.startTime) / 1000;
    await video.add(new EncodedPacket(data, type, timestamp, (until - at) / 1000), {
      decoderConfig: decoder.config,
    });
    frames += 1;
  };

  try {
    for (const piece of plan.pieces) {
      for await (const shown of picturesOf(piece, plan, (found) => {
        decoder.config ??= found;
        requireSameDecoder(decoder.config, found);
      })) {
        await show(shown.at);
        previous = shown;
      }
    }
    await show(plan.endTime);
    if (decoder.config === null) throw new Error('The recording holds no picture at all.');
    await output.finalize();
  } catch (error) {
    await output.cancel().catch(() => undefined);
    throw error;
  }
  const { codec, codedWidth = 0, codedHeight = 0 } = decoder.config;
  return { codec, width: codedWidth, height: codedHeight, frames };
}

async function* picturesOf(
  piece: Piece,
  plan: AssemblyPlan,
  onConfig: (config: VideoDecoderConfig) => void,
): AsyncGenerator<Shown> {
  if (piece.kind === 'gap') {
    const splitter = new FragmentSplitter();
    for (const { data } of await picturesIn(splitter.push(await plan.slate(piece.reason)), onConfig)) {
      yield { at: piece.from, data };
      return; // one picture a gap
    }
    return;
  }
  const reader = await plan.openRun(piece.runId);
  try {
    const runStart = plan.runStart(piece.runId);
    const splitter = new FragmentSplitter();
    const clock: RunClock = { timescale: 1, first: null };
    let left = plan.runFrames(piece.runId);
    for await (const bytes of reader.contents()) {
      const segments = splitter.push(bytes);
      for (const { data, offsetMs } of await picturesIn(segments, onConfig, clock)) {
        const at = runStart + offsetMs;
        if (at >= piece.to || left === 0) return;
        left -= 1;
        yield { at, data };
      }
    }
  } finally {
    await reader.close();
  }
}

/** Carried from one part of a run to the next. */
interface RunClock {
  timescale: number;
  /** Decode time of the run's first picture. */
  first: number | null;
}

interface Picture {
  readonly data: Uint8Array;
  /** Since the run's first picture. */
  readonly offsetMs: number;
}

async function picturesIn(
  segments: readonly Segment[],
  onConfig: (config: VideoDecoderConfig) => void,
  clock: RunClock = { timescale: 1, first: null },
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const part of segments) {
    if (part.kind === 'initialisation') {
      clock.timescale = part.segment.timescale;
      onConfig(await readDecoderConfig(part.segment.bytes));
    } else {
      const { decodeTime, picture } = part.fragment;
      clock.first ??= decodeTime;
      pictures.push({ data: picture, offsetMs: ((decodeTime - clock.first) / clock.timescale) * 1000 });
    }
  }
  return pictures;
}

async function readDecoderConfig(initialisation: Uint8Array): Promise<VideoDecoderConfig> {
  const input = new Input({ source: new BufferSource(initialisation), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const config = await track?.getDecoderConfig();
  if (!config) throw new Error('A run in the spool holds no H.264 track.');
  return config;
}

/** One MP4 track has one set of decoder parameters; runs and slates of one recording are made so that they agree. */
function requireSameDecoder(expected: VideoDecoderConfig, found: VideoDecoderConfig): void {
  if (expected === found) return;
  const same =
    expected.codec === found.codec &&
    Buffer.from(descriptionOf(expected)).equals(Buffer.from(descriptionOf(found)));
  if (!same)
    throw new Error(
      `The runs of this recording were encoded differently (${expected.codec}, ${found.codec}).`,
    );
}

function descriptionOf(config: VideoDecoderConfig): Uint8Array {
  const description = config.description as ArrayBufferView | ArrayBufferLike | undefined;
  if (description === undefined) return new Uint8Array();
  return ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
}
