// Group policy's record of the values that it has set (ntuser.pol).

/** A record of one REG_DWORD (PReg, version 1). */
export function registryPol(keyName: string, valueName: string, value: number): Buffer {
  const text = (part: string): Buffer => Buffer.from(part, 'utf16le');
  const number = (one: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(one);
    return bytes;
  };
  const REG_DWORD = number(4);
  const size = number(4);
  return Buffer.concat([
    ...[Buffer.from('PReg'), number(1), text(`[${keyName}\0;${valueName}\0;`)],
    ...[REG_DWORD, text(';'), size, text(';'), number(value), text(']')],
  ]);
}
