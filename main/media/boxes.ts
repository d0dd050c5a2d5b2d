// MP4 boxes (ISO/IEC 14496-12): a 32-bit size that includes the header, a four-letter type, then the content.

export const BOX_HEADER_BYTES = 8;
/** Version and flags, which follow the header of a full box. */
export const FULL_BOX_BYTES = 12;

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function boxType(box: Buffer): string {
  return box.toString('latin1', 4, BOX_HEADER_BYTES);
}

/** The boxes directly inside this one. A box with an impossible size ends the list. */
export function* childBoxes(box: Buffer): Generator<Buffer> {
  for (let at = BOX_HEADER_BYTES; at + BOX_HEADER_BYTES <= box.byteLength;) {
    const size = box.readUInt32BE(at);
    if (size < BOX_HEADER_BYTES) return;
    yield box.subarray(at, at + size);
    at += size;
  }
}

/** @throws Error when a box of the path is missing */
export function findBox(box: Buffer, ...path: readonly string[]): Buffer {
  return path.reduce((parent, type) => {
    for (const child of childBoxes(parent)) if (boxType(child) === type) return child;
    throw new Error(`not an MP4 stream: no box ${type}`);
  }, box);
}
