// A sink stores recordings: the frames of an MP4 as they come, its moov, then its manifest. Folder and S3 differ only
// behind this interface.

import type { Moov } from '../media/moov.ts';

/** SHA-256 in hexadecimal of the file, or of each of its parts where the sink stored it in parts. */
export type Digest =
  | { readonly sha256: string }
  | { readonly parts: readonly { readonly sizeBytes: number; readonly sha256: string }[] };

export interface SinkReceipt {
  /** The requested one, or a longer one where another recording has that name. */
  readonly key: string;
  /** `file:` URL or `s3://bucket/key`. */
  readonly location: string;
  /** Of what the sink stores, read back or confirmed by it; never of what was meant to be written. */
  readonly sizeBytes: number;
  readonly digest: Digest;
  /** As the store named it for this object; absent: it named none. */
  readonly encryption?: { readonly algorithm: string; readonly keyId?: string };
}

export interface SinkObject {
  /** Frames, each part directly after the previous one. @param position in the file with a padded moov */
  write(position: number, data: Uint8Array): Promise<void>;
  /** Makes the object visible under its name, and compares what the sink stores with what was written. */
  finish(moov: Moov): Promise<SinkReceipt>;
  /** Ends this attempt. What the next attempt can use stays, under a name that no recording has. */
  abort(): Promise<void>;
}

/** What a sink needs to resume the upload of a recording, also after a restart (S3: its multipart upload). */
export interface ResumeState {
  readonly bucket: string;
  readonly key: string;
  /** '': about to be created, or aborted. */
  readonly uploadId: string;
  /** Policy's key when it was created, which the store confirmed; absent: none was required. */
  readonly kmsKeyId?: string | undefined;
}

export interface ResumeStore {
  /** As last saved; null: nothing was. */
  readonly saved: ResumeState | null;
  /** Resolves when it is on the disk. */
  save(state: ResumeState): Promise<void>;
}

export interface SinkOrder {
  /** `prefix/YYYY/MM/DD/name.mp4`, with forward slashes. */
  readonly key: string;
  /** For sinks that have tags. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Distinguishes an earlier attempt for the same recording (replaced) from another recording with that name. */
  readonly recordingId: string;
  readonly contactId: string;
  /** The broker issues credentials for this agent. */
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly resume: ResumeStore;
  /** @param bytes sent since the last call; negative: so many must be sent again */
  readonly onSent?: (bytes: number) => void;
  /** @param bytes read back from the sink since the last call */
  readonly onVerified?: (bytes: number) => void;
}

export interface Sink {
  /** Whether uploads should begin during the contact. */
  readonly takesLive: boolean;
  begin(order: SinkOrder): Promise<SinkObject>;
  /** The manifest is stored beside the MP4 and last: where it exists, the MP4 is complete. */
  putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void>;
  /** Removes both. Of `sightline try` only: no recording of a contact is ever removed. */
  remove(order: SinkOrder, videoKey: string): Promise<void>;
}

export function manifestKey(videoKey: string): string {
  return videoKey.replace(/\.mp4$/, '.json');
}

/** Two recordings of one contact can start in the same second; the second one gets a longer name. */
export function longerKey({ key, recordingId }: SinkOrder): string {
  return key.replace(/\.mp4$/, `_${recordingId.slice(0, 8)}.mp4`);
}
