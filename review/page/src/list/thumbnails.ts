// Makes thumbnails of visible rows: the server hands over one key frame, WebCodecs decodes it, at most 320 px of it are kept.
// At most two at a time; a row that leaves the view withdraws its request.

import type { KeyFrame, RecordingRow } from '../../../contract.ts';
import { api, isAbort } from '../api.ts';
import { keepThumbnail, keptThumbnail } from './thumbnailCache.ts';

const MAX_WIDTH = 320;
const MAX_AT_A_TIME = 2;
/** A row that is only scrolled past asks for nothing. */
const DWELL_MS = 120;
/** Object URLs of this visit; more than fit on a screen, few enough to forget. */
const MAX_IN_MEMORY = 300;
const DECODE_LIMIT_MS = 5000;

interface Waiting {
  readonly row: RecordingRow;
  readonly signal: AbortSignal;
  readonly resolve: (address: string | null) => void;
}

const addresses = new Map<string, string>();
const hopeless = new Set<string>();
/** The line and its details may ask for the same. */
const inWork = new Map<string, Promise<string | null>>();
const waiting: Waiting[] = [];
let running = 0;

export function canMakeThumbnails(): boolean {
  return 'VideoDecoder' in globalThis && 'OffscreenCanvas' in globalThis;
}

/** At once, if it was made in this visit. */
export function readyThumbnail(id: string): string | null {
  return addresses.get(id) ?? null;
}

/** At sign-out: nothing of this visit remains in memory either. */
export function forgetThumbnails(): void {
  for (const address of addresses.values()) URL.revokeObjectURL(address);
  addresses.clear();
  waiting.length = 0;
}

/** @returns a `blob:` address, or null: there is no video, the browser cannot decode it, or `signal` was aborted */
export function thumbnailOf(row: RecordingRow, signal: AbortSignal): Promise<string | null> {
  if (hopeless.has(row.id) || row.problems.includes('no-video')) return Promise.resolve(null);
  return new Promise((resolve) => {
    const begin = setTimeout(() => {
      waiting.push({ row, signal, resolve });
      next();
    }, DWELL_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(begin);
      const index = waiting.findIndex((one) => one.signal === signal);
      if (index >= 0) waiting.splice(index, 1);
      resolve(null);
    });
  });
}

function next(): void {
  while (running < MAX_AT_A_TIME) {
    const one = waiting.shift();
    if (one === undefined) return;
    running += 1;
    void make(one)
      .then(one.resolve)
      .finally(() => {
        running -= 1;
        next();
      });
  }
}

async function make(one: Waiting): Promise<string | null> {
  const { id } = one.row;
  // That of another may be withdrawn.
  const ready = (await inWork.get(id)) ?? addresses.get(id);
  if (ready !== undefined) return ready;
  const work = makeNow(one);
  inWork.set(id, work);
  try {
    return await work;
  } finally {
    inWork.delete(id);
  }
}

async function makeNow({ row, signal }: Waiting): Promise<string | null> {
  try {
    const picture = (await keptThumbnail(row.id)) ?? (canMakeThumbnails() ? await fresh(row, signal) : null);
    return picture === null ? null : remember(row.id, picture);
  } catch (error) {
    // No video, another codec, a broken frame: the row does without, and is not asked about again.
    if (!isAbort(error)) hopeless.add(row.id);
    return null;
  }
}

async function fresh(row: RecordingRow, signal: AbortSignal): Promise<Blob> {
  // The beginning is often an empty desk.
  const frame = await api.keyFrame(row.id, row.durationMs / 4, signal);
  const picture = await decode(frame);
  void keepThumbnail(row.id, picture);
  return picture;
}

async function decode({ codec, description, data, width, height }: KeyFrame): Promise<Blob> {
  const config: VideoDecoderConfig = {
    codec,
    description: bytes(description),
    codedWidth: width,
    codedHeight: height,
  };
  const { supported } = await VideoDecoder.isConfigSupported(config);
  if (supported !== true) throw new Error(`This browser does not decode ${codec}.`);
  const frame = await firstFrame(config, bytes(data));
  try {
    const scale = Math.min(1, MAX_WIDTH / frame.displayWidth);
    const canvas = new OffscreenCanvas(
      Math.max(1, Math.round(frame.displayWidth * scale)),
      Math.max(1, Math.round(frame.displayHeight * scale)),
    );
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This browser has no canvas.');
    context.imageSmoothingQuality = 'high';
    context.drawImage(frame, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  } finally {
    frame.close();
  }
}

async function firstFrame(config: VideoDecoderConfig, data: Uint8Array<ArrayBuffer>): Promise<VideoFrame> {
  const frames: VideoFrame[] = [];
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const decoder = new VideoDecoder({
    output: (frame) => frames.push(frame),
    error: fail,
  });
  const limit = setTimeout(() => fail(new Error('Decoding took too long.')), DECODE_LIMIT_MS);
  try {
    decoder.configure(config);
    decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
    await Promise.race([decoder.flush(), failed]);
  } finally {
    clearTimeout(limit);
    if (decoder.state !== 'closed') decoder.close();
  }
  const [first, ...others] = frames;
  for (const frame of others) frame.close();
  if (first === undefined) throw new Error('The key frame has no picture.');
  return first;
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function remember(id: string, picture: Blob): string {
  const address = URL.createObjectURL(picture);
  addresses.set(id, address);
  if (addresses.size > MAX_IN_MEMORY) {
    const [oldest, its] = addresses.entries().next().value ?? [];
    if (oldest !== undefined && its !== undefined) {
      addresses.delete(oldest);
      URL.revokeObjectURL(its);
    }
  }
  return address;
}
