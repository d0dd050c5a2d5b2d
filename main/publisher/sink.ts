// A sink takes recordings: the pictures of an MP4 as they come, its head, then its manifest. Whoever publishes sees only
// this, so that a folder and S3 differ nowhere else.

import type { Mp4Head } from './mp4Head.ts';

/** SHA-256 in hexadecimal of the file, or of each of its parts where the sink took it in parts. */
export type Digest =
  | { readonly sha256: string }
  | { readonly parts: readonly { readonly sizeBytes: number; readonly sha256: string }[] };

export interface SinkReceipt {
  /** The one asked for, or a longer one where that was another recording's. */
  readonly key: string;
  /** `file:` URL or `s3://bucket/key`. */
  readonly location: string;
  /** Of what the sink holds now, read back or confirmed by it; never of what was meant to be written. */
  readonly sizeBytes: number;
  readonly digest: Digest;
}

export interface SinkObject {
  /** Pictures, each part directly behind the last one. @param position in the file as its head is padded */
  write(position: number, data: Uint8Array): Promise<void>;
  /** Makes the object visible under its name, and checks what the sink holds against what was written. */
  finish(head: Mp4Head): Promise<SinkReceipt>;
  /** Gives this try up. What the next one can use stays where nobody takes it for a recording. */
  abort(): Promise<void>;
}

/** What a sink must not forget between two tries of one recording, restarts included (S3: its multipart upload). */
export interface UploadMemory {
  /** What was kept last, as the sink gave it; null: nothing. */
  readonly kept: UploadState | null;
  /** Resolves when it is on the disk. */
  keep(state: UploadState): Promise<void>;
}

export interface UploadState {
  readonly bucket: string;
  readonly key: string;
  /** '': one is about to be begun, or was given up. */
  readonly uploadId: string;
}

export interface SinkOrder {
  /** `prefix/YYYY/MM/DD/name.mp4`, with forward slashes. */
  readonly key: string;
  /** Tells an earlier try of the same recording (replaced) from another recording of that name. */
  readonly recordingId: string;
  readonly contactId: string;
  /** Whose it is: where somebody must vouch for the upload, it is this agent. */
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly memory: UploadMemory;
  /** So many more bytes have gone to where the object will be; negative: so many must go again. */
  readonly moved?: (bytes: number) => void;
}

export interface Sink {
  /** Whether it pays to give it pictures while the recording goes on. */
  readonly takesLive: boolean;
  begin(order: SinkOrder): Promise<SinkObject>;
  /** The manifest goes beside the MP4 and comes last: where it is, the MP4 is whole. */
  putManifest(order: SinkOrder, videoKey: string, text: string): Promise<void>;
}

export function manifestKey(videoKey: string): string {
  return videoKey.replace(/\.mp4$/, '.json');
}

/** Two recordings of one contact can begin in the same second; the second one gets a longer name. */
export function longerKey({ key, recordingId }: SinkOrder): string {
  return key.replace(/\.mp4$/, `_${recordingId.slice(0, 8)}.mp4`);
}
