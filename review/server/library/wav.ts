// How long a WAV file is, by its header (RIFF: a size in little endian after each name).

import { ReviewFailure } from '../failure.ts';
import type { ReviewFile } from './ports.ts';
import { readRange } from './source.ts';

/** Connect's headers have 44 bytes; other tools put texts before the sound. */
const HEADER_BYTES = 64 * 1024;
const MAX_CHUNKS = 64;

/** In milliseconds, of the bytes that are there. null: not a WAV file, or the header is longer than is read. */
export async function wavDurationMs(file: ReviewFile, signal: AbortSignal): Promise<number | null> {
  if (file.sizeBytes < 44) return null;
  const header = await readRange(file, 0, Math.min(HEADER_BYTES, file.sizeBytes) - 1, signal);
  return durationIn(header, file.sizeBytes);
}

export function durationIn(header: Buffer, sizeBytes: number): number | null {
  if (name(header, 0) !== 'RIFF' || name(header, 8) !== 'WAVE') return null;
  let bytesPerSecond = 0;
  let at = 12;
  for (let chunks = 0; chunks < MAX_CHUNKS && at + 8 <= header.byteLength; chunks += 1) {
    const size = header.readUInt32LE(at + 4);
    if (name(header, at) === 'fmt ' && at + 20 <= header.byteLength)
      bytesPerSecond = header.readUInt32LE(at + 16);
    if (name(header, at) === 'data') {
      // Written as it was recorded, a file may say 0 or 4 GB here.
      const there = sizeBytes - at - 8;
      const soundBytes = size === 0 ? there : Math.min(size, there);
      return bytesPerSecond === 0 ? null : Math.round((soundBytes / bytesPerSecond) * 1000);
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

function name(header: Buffer, at: number): string {
  return header.toString('latin1', at, at + 4);
}

export function noAudio(): ReviewFailure {
  return new ReviewFailure('NOT_FOUND', 'There is no audio of this kind for this contact.');
}
