// Finds what Amazon Connect has of a call: audio, Contact Lens's transcript, the contact record. By the contact's id in the
// folders of the days around the recording; nothing else is listed. The places are those that the server was given, and a contact's
// id is checked before it becomes part of a name, for a page chose it.

import { setMaxListeners } from 'node:events';
import type { AudioTrack, ContactEvent, RecordingRow, Transcript } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import { contactFile, contactFolders, isContactId, type ContactFileKind } from './contactNames.ts';
import { MAX_RECORD_BYTES, readContactRecord, type ContactRecord } from './contactRecord.ts';
import type { ReviewFile } from './ports.ts';
import { readAll, type FileSource } from './source.ts';
import { MAX_TRANSCRIPT_BYTES, readTranscript } from './transcript.ts';
import { noAudio, wavDurationMs } from './wav.ts';

const ANSWER_WITHIN_MS = 60_000;
/** A reviewer's page asks for detail, audio and transcript of one recording, and for many ranges of the audio. */
const KEEP_MS = 60_000;
const MAX_KEPT = 50;

interface FoundFile {
  readonly source: FileSource;
  readonly key: string;
  readonly kind: ContactFileKind;
  readonly timeMs: number | null;
}

export class ContactFiles {
  private readonly kept = new Map<string, { readonly contact: Promise<CallFiles>; readonly until: number }>();

  constructor(
    private readonly sources: readonly FileSource[],
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws ReviewFailure LIBRARY_UNAVAILABLE */
  of(row: RecordingRow): Promise<CallFiles> {
    if (this.sources.length === 0 || row.channel !== 'VOICE' || !isContactId(row.contactId))
      return Promise.resolve(new CallFiles([], row));
    const before = this.kept.get(row.id);
    if (before !== undefined && before.until > this.now()) return before.contact;
    const contact = this.look(row);
    this.kept.delete(row.id);
    this.kept.set(row.id, { contact, until: this.now() + KEEP_MS });
    contact.catch(() => this.kept.delete(row.id));
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MAX_KEPT) break;
      this.kept.delete(oldest);
    }
    return contact;
  }

  private async look(row: RecordingRow): Promise<CallFiles> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    setMaxListeners(0, signal);
    const folders = contactFolders(Date.parse(row.startTime), row.durationMs);
    const looking = this.sources.flatMap((source) =>
      folders.map(async (folder): Promise<FoundFile[]> => {
        const names = await source.find(folder, row.contactId, signal);
        return names.flatMap((name) => {
          const found = contactFile(name, row.contactId);
          return found === null
            ? []
            : [{ source, key: folder === '' ? name : `${folder}/${name}`, ...found }];
        });
      }),
    );
    return new CallFiles((await Promise.all(looking)).flat(), row);
  }

  close(): void {
    for (const source of this.sources) source.close();
  }
}

/** What there is of one call. */
export class CallFiles {
  private record: Promise<ContactRecord | null> | null = null;

  constructor(
    private readonly files: readonly FoundFile[],
    private readonly row: RecordingRow,
  ) {}

  get hasTranscript(): boolean {
    return this.nearest('redacted-transcript') !== null || this.nearest('transcript') !== null;
  }

  async events(): Promise<readonly ContactEvent[]> {
    return (await this.contactRecord())?.events ?? [];
  }

  /** Those that can be read; the redacted one first. */
  async audioTracks(): Promise<AudioTrack[]> {
    const record = await this.contactRecord();
    const tracks: AudioTrack[] = [];
    for (const kind of ['redacted', 'original'] as const) {
      const found = this.nearest(kind === 'redacted' ? 'redacted-audio' : 'audio');
      const file = found === null ? null : await opened(found);
      const durationMs = file === null ? null : await wavDurationMs(file, limit());
      if (found === null || durationMs === null) continue;
      const exactMs = record?.audioStartMs ?? null;
      const startMs = exactMs ?? found.timeMs ?? Date.parse(this.row.startTime);
      const precision = exactMs === null ? 'minute' : 'exact';
      tracks.push({ kind, startTime: new Date(startMs).toISOString(), precision, durationMs });
    }
    return tracks;
  }

  /** @throws ReviewFailure NOT_FOUND */
  async audio(kind: AudioTrack['kind']): Promise<ReviewFile> {
    const found = this.nearest(kind === 'redacted' ? 'redacted-audio' : 'audio');
    const file = found === null ? null : await opened(found);
    if (file === null) throw noAudio();
    return file;
  }

  /** The redacted one where there is one. @throws ReviewFailure NOT_FOUND, UNREADABLE_RECORDING */
  async transcript(): Promise<Transcript> {
    const found = this.nearest('redacted-transcript') ?? this.nearest('transcript');
    const file = found === null ? null : await opened(found);
    if (found === null || file === null)
      throw new ReviewFailure('NOT_FOUND', 'There is no transcript of this contact.');
    const bytes = await readAll(file, MAX_TRANSCRIPT_BYTES, limit());
    const transcript = readTranscript(bytes.toString('utf8'), found.kind === 'redacted-transcript');
    if (transcript !== null) return transcript;
    throw new ReviewFailure(
      'UNREADABLE_RECORDING',
      'The transcript of this contact is not a file of Contact Lens.',
    );
  }

  private contactRecord(): Promise<ContactRecord | null> {
    this.record ??= this.readRecord();
    return this.record;
  }

  private async readRecord(): Promise<ContactRecord | null> {
    const found = this.nearest('record');
    const file = found === null ? null : await opened(found);
    if (file === null || file.sizeBytes > MAX_RECORD_BYTES) return null;
    const bytes = await readAll(file, MAX_RECORD_BYTES, limit());
    return readContactRecord(bytes.toString('utf8'), this.row.contactId);
  }

  /** A contact may have several: the one that began closest to the recording. */
  private nearest(kind: ContactFileKind): FoundFile | null {
    const startMs = Date.parse(this.row.startTime);
    const distance = ({ timeMs }: FoundFile): number => Math.abs((timeMs ?? startMs) - startMs);
    const files = this.files.filter((file) => file.kind === kind);
    return files.sort((one, other) => distance(one) - distance(other))[0] ?? null;
  }
}

function opened({ source, key }: FoundFile): Promise<ReviewFile | null> {
  return source.open(key, limit());
}

function limit(): AbortSignal {
  return AbortSignal.timeout(ANSWER_WITHIN_MS);
}
