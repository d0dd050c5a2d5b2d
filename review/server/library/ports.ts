// What the review server asks of a library of recordings: a folder or an S3 prefix, read only. http/ knows nothing else of it.

import type {
  Activity,
  AudioTrack,
  Facets,
  IndexState,
  KeyFrame,
  RecordingDetail,
  RecordingPage,
  RecordingQuery,
  RecordingRow,
  Transcript,
  Verification,
} from '../../contract.ts';

/** Which part of the library somebody may see: names begin with one of these; `['']` is everything. */
export type Scope = readonly string[];

export interface Library {
  /** As the user named it. */
  readonly name: string;
  /** Of the whole library. */
  readonly state: IndexState;
  /** Lists it again, unless it is being listed. Resolves when the index agrees with it. Never rejects: see `state`. */
  refresh(): Promise<void>;
  list(query: RecordingQuery, scope: Scope): RecordingPage;
  facets(scope: Scope): Facets;
  /** Everything that the query finds, for an export. */
  rows(query: RecordingQuery, scope: Scope): Iterable<RecordingRow>;
  /** null: there is none of that id, or the scope does not contain it; nobody learns which. */
  find(id: string, scope: Scope): Recording | null;
  close(): Promise<void>;
}

export interface Recording {
  readonly row: RecordingRow;
  /** The MP4's name in the library, forward slashes. */
  readonly key: string;
  /** @throws ReviewFailure */
  detail(): Promise<RecordingDetail>;
  /** @throws ReviewFailure NO_VIDEO, LIBRARY_UNAVAILABLE */
  video(): Promise<ReviewFile>;
  activity(): Promise<Activity>;
  keyFrame(atMs: number): Promise<KeyFrame>;
  /** @throws ReviewFailure NOT_FOUND */
  audio(kind: AudioTrack['kind']): Promise<ReviewFile>;
  /** @throws ReviewFailure NOT_FOUND */
  transcript(): Promise<Transcript>;
  verify(signal: AbortSignal): Promise<Verification>;
}

/** A file with byte ranges. */
export interface ReviewFile {
  readonly sizeBytes: number;
  /** For the browser's cache: changes when the content does. */
  readonly etag: string;
  /** @param end inclusive */
  read(start: number, end: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}
