// One recording: its manifest, its MP4, and what Amazon Connect has of the call. Everything is read when it is asked for.

import type {
  Activity,
  AudioTrack,
  KeyFrame,
  RecordingDetail,
  RecordingRow,
  Transcript,
  Verification,
} from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';
import { verifyRecording } from '../verify/verifyRecording.ts';
import type { ContactFiles } from './contactFiles.ts';
import type { Entry } from './entry.ts';
import type { Mp4Tables } from './mp4Tables.ts';
import { manifestOf, videoOf } from './names.ts';
import type { Recording, ReviewFile } from './ports.ts';
import { MAX_MANIFEST_BYTES, readManifest, safeManifest } from './readManifest.ts';
import { readAll, type FileSource } from './source.ts';

const ANSWER_WITHIN_MS = 60_000;

/** What all recordings of a library share. */
export interface RecordingParts {
  readonly source: FileSource;
  readonly tables: Mp4Tables;
  readonly contacts: ContactFiles;
}

export class LibraryRecording implements Recording {
  readonly row: RecordingRow;
  readonly key: string;

  constructor(
    private readonly entry: Entry,
    private readonly parts: RecordingParts,
  ) {
    this.row = entry.row;
    this.key = videoOf(entry.stem);
  }

  async detail(): Promise<RecordingDetail> {
    const found = readManifest(await this.manifestText(this.limit()));
    if (found === null) throw unreadableManifest();
    const manifest = safeManifest(found);
    const contact = await this.parts.contacts.of(this.row);
    return {
      ...{ row: this.row, manifest, key: this.key },
      audio: await contact.audioTracks(),
      hasTranscript: contact.hasTranscript,
      contactEvents: await contact.events(),
    };
  }

  async video(): Promise<ReviewFile> {
    const file = await this.parts.source.open(this.key, this.limit());
    if (file === null)
      throw new ReviewFailure(
        'NO_VIDEO',
        'There is no MP4 for this recording: it was deleted, moved, or is still being uploaded.',
      );
    return file;
  }

  async activity(): Promise<Activity> {
    return this.parts.tables.activity(this.key, await this.video());
  }

  async keyFrame(atMs: number): Promise<KeyFrame> {
    return this.parts.tables.keyFrame(this.key, await this.video(), atMs);
  }

  async audio(kind: AudioTrack['kind']): Promise<ReviewFile> {
    return (await this.parts.contacts.of(this.row)).audio(kind);
  }

  async transcript(): Promise<Transcript> {
    return (await this.parts.contacts.of(this.row)).transcript();
  }

  async verify(signal: AbortSignal): Promise<Verification> {
    const manifestText = await this.manifestText(signal);
    return verifyRecording({ manifestText, file: await this.video(), name: this.key, signal });
  }

  private async manifestText(signal: AbortSignal): Promise<string> {
    const file = await this.parts.source.open(manifestOf(this.entry.stem), signal);
    if (file === null)
      throw new ReviewFailure('NOT_FOUND', 'The recording is no longer in the library. Refresh the list.');
    if (file.sizeBytes > MAX_MANIFEST_BYTES) throw unreadableManifest();
    return (await readAll(file, MAX_MANIFEST_BYTES, signal)).toString('utf8');
  }

  private limit(): AbortSignal {
    return AbortSignal.timeout(ANSWER_WITHIN_MS);
  }
}

function unreadableManifest(): ReviewFailure {
  return new ReviewFailure(
    'UNREADABLE_RECORDING',
    'The manifest of this recording cannot be read: it is damaged, too large, or of a newer version of Sightline. The MP4 itself may be intact.',
  );
}
