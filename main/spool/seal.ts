// Sealing: AES-256-GCM over pieces whose place is authenticated with them, so that a piece that was changed, moved,
// swapped or taken from another file does not open. Each file has its own key, derived from the session's data key and
// the file's name (HKDF, RFC 5869). Nonces are random: a piece that is written again never repeats one.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

export const DATA_KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How many bytes a sealed piece is longer than what is in it. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

export class Seal {
  private readonly key: Buffer;

  /** @param name what the file is called: under another name it does not open */
  constructor(
    dataKey: Buffer,
    private readonly purpose: 'run' | 'journal' | 'numbered journal' | 'witness',
    name: string,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', dataKey, name, `sightline ${purpose} 1`, DATA_KEY_BYTES));
  }

  /** @param index the piece's place in its file */
  close(index: number, plain: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce);
    cipher.setAAD(this.place(index));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** @returns null when it is not what was sealed at this place */
  open(index: number, sealed: Uint8Array): Buffer | null {
    if (sealed.byteLength < SEAL_BYTES) return null;
    const decipher = createDecipheriv(CIPHER, this.key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(this.place(index));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return null;
    }
  }

  private place(index: number): Buffer {
    return Buffer.from(`${this.purpose} ${index}`);
  }
}

/** A file that sealed pieces are appended to. */
export class AppendFile {
  /** @param endBytes the end of its last whole piece */
  constructor(
    readonly handle: FileHandle,
    private endBytes: number,
  ) {}

  get sizeBytes(): number {
    return this.endBytes;
  }

  /** @param sync whether the bytes must be on the disk when this resolves @throws the disk's error, with nothing appended */
  async append(bytes: Buffer, { sync = false } = {}): Promise<void> {
    try {
      for (let done = 0; done < bytes.byteLength;) {
        const at = this.endBytes + done;
        done += (await this.handle.write(bytes, done, bytes.byteLength - done, at)).bytesWritten;
      }
      if (sync) await this.handle.datasync();
    } catch (error) {
      // Half a piece would damage the next one. If this fails as well, readers drop the torn end.
      await this.handle.truncate(this.endBytes).catch(() => undefined);
      throw error;
    }
    this.endBytes += bytes.byteLength;
  }
}
