// The journal of one spool session: what happened, one sealed entry a line, fsynced before what it announces is done.
// The first line says in the clear which key store can unlock the session's data key, and nothing else. A torn last line
// (the power went) is expected and dropped; anything else that does not open is an error: somebody has written here.

import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { syncFolder } from '../platform/atomicFile.ts';
import { SightlineError, errno, errorSources } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import {
  channelSchema,
  encoderSchema,
  gapReasonSchema,
  monitorSchema,
  pauseReasonSchema,
  placedMonitorSchema,
} from '../shared/names.ts';
import { Seal } from './seal.ts';

export const JOURNAL_VERSION = 2;
export const JOURNAL_FILE = 'journal.ndjson';

const id = z.string().min(1);
const moment = z.number();

const failureSchema = z.object({
  code: z.enum(Object.keys(errorSources) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  source: z.enum(['CLIENT', 'SERVICE', 'UNKNOWN']),
});

const identitySchema = z.object({
  agentArn: z.string(),
  instanceArn: z.string(),
  instanceAlias: z.string().exactOptional(),
  agentUsername: z.string().exactOptional(),
  browser: z.string().exactOptional(),
});

const contactSchema = z.object({
  contactId: z.string(),
  initialContactId: z.string().optional(),
  channel: channelSchema,
  queue: z.string().optional(),
  attributes: z.record(z.string(), z.string()).optional(),
});

export const journalEntrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('contact.started'),
    recordingId: id,
    at: moment,
    contact: contactSchema,
    agent: identitySchema,
  }),
  /** The recording has its start: the first frame is in the spool, or a suspension stands in for it. */
  z.object({ type: z.literal('contact.recording'), recordingId: id, startTime: moment }),
  z.object({
    type: z.literal('contact.suspended'),
    recordingId: id,
    at: moment,
    reason: z.string().exactOptional(),
  }),
  z.object({
    type: z.literal('contact.resumed'),
    recordingId: id,
    at: moment,
    cause: z.enum(['page', 'time-limit', 'restart']),
  }),
  /** Capture rests for everybody. */
  z.object({
    type: z.enum(['capture.paused', 'capture.unpaused']),
    at: moment,
    reason: pauseReasonSchema,
  }),
  z.object({
    type: z.literal('contact.stopped'),
    recordingId: id,
    endTime: moment,
    cause: z.enum(['stopped', 'page-lost', 'agent-changed', 'shutdown', 'app-died']),
  }),
  z.object({
    type: z.literal('run.opened'),
    runId: id,
    at: moment,
    file: z.string(),
    encoder: encoderSchema,
    fps: z.number().positive(),
    monitors: z.array(placedMonitorSchema),
    /** More monitors than policy lets be recorded. */
    leftOut: z.array(monitorSchema),
  }),
  /** The run's process, so that the next start can end it should it outlive this one. */
  z.object({ type: z.literal('run.spawned'), runId: id, pid: z.number().int().positive() }),
  z.object({
    type: z.literal('run.live'),
    runId: id,
    startTime: moment,
    width: z.number().int().positive(),
    height: z.number().int().positive(),
  }),
  z.object({
    type: z.literal('run.closed'),
    runId: id,
    /** Where the run's last picture ends; null when it never had one. */
    endTime: moment.nullable(),
    frames: z.number().int().nonnegative(),
    sizeBytes: z.number().int().nonnegative(),
    /** What a gap after this run is called, unless a suspension explains it. */
    gapReason: gapReasonSchema,
  }),
  z.object({
    type: z.literal('recording.published'),
    recordingId: id,
    at: moment,
    location: z.string(),
    sizeBytes: z.number().int().positive(),
  }),
  /** This status event is in the events' file and on its way: no later process need tell it. */
  z.object({
    type: z.literal('event.announced'),
    recordingId: id,
    status: z.enum(['INITIATED', 'COMPLETED', 'FAILED']),
  }),
  /** A multipart upload into S3 that later tries and processes go on with. */
  z.object({
    type: z.literal('upload.begun'),
    recordingId: id,
    bucket: z.string(),
    key: z.string(),
    uploadId: z.string(),
  }),
  /** Nothing can be published any more (no frame was ever captured). Upload failures do not end here. */
  z.object({ type: z.literal('recording.failed'), recordingId: id, failure: failureSchema }),
]);

export type JournalEntry = z.infer<typeof journalEntrySchema>;

const headerSchema = z.object({
  v: z.literal(JOURNAL_VERSION),
  key: z.object({ store: z.string(), wrapped: z.base64() }),
});
export type JournalHeader = z.infer<typeof headerSchema>;

/** Makes and unlocks the data keys of sessions. */
export interface SessionKeys {
  create(): Promise<{ readonly dataKey: Buffer; readonly key: JournalHeader['key'] }>;
  /** @throws SightlineError SPOOL_UNREADABLE */
  unlock(key: JournalHeader['key']): Promise<Buffer>;
}

export class Journal {
  private last: Promise<void> = Promise.resolve();
  private readonly seal: Seal;

  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    /** Of the whole session: its run files are sealed with it, too. */
    readonly dataKey: Buffer,
    /** Bytes of whole lines; whatever a failed write left behind them is cut off. */
    private goodBytes: number,
    private lines: number,
  ) {
    this.seal = sealOf(path, dataKey);
  }

  /** A new session with a new key. */
  static async create(path: string, keys: SessionKeys): Promise<Journal> {
    const { dataKey, key } = await keys.create();
    const file = await open(path, 'wx', 0o600);
    return Journal.begin(file, path, dataKey, key);
  }

  /**
   * Goes on in a journal that an earlier process has left.
   * @throws SightlineError SPOOL_UNREADABLE for another version, a key that cannot be unlocked, or a damaged line
   */
  static async resume(
    path: string,
    keys: SessionKeys,
  ): Promise<{ journal: Journal; entries: JournalEntry[] }> {
    const file = await open(path, 'r+');
    try {
      const found = await read(await file.readFile('utf8'), path, keys);
      if (found === null) {
        const { dataKey, key } = await keys.create();
        await file.truncate(0);
        return { journal: await Journal.begin(file, path, dataKey, key), entries: [] };
      }
      const { dataKey, entries, goodBytes } = found;
      await file.truncate(goodBytes);
      return { journal: new Journal(file, path, dataKey, goodBytes, entries.length), entries };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private static async begin(
    file: FileHandle,
    path: string,
    dataKey: Buffer,
    key: JournalHeader['key'],
  ): Promise<Journal> {
    try {
      const header: JournalHeader = { v: JOURNAL_VERSION, key };
      const line = Buffer.from(`${JSON.stringify(header)}\n`);
      await file.write(line, 0, line.byteLength, 0);
      await file.sync();
      await syncFolder(dirname(path));
      return new Journal(file, path, dataKey, line.byteLength, 0);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Resolves when the entry is on the disk. Entries are written in the order of the calls.
   * @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE
   */
  append(entry: JournalEntry): Promise<void> {
    const written = this.last.then(() => this.write(entry));
    // A failed write must not keep the next one from being tried.
    this.last = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      throw spoolError(error, this.path);
    });
  }

  /** Of the whole lines. */
  get sizeBytes(): number {
    return this.goodBytes;
  }

  private async write(entry: JournalEntry): Promise<void> {
    const sealed = this.seal.close(this.lines, Buffer.from(JSON.stringify(entry)));
    const line = Buffer.from(`${sealed.toString('base64')}\n`);
    try {
      let done = 0;
      while (done < line.byteLength) {
        const at = this.goodBytes + done;
        done += (await this.file.write(line, done, line.byteLength - done, at)).bytesWritten;
      }
      await this.file.datasync();
      this.goodBytes += line.byteLength;
      this.lines += 1;
    } catch (error) {
      // Half a line would damage the next one; when even this fails the reader drops the torn end.
      await this.file.truncate(this.goodBytes).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.last;
    await this.file.close();
  }
}

/**
 * Looks into a journal without touching it; null when it has no whole line yet.
 * @throws SightlineError SPOOL_UNREADABLE
 */
export async function readJournal(
  path: string,
  keys: SessionKeys,
): Promise<{ dataKey: Buffer; entries: JournalEntry[] } | null> {
  return read(await readFile(path, 'utf8'), path, keys);
}

async function read(text: string, path: string, keys: SessionKeys) {
  // What follows the last newline was torn off in mid-write: it was never acted on.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...lines] = whole.split('\n').slice(0, -1);
  if (first === undefined) return null;
  const dataKey = await keys.unlock(readHeader(first, path).key);
  const entries = openLines(lines, path, sealOf(path, dataKey));
  return { dataKey, entries, goodBytes: Buffer.byteLength(whole) };
}

/** A journal that was moved to another session's folder does not open. */
function sealOf(path: string, dataKey: Buffer): Seal {
  return new Seal(dataKey, 'journal', basename(dirname(path)));
}

function readHeader(line: string, path: string): JournalHeader {
  const header = headerSchema.safeParse(parseJson(line));
  if (header.success) return header.data;
  throw new SightlineError(
    'SPOOL_UNREADABLE',
    `${path} is not a journal of version ${JOURNAL_VERSION}. The folder is left as it is; another version of Sightline may ` +
      'be able to read it.',
  );
}

function openLines(lines: readonly string[], path: string, seal: Seal): JournalEntry[] {
  return lines.map((line, index) => {
    const plain = seal.open(index, Buffer.from(line, 'base64'));
    const parsed = journalEntrySchema.safeParse(plain === null ? undefined : parseJson(plain.toString()));
    if (parsed.success) return parsed.data;
    throw new SightlineError(
      'SPOOL_UNREADABLE',
      `Line ${index + 2} of ${path} is not what was written there. The folder is left as it is.`,
    );
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function spoolError(error: unknown, path: string): SightlineError {
  if (error instanceof SightlineError) return error;
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SightlineError(
      'SPOOL_FULL',
      `The disk under ${path} is full. Free some space; recording goes on then.`,
      {
        cause: error,
      },
    );
  }
  const words = error instanceof Error ? error.message : String(error);
  return new SightlineError('SPOOL_UNREADABLE', `The spool cannot be used: ${words}`, { cause: error });
}
