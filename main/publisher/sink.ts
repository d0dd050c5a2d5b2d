// A sink takes finished recordings: an MP4 that is written at any positions, then its manifest. Whoever publishes
// sees only this, so that a folder and S3 differ nowhere else.

export interface SinkReceipt {
  /** `file:` URL or `s3://bucket/key`. */
  readonly location: string;
  /** Of what the sink holds now, read back or confirmed by it; never of what was meant to be written. */
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface SinkObject {
  /** @param position where the data goes in the file; the same place may be written twice */
  write(position: number, data: Uint8Array): Promise<void>;
  /** Makes the object visible under its name, and checks what the sink holds against what was written. */
  finish(): Promise<SinkReceipt>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

export interface Sink {
  /**
   * @param key `prefix/YYYY/MM/DD/name.mp4`, with forward slashes
   * @param recordingId tells an earlier try of the same recording (replaced) from another recording of that name
   */
  begin(key: string, recordingId: string): Promise<SinkObject & { readonly key: string }>;
  /** The manifest goes beside the MP4 and comes last: where it is, the MP4 is whole. */
  putManifest(videoKey: string, text: string): Promise<void>;
}

export function manifestKey(videoKey: string): string {
  return videoKey.replace(/\.mp4$/, '.json');
}
