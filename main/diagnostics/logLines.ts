// The lines of Sightline's log, oldest first: of the rotated file, then of the current one.

import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseJsonObject } from '../shared/json.ts';

export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Skips what is not a log line, such as one torn by a crash, and files that do not exist or cannot be read. */
export async function readLogLines(folder: string, onLine: (line: LogLine) => void): Promise<void> {
  for (const name of ['sightline.old.log', 'sightline.log']) {
    const file = join(folder, name);
    try {
      await access(file); // a missing file would be an error event of the stream, outside the loop
      const input = createReadStream(file, 'utf8');
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        const line = parseJsonObject(text);
        if (typeof line?.time === 'string' && typeof line.message === 'string') onLine(line as LogLine);
      }
    } catch {
      // the checks of the data folder report it
    }
  }
}
