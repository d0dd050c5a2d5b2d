// The log's own lines, oldest first, as far as they are there: the full file that was put aside, and the one in use.

import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** What is no line of ours (torn by a crash, for one) is passed over. No file is no line. */
export async function readLogLines(folder: string, told: (line: LogLine) => void): Promise<void> {
  for (const name of ['sightline.old.log', 'sightline.log']) {
    const file = join(folder, name);
    try {
      await access(file); // first: a stream that finds no file is an error of its own, beside the reading
      const input = createReadStream(file, 'utf8');
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        const line = parse(text);
        if (line !== null) told(line);
      }
    } catch {
      // not there, or not ours to read
    }
  }
}

function parse(text: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { time, message } = value as Record<string, unknown>;
    return typeof time === 'string' && typeof message === 'string' ? (value as LogLine) : null;
  } catch {
    return null;
  }
}
