// The block code that makes a picture's truth readable: wall-clock time, monitor, phase and the sensitive bit, as
// black and white cells that survive H.264, chroma subsampling and scaling. Pure: cells out, luma samples in.
// It must never guess: a code that does not check out is null, not a wrong time.

/** A rectangle in whole pixels. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What one block code says. */
export interface Timecode {
  /** Wall-clock time (Unix epoch, ms) at which the client sent the paint. */
  timeMs: number;
  /** 0 to 15. */
  monitor: number;
  /** 0 to 255. */
  phase: number;
  /** The sensitive pattern was on the screen in the same instant. */
  sensitive: boolean;
}

/** One 8-bit plane of a picture, rows `width` bytes apart. */
export interface Luma {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Screen pixels. 24 leaves six for a cell at a quarter of the size, still more than one chroma sample. */
export const CELL_SIZE = 24;
export const COLUMNS = 22;
export const ROWS = 4;
/** Where the code lies on its monitor, with a black border of half a cell. Fits a 640 pixel wide monitor. */
export const STRIP: Rect = { x: 8, y: 8, width: COLUMNS * CELL_SIZE + 24, height: ROWS * CELL_SIZE + 24 };
const CELLS_X = STRIP.x + 12;
const CELLS_Y = STRIP.y + 12;

/** As many ones as zeros, so that it also gives the levels of black and white in this very picture. */
const SYNC = 0b10110010;
const SYNC_BYTES = 1;
const PAYLOAD_BYTES = 8;
const BYTES = SYNC_BYTES + PAYLOAD_BYTES + 2;
/** A flat slate or a desktop seldom has this much between the sync's black and white cells. */
const MIN_CONTRAST = 60;

/** CRC-16/CCITT-FALSE: one false code in 65,536 tries on noise, on top of the sync byte. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** The 88 cells of a code, row by row, true for white. Throws a RangeError for values that have no code. */
export function encodeTimecode(code: Timecode): boolean[] {
  const inRange = (value: number, max: number): boolean =>
    Number.isInteger(value) && value >= 0 && value <= max;
  if (!inRange(code.timeMs, 2 ** 48 - 1) || !inRange(code.monitor, 15) || !inRange(code.phase, 255)) {
    throw new RangeError(
      `no block code for ${JSON.stringify(code)}: use a whole timeMs below 2^48, monitor 0-15, phase 0-255`,
    );
  }
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, SYNC);
  view.setUint16(1, Math.floor(code.timeMs / 2 ** 32));
  view.setUint32(3, code.timeMs % 2 ** 32);
  view.setUint8(7, (code.monitor << 4) | (code.sensitive ? 1 : 0));
  view.setUint8(8, code.phase);
  view.setUint16(9, crc16(bytes.subarray(SYNC_BYTES, SYNC_BYTES + PAYLOAD_BYTES)));
  const cells: boolean[] = [];
  for (const byte of bytes) for (let bit = 7; bit >= 0; bit--) cells.push((byte & (1 << bit)) !== 0);
  return cells;
}

/** The white cells as rectangles on the monitor; neighbours in a row are joined, so that there is less to send. */
export function whiteRects(code: Timecode): Rect[] {
  const cells = encodeTimecode(code);
  const rects: Rect[] = [];
  for (let row = 0; row < ROWS; row++) {
    let run: Rect | undefined;
    for (let column = 0; column < COLUMNS; column++) {
      if (!cells[row * COLUMNS + column]) {
        run = undefined;
      } else if (run) {
        run.width += CELL_SIZE;
      } else {
        run = {
          x: CELLS_X + column * CELL_SIZE,
          y: CELLS_Y + row * CELL_SIZE,
          width: CELL_SIZE,
          height: CELL_SIZE,
        };
        rects.push(run);
      }
    }
  }
  return rects;
}

/** Mean of the middle of a cell; the rim is left out, it is where scaling and H.264 mix neighbours. */
function cellLevel(luma: Luma, cell: number, scale: number): number {
  const centreX = (CELLS_X + ((cell % COLUMNS) + 0.5) * CELL_SIZE) * scale;
  const centreY = (CELLS_Y + (Math.floor(cell / COLUMNS) + 0.5) * CELL_SIZE) * scale;
  const half = Math.max(1, CELL_SIZE * scale * 0.25);
  const left = Math.max(0, Math.floor(centreX - half));
  const right = Math.min(luma.width, Math.ceil(centreX + half));
  const top = Math.max(0, Math.floor(centreY - half));
  const bottom = Math.min(luma.height, Math.ceil(centreY + half));
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sum += luma.data[y * luma.width + x] ?? 0;
  }
  const count = (right - left) * (bottom - top);
  return count > 0 ? sum / count : 0;
}

/**
 * Reads the code from a monitor's picture, whose top left pixel is the plane's first. `scale` is video pixels per
 * screen pixel. Null if there is no code, or none that checks out.
 */
export function decodeTimecode(luma: Luma, scale: number): Timecode | null {
  if (
    luma.width < (STRIP.x + STRIP.width - 12) * scale ||
    luma.height < (STRIP.y + STRIP.height - 12) * scale
  ) {
    return null;
  }
  let black = 0;
  let white = 0;
  for (let bit = 0; bit < 8; bit++) {
    const level = cellLevel(luma, bit, scale) / 4;
    if (SYNC & (0x80 >> bit)) white += level;
    else black += level;
  }
  if (white - black < MIN_CONTRAST) return null;
  const threshold = (white + black) / 2;
  const bytes = new Uint8Array(BYTES);
  for (let cell = 0; cell < BYTES * 8; cell++) {
    if (cellLevel(luma, cell, scale) > threshold) bytes[cell >> 3]! |= 0x80 >> (cell & 7);
    // Nearly every try at a wrong scale ends here, so that searching stays cheap.
    if (cell === 7 && bytes[0] !== SYNC) return null;
  }
  const view = new DataView(bytes.buffer);
  if (view.getUint16(9) !== crc16(bytes.subarray(SYNC_BYTES, SYNC_BYTES + PAYLOAD_BYTES))) return null;
  const flags = view.getUint8(7);
  return {
    timeMs: view.getUint16(1) * 2 ** 32 + view.getUint32(3),
    monitor: flags >> 4,
    phase: view.getUint8(8),
    sensitive: (flags & 1) !== 0,
  };
}

export const MIN_SCALE = 0.2;
export const MAX_SCALE = 1.25;
/** Over 22 columns a step moves the last cell's centre by less than a fifth of a cell. */
const SCALE_STEP = 1.008;

/**
 * As decodeTimecode, for a picture whose scale is not known: tries all from `max` down to `min`. Of neighbouring
 * scales that all give the code it returns the middle one, which is the one to use for the frames that follow.
 */
export function findTimecode(
  luma: Luma,
  min = MIN_SCALE,
  max = MAX_SCALE,
  isPlausible: (code: Timecode) => boolean = () => true,
): { code: Timecode; scale: number } | null {
  for (let scale = max; scale >= min; scale /= SCALE_STEP) {
    const code = decodeTimecode(luma, scale);
    // Hundreds of tries at wrong scales of thousands of frames: sooner or later noise has the right checksum, but not
    // the same code at the next scale as well.
    if (!code || !isPlausible(code) || !isSame(code, decodeTimecode(luma, scale / SCALE_STEP))) continue;
    let last = scale / SCALE_STEP;
    while (isSame(code, decodeTimecode(luma, last / SCALE_STEP))) last /= SCALE_STEP;
    return { code, scale: Math.sqrt(scale * last) };
  }
  return null;
}

function isSame(one: Timecode, other: Timecode | null): boolean {
  return (
    other !== null &&
    one.timeMs === other.timeMs &&
    one.monitor === other.monitor &&
    one.phase === other.phase &&
    one.sensitive === other.sensitive
  );
}
