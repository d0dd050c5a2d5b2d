// Sealing: AES-256-GCM over pieces whose place is authenticated with them, so that a piece that was changed, moved,
// swapped or taken from another file does not open. Each file has a key of its own, derived from the session's data key
// and the file's name (HKDF, RFC 5869). Nonces are random: a piece that is written again never repeats one.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

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
