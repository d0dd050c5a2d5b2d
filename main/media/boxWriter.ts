// Writes MP4 boxes (ISO/IEC 14496-12).

import { BOX_HEADER_BYTES } from './boxes.ts';

export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(BOX_HEADER_BYTES);
  header.writeUInt32BE(content.reduce((sum, { byteLength }) => sum + byteLength, BOX_HEADER_BYTES));
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...content]);
}

/** With version and flags. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...content: readonly Uint8Array[]
): Buffer {
  return box(type, u32(version * 2 ** 24 + flags), ...content);
}

export function u16(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) out.writeUInt16BE(value, index * 2);
  return out;
}

export function u32(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) out.writeUInt32BE(value, index * 4);
  return out;
}

export function u64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}
