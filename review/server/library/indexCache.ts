// The index on the disk: JSON lines, so that neither writing nor reading needs the whole of it at once, and a damaged line costs
// that line only. A private file. It contains what manifests say, and nothing that they do not.

import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { problems, type Problem, type RecordingRow } from '../../contract.ts';
import { removeLeftBehind, renameOver } from '../../../main/platform/atomicFile.ts';
import { parseJson, parseJsonObject } from '../../../main/shared/json.ts';
import { channelSchema, type Channel } from '../../../main/shared/names.ts';
import { entryOf, interned, type Entry } from './entry.ts';
import { idOf, videoOf } from './names.ts';
import { problemList } from './row.ts';

/** Of the lines, and of how a row is made from a manifest: another one is read as no cache. */
const FORMAT = 1;
const LINES_AT_A_TIME = 2000;
const MAX_LINE_BYTES = 16 * 1024;
const known: ReadonlySet<string> = new Set<Problem>(problems);

export class IndexCache {
  private readonly path: string;

  /** @param library what is cached, with everything that makes it another one: its address, the endpoint */
  constructor(
    private readonly folder: string,
    private readonly library: string,
  ) {
    const hash = createHash('sha256').update(library).digest('hex').slice(0, 32);
    this.path = join(folder, `review-index-${hash}.jsonl`);
  }

  /** What can be read of it; nothing where there is none. Never rejects. */
  async *load(): AsyncGenerator<Entry[]> {
    await removeLeftBehind(this.folder);
    const intern = interned();
    let isHead = true;
    try {
      for await (const lines of linesOf(this.path)) {
        const entries: Entry[] = [];
        for (const line of lines) {
          if (isHead) {
            const head = parseJsonObject(line);
            if (head?.['format'] !== FORMAT || head['library'] !== this.library) return;
            isHead = false;
            continue;
          }
          const entry = parsed(line, intern);
          if (entry !== null) entries.push(entry);
        }
        yield entries;
      }
    } catch {
      // Without a cache everything is read again.
    }
  }

  /** @throws what the disk says; the previous file stays then */
  async save(entries: Iterable<Entry>): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const temporary = `${this.path}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        let lines = [JSON.stringify({ format: FORMAT, library: this.library })];
        const write = async (): Promise<void> => {
          await file.appendFile(`${lines.join('\n')}\n`);
          lines = [];
        };
        for (const entry of entries) if (lines.push(lineOf(entry)) >= LINES_AT_A_TIME) await write();
        if (lines.length > 0) await write();
        await file.sync();
      } finally {
        await file.close();
      }
      await renameOver(temporary, this.path);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

function lineOf({ stem, stamp, row }: Entry): string {
  const { contactId, agent, queue, channel, startTime, durationMs, sizeBytes, suspensions, trial } = row;
  const numbers = [durationMs, sizeBytes, suspensions, trial ? 1 : 0];
  return JSON.stringify([
    stem,
    stamp,
    contactId,
    agent,
    queue,
    channel,
    startTime,
    ...numbers,
    row.problems.join(),
  ]);
}

/** null: damaged. */
function parsed(line: string, intern: (text: string) => string): Entry | null {
  const fields = parseJson(line);
  if (!Array.isArray(fields) || fields.length !== 12) return null;
  const [stem, stamp, contactId, agent, queue, channel, startTime, ...rest] = fields as unknown[];
  const [durationMs, sizeBytes, suspensions, trial, found] = rest;
  const texts = [stem, stamp, contactId, agent, startTime, found];
  const numbers = [durationMs, sizeBytes, suspensions, trial];
  if (!texts.every((one) => typeof one === 'string') || !numbers.every((one) => Number.isSafeInteger(one)))
    return null;
  if (queue !== null && typeof queue !== 'string') return null;
  if (channel !== null && !channelSchema.safeParse(channel).success) return null;
  const names = (found as string).split(',').filter((one) => one !== '');
  if (!names.every((one) => known.has(one)) || Number.isNaN(Date.parse(startTime as string))) return null;
  const row: RecordingRow = {
    id: idOf(videoOf(stem as string)),
    contactId: contactId as string,
    agent: intern(agent as string),
    queue: queue === null ? null : intern(queue),
    channel: channel === null ? null : (intern(channel as string) as Channel),
    startTime: startTime as string,
    durationMs: durationMs as number,
    sizeBytes: sizeBytes as number,
    suspensions: suspensions as number,
    problems: problemList(names as Problem[]),
    trial: trial === 1,
  };
  return entryOf(stem as string, stamp as string, row);
}

/** Some lines at a time. A line that is too long is left out. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Buffer>) {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n');
    rest = bytes.subarray(end);
    if (rest.byteLength > MAX_LINE_BYTES) rest = Buffer.alloc(0);
  }
}
