// The journal of one spool session: what happened, one JSON object a line, fsynced before what it announces is done.
// A torn last line (the power went) is expected and dropped; anything else that does not parse is an error, because
// then somebody else has written here.

import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
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

export const JOURNAL_VERSION = 1;

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
    sha256: z.string(),
  }),
  /** Nothing can be published any more (no frame was ever captured). Upload failures do not end here. */
  z.object({ type: z.literal('recording.failed'), recordingId: id, failure: failureSchema }),
]);

export type JournalEntry = z.infer<typeof journalEntrySchema>;

const lineSchema = z.object({ v: z.literal(JOURNAL_VERSION), entry: journalEntrySchema });

export class Journal {
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    /** Bytes of whole lines; whatever a failed write left behind them is cut off. */
    private goodBytes: number,
  ) {}

  static async open(path: string): Promise<Journal> {
    const file = await open(path, 'a+', 0o600);
    const goodBytes = (await file.readFile()).lastIndexOf('\n') + 1;
    await file.truncate(goodBytes);
    return new Journal(file, path, goodBytes);
  }

  /**
   * Resolves when the entry is on the disk. Entries are written in the order of the calls.
   * @throws SightlineError SPOOL_FULL, SPOOL_UNREADABLE
   */
  append(entry: JournalEntry): Promise<void> {
    const line = Buffer.from(`${JSON.stringify({ v: JOURNAL_VERSION, entry })}\n`);
    const written = this.last.then(() => this.write(line));
    // A failed write must not keep the next one from being tried.
    this.last = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      throw spoolError(error, this.path);
    });
  }

  private async write(line: Buffer): Promise<void> {
    try {
      await this.file.appendFile(line);
      await this.file.datasync();
      this.goodBytes += line.byteLength;
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

/** @throws SightlineError SPOOL_UNREADABLE for a newer version or a damaged line that is not the last one */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  // What follows the last newline was torn off in mid-write: it was never acted on.
  lines.pop();
  return lines.map((line, index) => {
    const parsed = lineSchema.safeParse(parseJson(line));
    if (parsed.success) return parsed.data.entry;
    throw new SightlineError(
      'SPOOL_UNREADABLE',
      `Line ${index + 1} of ${path} is not a journal entry of version ${JOURNAL_VERSION}. The folder is left as it is; ` +
        'a newer Sightline may be able to read it.',
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
