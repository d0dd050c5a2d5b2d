// Group policy's own record of what it has set, as Windows keeps it (ntuser.pol).

/** One number as group policy keeps it: PReg, version 1, one record. */
export function registryPol(keyName: string, valueName: string, value: number): Buffer {
  const text = (words: string): Buffer => Buffer.from(words, 'utf16le');
  const number = (one: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(one);
    return bytes;
  };
  return Buffer.concat([
    Buffer.from('PReg'),
    number(1),
    text(`[${keyName}\0;${valueName}\0;`),
    number(4),
    text(';'),
    number(4),
    text(';'),
    number(value),
    text(']'),
  ]);
}
