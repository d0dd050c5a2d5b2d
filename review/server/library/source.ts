// Where a library's files are: a folder or an S3 prefix. Read only; the two differ only behind this interface.

import { ReviewFailure } from '../failure.ts';
import type { ReviewFile } from './ports.ts';

export interface ListedManifest {
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes when the content does. */
  readonly stamp: string;
  readonly modifiedMs: number;
}

/** Part of a listing; names that nameKind ignores are left out. */
export interface Listed {
  readonly manifests: readonly ListedManifest[];
  readonly videos: readonly string[];
}

/** All names are relative to the source, with forward slashes. @throws ReviewFailure LIBRARY_UNAVAILABLE, of every method */
export interface FileSource {
  list(signal: AbortSignal): AsyncIterable<Listed>;
  /** Names of files directly in a folder that begin so; none where there is no such folder. At most MAX_FOUND. */
  find(folder: string, beginning: string, signal: AbortSignal): Promise<readonly string[]>;
  /** null: there is no such file, or it is not one that may be read. */
  open(key: string, signal: AbortSignal): Promise<ReviewFile | null>;
  /** The whole of a small file as it was listed. null: gone or changed since; `refused`: this one cannot be read, others can. */
  read(file: ListedManifest, signal: AbortSignal): Promise<Buffer | 'refused' | null>;
  close(): void;
}

export const MAX_FOUND = 100;
/** Beyond it a library is split: `sightline review` is given one of its folders. */
export const MAX_NAMES = 4_000_000;

export function tooManyNames(): ReviewFailure {
  return new ReviewFailure(
    'LIBRARY_UNAVAILABLE',
    `The library has more than ${MAX_NAMES.toLocaleString('en')} files. Review one of its folders instead.`,
  );
}

/** All of a file. @throws ReviewFailure TOO_LARGE */
export async function readAll(file: ReviewFile, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  if (file.sizeBytes > maxBytes) throw new ReviewFailure('TOO_LARGE', 'The file is too large to be read.');
  return file.sizeBytes === 0 ? Buffer.alloc(0) : readRange(file, 0, file.sizeBytes - 1, signal);
}

/** @param end inclusive @throws ReviewFailure where the file is shorter now */
export async function readRange(
  file: ReviewFile,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of await file.read(start, end, signal)) parts.push(part);
  const [first] = parts;
  const whole =
    parts.length === 1 && first !== undefined
      ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
      : Buffer.concat(parts);
  if (whole.byteLength !== end - start + 1) throw changed();
  return whole;
}

/** Two versions of a file are never mixed. */
export function changed(cause?: unknown): ReviewFailure {
  return new ReviewFailure(
    'LIBRARY_UNAVAILABLE',
    'The file was replaced while it was being read. Try again.',
    ...(cause === undefined ? [] : [{ cause }]),
  );
}
