// Whether a Windows program declares in its manifest that it counts in physical pixels on every monitor. Without that
// Windows scales what gdigrab sees: the wrong area, or a blurred one.
import { readFileSync } from 'node:fs';

const HEADER_BYTES = 40; // IMAGE_SECTION_HEADER

/** @throws Error if the program's manifest does not say PerMonitorV2 first */
export function requirePerMonitorV2(program) {
  const resources = sectionOf(readFileSync(program), '.rsrc').toString('latin1');
  if (/<dpiAwareness\b[^>]*>\s*PerMonitorV2\b/i.test(resources)) return;
  throw new Error(
    `${program} does not declare dpiAwareness PerMonitorV2 in its manifest: on scaled monitors it would grab the wrong ` +
      'pixels. Look for fftools.manifest in the log of its build; the compiler must have windres.',
  );
}

/** The bytes of a section of a PE file (Microsoft's "PE Format"); empty where there is none. */
function sectionOf(bytes, name) {
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0')
    throw new Error('This is not a Windows program.');
  const sections = header + 24 + bytes.readUInt16LE(header + 20);
  for (let index = 0; index < bytes.readUInt16LE(header + 6); index += 1) {
    const at = sections + index * HEADER_BYTES;
    if (bytes.toString('latin1', at, at + 8).replace(/\0+$/, '') !== name) continue;
    const from = bytes.readUInt32LE(at + 20);
    return bytes.subarray(from, from + bytes.readUInt32LE(at + 16));
  }
  return Buffer.alloc(0);
}
