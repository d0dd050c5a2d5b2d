// Reads and writes the fields of H.264 bitstreams: fixed lengths and Exp-Golomb codes (ITU-T H.264, 7.2 and 9.1).

export class BitReader {
  private at = 0;

  /** @param bytes without emulation prevention */
  constructor(private readonly bytes: Uint8Array) {}

  /** @throws Error after the last bit */
  bits(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left -= 1, this.at += 1) {
      const byte = this.bytes[this.at >> 3];
      if (byte === undefined) throw new Error('a field of the H.264 stream is cut off');
      value = value * 2 + ((byte >> (7 - (this.at & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  unsigned(): number {
    let zeros = 0;
    while (!this.flag()) zeros += 1;
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

export class BitWriter {
  private readonly chunks: Uint8Array[] = [];
  private current: number[] = [];
  private byte = 1;

  bits(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit -= 1) this.bit(Math.floor(value / 2 ** bit) % 2);
  }

  bit(value: number): void {
    // The leading 1 marks how many bits there are.
    this.byte = this.byte * 2 + value;
    if (this.byte < 256) return;
    this.current.push(this.byte & 0xff);
    this.byte = 1;
  }

  unsigned(value: number): void {
    const length = Math.floor(Math.log2(value + 1));
    this.bits(value + 1, length * 2 + 1);
  }

  align(padding: 0 | 1): void {
    while (this.byte !== 1) this.bit(padding);
  }

  /** Only when aligned. */
  raw(bytes: Uint8Array): void {
    this.chunks.push(Uint8Array.from(this.current), bytes);
    this.current = [];
  }

  /** Everything, with zeros up to a whole byte. */
  bytes(): Buffer {
    this.align(0);
    return Buffer.concat([...this.chunks, Uint8Array.from(this.current)]);
  }
}
