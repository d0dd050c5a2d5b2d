// When each frame of an MP4 is shown, how large it is, and which are key frames: from tables that mp4Limits.ts has checked. Not with
// mediabunny, which adds up a chunk's sizes for each frame: a file with all frames in one chunk took minutes.
// Boxes: ISO/IEC 14496-12.

import type { Activity } from '../../contract.ts';
import { BOX_HEADER_BYTES, boxType, childBoxes, findBox, FULL_BOX_BYTES } from '../../../main/media/boxes.ts';

/** Of the first video track. @throws Error when there is none */
export function activityIn(moov: Buffer): Activity {
  const track = [...childBoxes(moov)].find((box) => boxType(box) === 'trak' && handlerOf(box) === 'vide');
  if (track === undefined) throw new Error('no video track');
  const unitsPerSecond = timescaleIn(findBox(track, 'mdia', 'mdhd'));
  if (unitsPerSecond === 0) throw new Error('no timescale');
  const stbl = findBox(track, 'mdia', 'minf', 'stbl');
  const bytes = sizesIn(findBox(stbl, 'stsz'));
  const shift = shiftOf(track, unitsPerSecond, timescaleIn(findBox(moov, 'mvhd')));
  const offsets = runsOf(boxIn(stbl, 'ctts'), true);
  const timesMs: number[] = [];
  let unit = 0;
  let [next, left, offset] = [0, 0, 0];
  for (const [count, delta] of runsOf(findBox(stbl, 'stts'), false)) {
    for (let index = 0; index < count; index += 1) {
      for (; left === 0 && next < offsets.length; next += 1) [left, offset] = offsets[next] ?? [0, 0];
      timesMs.push(Math.round(((unit + (left > 0 ? offset : 0)) / unitsPerSecond + shift) * 1000));
      if (left > 0) left -= 1;
      unit += delta;
    }
  }
  const keys = boxIn(stbl, 'stss');
  // Without that table each frame is one.
  const keyFrames =
    keys === null ? bytes.map((_, index) => index) : numbersIn(keys).map((number) => number - 1);
  return { timesMs, bytes, keyFrames: keyFrames.filter((index) => index >= 0 && index < bytes.length) };
}

function handlerOf(track: Buffer): string {
  return findBox(track, 'mdia', 'hdlr').toString('latin1', FULL_BOX_BYTES + 4, FULL_BOX_BYTES + 8);
}

function timescaleIn(header: Buffer): number {
  return header.readUInt32BE(FULL_BOX_BYTES + (header[BOX_HEADER_BYTES] === 1 ? 16 : 8));
}

function boxIn(parent: Buffer, type: string): Buffer | null {
  for (const box of childBoxes(parent)) if (boxType(box) === type) return box;
  return null;
}

function sizesIn(stsz: Buffer): number[] {
  const [same, count] = [stsz.readUInt32BE(FULL_BOX_BYTES), stsz.readUInt32BE(FULL_BOX_BYTES + 4)];
  return Array.from({ length: count }, (_, index) =>
    same === 0 ? stsz.readUInt32BE(FULL_BOX_BYTES + 8 + index * 4) : same,
  );
}

function numbersIn(table: Buffer): number[] {
  const count = table.readUInt32BE(FULL_BOX_BYTES);
  return Array.from({ length: count }, (_, index) => table.readUInt32BE(FULL_BOX_BYTES + 4 + index * 4));
}

/** Pairs of a count and a value. */
function runsOf(table: Buffer | null, isSigned: boolean): [number, number][] {
  if (table === null) return [];
  return Array.from({ length: table.readUInt32BE(FULL_BOX_BYTES) }, (_, index) => {
    const at = FULL_BOX_BYTES + 4 + index * 8;
    return [table.readUInt32BE(at), isSigned ? table.readInt32BE(at + 4) : table.readUInt32BE(at + 4)];
  });
}

/** How much later than its own times the track is shown, in seconds: by its edit list. */
function shiftOf(track: Buffer, mediaUnits: number, movieUnits: number): number {
  const edits = boxIn(track, 'edts');
  const list = edits === null ? null : boxIn(edits, 'elst');
  if (list === null || movieUnits === 0) return 0;
  const isLong = list[BOX_HEADER_BYTES] === 1;
  let shift = 0;
  for (let index = 0; index < list.readUInt32BE(FULL_BOX_BYTES); index += 1) {
    const at = FULL_BOX_BYTES + 4 + index * (isLong ? 20 : 12);
    const duration = isLong ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    const mediaTime = isLong ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    if (mediaTime >= 0) return shift - mediaTime / mediaUnits;
    shift += duration / movieUnits;
  }
  return shift;
}
