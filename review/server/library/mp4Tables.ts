// What an MP4 says of its frames in its own tables: when each is shown, how large it is, and where the key frames are. Nothing is
// decoded, and of the frames only a key frame that is asked for is read. The file may be hostile: see mp4Limits.ts.
// mediabunny finds key frames and what a decoder needs; the list of all frames is our own (sampleTables.ts).

import { CustomSource, EncodedPacketSink, Input, MP4, type InputVideoTrack } from 'mediabunny';
import type { Activity, KeyFrame } from '../../contract.ts';
import { asBuffer, BOX_HEADER_BYTES, boxType } from '../../../main/media/boxes.ts';
import { descriptionOf } from '../../../main/media/decoderConfig.ts';
import { withDeadline } from '../../../main/platform/deadline.ts';
import { ReviewFailure } from '../failure.ts';
import { checkedMoov, MAX_MOOV_BYTES } from './mp4Limits.ts';
import type { ReviewFile } from './ports.ts';
import { activityIn } from './sampleTables.ts';
import { readRange } from './source.ts';

/** Before and behind the moov; a recording has four in all. */
const MAX_TOP_BOXES = 64;
const LARGE_HEADER_BYTES = 16;
/** Those of two monitors have up to 1 MB. */
const MAX_KEY_FRAME_BYTES = 8 * 1024 * 1024;
const MAX_DESCRIPTION_BYTES = 64 * 1024;
const ANSWER_WITHIN_MS = 20_000;
/** Tables being parsed at a time: each may need some hundred bytes for a frame. */
const AT_A_TIME = 2;
/** Of the tables that are kept. */
const KEPT_FRAMES = 600_000;

interface Tables {
  readonly frames: number;
  readonly moov: Buffer;
  readonly track: InputVideoTrack;
  readonly input: Input;
  activity: Activity | null;
}

export class Mp4Tables {
  /** The most recently used last. */
  private readonly kept = new Map<string, Tables>();
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly answerWithinMs = ANSWER_WITHIN_MS) {}

  /** @throws ReviewFailure UNREADABLE_RECORDING, LIBRARY_UNAVAILABLE */
  activity(key: string, file: ReviewFile): Promise<Activity> {
    return this.with(key, file, (tables) => Promise.resolve((tables.activity ??= activityIn(tables.moov))));
  }

  /** The key frame that begins at or before a moment; before the first one, the first. */
  keyFrame(key: string, file: ReviewFile, atMs: number): Promise<KeyFrame> {
    return this.with(key, file, ({ track }) => keyFrameOf(track, atMs));
  }

  close(): void {
    for (const { input } of this.kept.values()) input.dispose();
    this.kept.clear();
  }

  private async with<T>(key: string, file: ReviewFile, use: (tables: Tables) => Promise<T>): Promise<T> {
    await this.turn();
    const late = new AbortController();
    const name = `${key}\n${file.etag}`;
    try {
      const work = async (): Promise<T> => {
        const tables = this.kept.get(name) ?? (await opened(file, late.signal));
        this.keep(name, tables);
        return use(tables);
      };
      return await withDeadline(work(), this.answerWithinMs, () => {
        late.abort();
        return unreadable('its tables could not be read in time');
      });
    } catch (error) {
      // What failed once may have left half of a table behind.
      this.kept.delete(name);
      if (error instanceof ReviewFailure) throw error;
      throw unreadable(error instanceof Error ? error.message : '', error);
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    while (this.running >= AT_A_TIME) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
  }

  private keep(name: string, tables: Tables): void {
    this.kept.delete(name);
    this.kept.set(name, tables);
    let frames = [...this.kept.values()].reduce((sum, one) => sum + one.frames, 0);
    for (const [oldest, one] of this.kept) {
      if (frames <= KEPT_FRAMES || oldest === name) return;
      this.kept.delete(oldest);
      frames -= one.frames;
    }
  }
}

async function opened(file: ReviewFile, signal: AbortSignal): Promise<Tables> {
  const { at, moov } = await findMoov(file, signal);
  const frames = checkedMoov(moov);
  const source = new CustomSource({
    getSize: () => file.sizeBytes,
    read: (start, end) =>
      start >= at && end <= at + moov.byteLength
        ? moov.subarray(start - at, end - at)
        : readRange(file, start, end - 1, AbortSignal.timeout(ANSWER_WITHIN_MS)),
    maxCacheSize: MAX_KEY_FRAME_BYTES,
    handleUnhandledError: () => undefined,
  });
  const input = new Input({ source, formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new Error('no video track');
  return { frames, moov, track, input, activity: null };
}

/** Walks over the boxes of the file without reading them. */
async function findMoov(file: ReviewFile, signal: AbortSignal): Promise<{ at: number; moov: Buffer }> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_TOP_BOXES && at + LARGE_HEADER_BYTES <= file.sizeBytes; boxes += 1) {
    const header = await readRange(file, at, at + LARGE_HEADER_BYTES - 1, signal);
    const short = header.readUInt32BE(0);
    const size =
      short === 1 ? Number(header.readBigUInt64BE(BOX_HEADER_BYTES)) : short || file.sizeBytes - at;
    const type = boxType(header);
    if (size < BOX_HEADER_BYTES || at + size > file.sizeBytes) throw new Error('a box longer than the file');
    if (type === 'moof' || (boxes === 0 && type !== 'ftyp')) throw new Error(`a box ${type}`);
    if (type === 'moov') {
      if (size > MAX_MOOV_BYTES || short === 1) throw new Error('too large a moov');
      return { at, moov: await readRange(file, at, at + size - 1, signal) };
    }
    at += size;
  }
  throw new Error('no moov');
}

async function keyFrameOf(track: InputVideoTrack, atMs: number): Promise<KeyFrame> {
  const sink = new EncodedPacketSink(track);
  const config = await track.getDecoderConfig();
  const description = config === null ? Buffer.alloc(0) : descriptionOf(config);
  if (config?.codec.startsWith('avc1') !== true || description.byteLength === 0) throw new Error('no H.264');
  const metadataOnly = { metadataOnly: true };
  const seconds = Math.max(0, atMs) / 1000;
  const found =
    (await sink.getKeyPacket(seconds, metadataOnly)) ?? (await sink.getFirstKeyPacket(metadataOnly));
  if (
    found === null ||
    found.byteLength > MAX_KEY_FRAME_BYTES ||
    description.byteLength > MAX_DESCRIPTION_BYTES
  )
    throw new Error('no key frame, or too large a one');
  const packet = await sink.getKeyPacket(found.timestamp);
  if (packet === null) throw new Error('no key frame');
  return {
    timeMs: Math.round(packet.timestamp * 1000),
    codec: config.codec,
    width: await track.getCodedWidth(),
    height: await track.getCodedHeight(),
    description: description.toString('base64'),
    data: asBuffer(packet.data).toString('base64'),
  };
}

/** @param why for the log only: it may quote the file */
function unreadable(why: string, cause?: unknown): ReviewFailure {
  return new ReviewFailure(
    'UNREADABLE_RECORDING',
    'The MP4 is damaged, or Sightline did not write it. Download it to examine it, or verify it.',
    { cause: cause ?? new Error(why) },
  );
}
