// The SHA-256 of an MP4 as its manifest has it: of the whole file, or of each part. Streamed: memory does not depend on the size.

import { createHash, type Hash } from 'node:crypto';
import type { Manifest } from '../../../main/shared/manifest.ts';
import type { ReviewFile } from '../library/ports.ts';

const MAX_NAMED_PARTS = 5;

export interface Hashed {
  /** What differs; none: the MP4 is as it was. */
  readonly findings: readonly string[];
  readonly bytes: number;
}

/** @throws ReviewFailure of the library, and the signal's reason */
export async function hashVideo(
  { sizeBytes, sha256, parts }: Manifest['video'],
  file: ReviewFile,
  signal: AbortSignal,
): Promise<Hashed> {
  // A whole file is one part of itself. Where there are both, the parts say more.
  const inParts = parts !== undefined && parts.length > 0;
  const expected = inParts ? parts : [{ sizeBytes, sha256: sha256 ?? '' }];
  const whole = inParts && sha256 !== undefined ? createHash('sha256') : null;
  const different: number[] = [];
  let index = 0;
  let hash = createHash('sha256');
  let left = expected[0]?.sizeBytes ?? 0;
  let bytes = 0;
  const endPart = (): void => {
    if (hash.digest('hex') !== expected[index]?.sha256) different.push(index);
    index += 1;
    hash = createHash('sha256');
    left = expected[index]?.sizeBytes ?? Infinity;
  };
  for await (let chunk of await file.read(0, file.sizeBytes - 1, signal)) {
    signal.throwIfAborted();
    bytes += chunk.byteLength;
    whole?.update(chunk);
    while (chunk.byteLength >= left) {
      hash.update(chunk.subarray(0, left));
      chunk = chunk.subarray(left);
      endPart();
    }
    hash.update(chunk);
    left -= chunk.byteLength;
  }
  if (index < expected.length) endPart();
  return { findings: [...partFindings(different, expected), ...wholeFindings(whole, sha256)], bytes };
}

function partFindings(
  different: readonly number[],
  parts: readonly { readonly sizeBytes: number }[],
): string[] {
  if (different.length === 0) return [];
  if (parts.length === 1)
    return ["The MP4's SHA-256 is not that of the manifest: the MP4 was changed or replaced."];
  const named = different.slice(0, MAX_NAMED_PARTS).map((part) => {
    const from = parts.slice(0, part).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return `bytes ${from} to ${from + (parts[part]?.sizeBytes ?? 1) - 1}`;
  });
  const more = different.length > named.length ? ', and others' : '';
  return [
    `The MP4 was changed: ${different.length} of its ${parts.length} parts do not have the SHA-256 of the manifest (${named.join(', ')}${more}).`,
  ];
}

function wholeFindings(whole: Hash | null, sha256: string | undefined): string[] {
  return whole === null || whole.digest('hex') === sha256
    ? []
    : [
        "The whole MP4's SHA-256 is not that of the manifest, although its parts' are: the manifest was changed.",
      ];
}
