// What the S3 sink's parts exchange.

export interface Bytes {
  readonly data: Uint8Array;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface Part {
  /** From 1 on. */
  readonly number: number;
  readonly eTag: string;
  readonly sizeBytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** The object under a key. */
export interface StoredObject {
  readonly recordingId: string | null;
  readonly sizeBytes: number;
  /** As S3 returns it: base64, followed by `-N` for an object of N parts. */
  readonly checksum: string | null;
  /** Without quotation marks; null: none. */
  readonly eTag: string | null;
}
