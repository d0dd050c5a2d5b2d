// Reads the NDJSON file of status events and its rotated predecessors: everything once, and from then on only what is new.

import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { errno } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import type { StatusEvent } from '../shared/statusEvent.ts';
import { statusEventSchema } from '../shared/statusEvent.ts';
import { eventsFiles } from './eventsFile.ts';

/** Non-blocking: a pipe without a writer must not block the reader. Undefined on Windows, which counts as 0. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

export class EventsReader {
  private last: Promise<unknown> = Promise.resolve();
  /** Up to where which file (names change by rotation) was read. */
  private position: { readonly ino: bigint; readonly offset: number } | null = null;

  /** @param maxFirstBytes the first call reads no more than this, from the end */
  constructor(
    readonly path: string,
    private readonly maxFirstBytes = Infinity,
  ) {}

  /** The lines added since the last call, oldest first; may begin in the middle of a line. @throws the file system's error */
  next(): Promise<string> {
    const next = this.last.then(() => this.read());
    this.last = next.catch(() => undefined);
    return next;
  }

  private async read(): Promise<string> {
    const newestFirst: Buffer[] = [];
    const seen = new Set<bigint>();
    let position: EventsReader['position'] = null;
    let left = this.position === null ? this.maxFirstBytes : Infinity;
    for (const path of eventsFiles(this.path)) {
      const file = await openIfThere(path);
      if (file === null) continue;
      try {
        const status = await file.stat({ bigint: true });
        // A rotation between two opens shows the same file under its next name.
        if (!status.isFile() || seen.has(status.ino)) continue;
        seen.add(status.ino);
        const size = Number(status.size);
        const known =
          this.position?.ino === status.ino && size >= this.position.offset ? this.position : null;
        const from = known?.offset ?? Math.max(0, size - left);
        const bytes = await readLines(file, from, size);
        newestFirst.push(bytes);
        position ??= { ino: status.ino, offset: from + bytes.byteLength };
        left -= bytes.byteLength;
        if (known !== null || left <= 0) break;
      } finally {
        await file.close();
      }
    }
    this.position = position ?? this.position;
    return Buffer.concat(newestFirst.reverse()).toString('utf8');
  }
}

/** The events of these lines; other lines are left out (a torn last one, or one of another program). */
export function parseEvents(text: string): { readonly recordingId: string; readonly event: StatusEvent }[] {
  return text.split('\n').flatMap((line) => {
    const event = statusEventSchema.safeParse(parseJson(line)).data;
    const [recordingId = ''] = event?.detail.eventDeduplicationId.split(':', 1) ?? [];
    return event === undefined ? [] : [{ recordingId, event }];
  });
}

/** The newest event of each recording, by recordingId. @throws the file system's error */
export async function newestEvents(path: string): Promise<Map<string, StatusEvent>> {
  const events = parseEvents(await new EventsReader(path).next());
  return new Map(events.map(({ recordingId, event }) => [recordingId, event]));
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, READ_FLAGS);
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Up to the last line end: the rest is still being written. */
async function readLines(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, buffer.lastIndexOf('\n', bytesRead - 1) + 1);
}
