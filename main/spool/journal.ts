// The journal of one spool session: what happened, one sealed entry a line, fsynced before what it announces is done.
// The first line says in the clear which key store can unlock the session's data key, and nothing else. A torn last line
// (the power went) is expected and dropped; anything else that does not open is an error: somebody has written here.

import { open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
import { WriteQueue } from './writeQueue.ts';

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

/** Exists beside a journal as long as the journal has everything: see `WriteQueue`. */
const COMPLETE_FILE = 'complete';

export interface JournalOptions {
  /** Makes the folder of a new journal; called again after a failure. */
  readonly makeFolder?: () => Promise<void>;
  /** Called once when writing begins to fail, and with null when everything has been written after all. */
  readonly onTrouble?: (error: SightlineError | null) => void;
}

/** The file of a journal, with the bytes and lines that are whole; what a failed attempt left behind them is cut off. */
interface JournalFile {
  readonly handle: FileHandle;
  readonly dataKey: Buffer;
  readonly seal: Seal;
  goodBytes: number;
  lines: number;
}

/** What an earlier process wrote. */
export interface FoundJournal {
  readonly journal: Journal;
  readonly entries: JournalEntry[];
  /** Whether an entry may be missing: a write had failed, or the last line is torn. */
  readonly incomplete: boolean;
}

export class Journal {
  private readonly queue: WriteQueue<JournalEntry | 'header'>;
  private readonly marker: string;
  private file: JournalFile | null;

  private constructor(
    readonly path: string,
    private readonly keys: SessionKeys,
    private readonly options: JournalOptions,
    found: { file: JournalFile; incomplete: boolean } | null,
  ) {
    this.file = found?.file ?? null;
    this.marker = join(dirname(path), COMPLETE_FILE);
    const incomplete = found?.incomplete ?? false;
    this.queue = new WriteQueue<JournalEntry | 'header'>(
      {
        write: (item) => this.write(item),
        markIncomplete: (isIncomplete) => this.markIncomplete(isIncomplete),
        toError: (error) => spoolError(error, path),
        onTrouble: (error) => options.onTrouble?.(error),
      },
      incomplete,
      !incomplete,
    );
  }

  /** A new journal with a new key. Its file is made in the background, and again after a failure. */
  static create(path: string, keys: SessionKeys, options: JournalOptions = {}): Journal {
    const journal = new Journal(path, keys, options, null);
    void journal.queue.append('header');
    return journal;
  }

  /**
   * Continues a journal that an earlier process has left. One that is incomplete stays marked so until `allowComplete`.
   * @throws SightlineError SPOOL_UNREADABLE for another version, a key that cannot be unlocked, or a damaged line
   */
  static async resume(path: string, keys: SessionKeys, options: JournalOptions = {}): Promise<FoundJournal> {
    const handle = await open(path, 'r+');
    try {
      const text = await handle.readFile('utf8');
      const found = await read(text, path, keys);
      if (found === null) {
        await handle.close();
        return { journal: Journal.create(path, keys, options), entries: [], incomplete: false };
      }
      const { dataKey, entries, goodBytes } = found;
      const isTorn = goodBytes < Buffer.byteLength(text);
      const incomplete = isTorn || !(await exists(join(dirname(path), COMPLETE_FILE)));
      await handle.truncate(goodBytes);
      const file = { handle, dataKey, seal: sealOf(path, dataKey), goodBytes, lines: entries.length };
      return { journal: new Journal(path, keys, options, { file, incomplete }), entries, incomplete };
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  /** Of the whole session: its run files are sealed with it, too. @throws SightlineError before the file is there */
  get dataKey(): Buffer {
    if (this.file === null)
      throw this.trouble ?? new SightlineError('SPOOL_UNREADABLE', `${this.path} is not there yet.`);
    return this.file.dataKey;
  }

  /** Whether the file is there: without it nothing of the session is on the disk. */
  get isOpen(): boolean {
    return this.file !== null;
  }

  /** Entries that come now, or had not been written when it was closed, are given up. */
  get isClosed(): boolean {
    return this.queue.isClosed;
  }

  /** Why entries cannot be written at present; null: they can. */
  get trouble(): SightlineError | null {
    return this.queue.trouble;
  }

  /**
   * Resolves when the entry is on the disk, however long that takes. Entries are written in the order of the calls.
   *
   * @param onFailure called at the first failed attempt, or at once while writing fails; the entry is retried all the same
   */
  append(entry: JournalEntry, onFailure?: (error: SightlineError) => void): Promise<void> {
    return this.queue.append(entry, onFailure);
  }

  /**
   * Resolves once a later process cannot miss what has been appended so far: it is on the disk, or the journal is marked
   * as incomplete. @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE when neither could be done
   */
  guard(): Promise<void> {
    return this.queue.guard();
  }

  /** The doubt about what an earlier process could not write has been resolved by entries appended since. */
  allowComplete(): void {
    this.queue.allowComplete();
  }

  /** Of the whole lines. */
  get sizeBytes(): number {
    return this.file?.goodBytes ?? 0;
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.file?.handle.close();
  }

  private async write(item: JournalEntry | 'header'): Promise<void> {
    if (item === 'header') {
      this.file ??= await this.begin();
      return;
    }
    const { file } = this;
    if (file === null) throw new Error('The header is written first.');
    const sealed = file.seal.close(file.lines, Buffer.from(JSON.stringify(item)));
    const line = Buffer.from(`${sealed.toString('base64')}\n`);
    try {
      let done = 0;
      while (done < line.byteLength) {
        const at = file.goodBytes + done;
        done += (await file.handle.write(line, done, line.byteLength - done, at)).bytesWritten;
      }
      await file.handle.datasync();
    } catch (error) {
      // Half a line would damage the next one; when even this fails the reader drops the torn end.
      await file.handle.truncate(file.goodBytes).catch(() => undefined);
      throw error;
    }
    file.goodBytes += line.byteLength;
    file.lines += 1;
  }

  private async begin(): Promise<JournalFile> {
    const { path, keys } = this;
    await this.options.makeFolder?.();
    const { dataKey, key } = await keys.create();
    const header: JournalHeader = { v: JOURNAL_VERSION, key };
    const line = Buffer.from(`${JSON.stringify(header)}\n`);
    // Not 'wx': an attempt that failed may have made the file.
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.writeFile(line);
      await handle.sync();
      await this.markIncomplete(false);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { handle, dataKey, seal: sealOf(path, dataKey), goodBytes: line.byteLength, lines: 0 };
  }

  private async markIncomplete(isIncomplete: boolean): Promise<void> {
    if (isIncomplete) await rm(this.marker, { force: true });
    else await (await open(this.marker, 'w', 0o600)).close();
    await syncFolder(dirname(this.path));
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

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
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
