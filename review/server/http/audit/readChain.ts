// Reads an audit log from its beginning and follows its chain. It proves that the lines follow from each other; it cannot
// prove that lines at the end are not missing, or that somebody who can write the file did not write all of it anew. For that,
// number and hash of its end are kept elsewhere (docs/review-team.md).

import { createReadStream } from 'node:fs';
import { FIRST_PREVIOUS, MAX_LINE_BYTES, afterTornLine, hashOf, parseLine } from './line.ts';
import type { AuditLine, ChainEnd } from './line.ts';

export interface ChainReport {
  readonly lines: number;
  readonly end: ChainEnd;
  /** The first line of the file, counted from 1, that does not follow from the one before it; null: all do. */
  readonly brokenAt: number | null;
  readonly why: string | null;
  /** Lines that were cut off by a crash or a full disk, and that the next line covers. */
  readonly torn: readonly number[];
}

/** @param onLine each line that can be read, in order */
export async function readChain(
  path: string,
  onLine: (line: AuditLine) => void = () => undefined,
): Promise<ChainReport> {
  let [lines, brokenAt, why] = [0, null as number | null, null as string | null];
  let end: ChainEnd = { number: 0, sha256: FIRST_PREVIOUS };
  let tornBefore = false;
  const torn: number[] = [];
  const broken = (reason: string): void => {
    brokenAt ??= lines;
    why ??= reason;
  };
  for await (const raw of rawLines(path)) {
    lines += 1;
    const line = raw.length > MAX_LINE_BYTES ? null : parseLine(raw.toString('utf8'));
    if (line === null) {
      // Only a line that says so may follow: see below.
      tornBefore = true;
      torn.push(lines);
      end = afterTornLine(end, raw);
      continue;
    }
    if (line.previous !== end.sha256) broken('its hash is not that of the line before');
    else if (line.number !== end.number + 1) broken('its number does not follow');
    else if (tornBefore !== (line.details?.afterTornLine === true)) broken('a line before it cannot be read');
    tornBefore = false;
    end = { number: line.number, sha256: hashOf(raw) };
    onLine(line);
  }
  return { lines, end, brokenAt, why, torn };
}

/** Without their line breaks. Of one that is too long, only that it is. */
async function* rawLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let begin = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, begin)) {
      const part = chunk.subarray(begin, at);
      yield rest.length === 0 ? part : Buffer.concat([rest, part]);
      rest = Buffer.alloc(0);
      begin = at + 1;
    }
    // A file without line breaks must not fill the memory.
    const tail = chunk.subarray(begin);
    rest = rest.length > MAX_LINE_BYTES ? rest : Buffer.concat([rest, tail]);
  }
  if (rest.length > 0) yield rest;
}
