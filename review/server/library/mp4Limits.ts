// Whether the tables of an MP4 can be what Sightline writes, before a parser that trusts them reads them: a table may claim four
// billion frames in twenty bytes, or a box be longer than the file. Boxes: ISO/IEC 14496-12.

import { BOX_HEADER_BYTES, FULL_BOX_BYTES, boxType } from '../../../main/media/boxes.ts';

/** Eight hours at 5 frames per second have 144,000. */
export const MAX_FRAMES = 1_000_000;
/** Eight hours have 5 MB. */
export const MAX_MOOV_BYTES = 32 * 1024 * 1024;
const MAX_BOXES = 2000;
const MAX_DEPTH = 10;
const MAX_TRACKS = 8;
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'dinf', 'udta']);
/** Fragments, other sample tables and encryption: no finished recording of ours has them. */
const FOREIGN = new Set(['mvex', 'stz2', 'saiz', 'saio', 'senc', 'sbgp', 'cmov']);
/** Where the number of entries is, and the size of one. */
const ENTRY_BYTES: Readonly<Record<string, number>> = {
  ...{ stts: 8, ctts: 8, stss: 4, stsc: 12, stco: 4, co64: 8 },
};

/** @returns the number of frames of all tracks. @throws Error */
export function checkedMoov(moov: Buffer): number {
  const seen = { boxes: 0, tracks: 0, frames: 0 };
  checkBox(moov, 0, seen);
  if (seen.tracks === 0) throw new Error('no track');
  return seen.frames;
}

function checkBox(box: Buffer, depth: number, seen: { boxes: number; tracks: number; frames: number }): void {
  const type = boxType(box);
  seen.boxes += 1;
  if (seen.boxes > MAX_BOXES || depth > MAX_DEPTH) throw new Error('too many boxes');
  if (FOREIGN.has(type)) throw new Error(`a box ${type}`);
  if (type === 'trak') seen.tracks += 1;
  if (seen.tracks > MAX_TRACKS) throw new Error('too many tracks');
  if (CONTAINERS.has(type)) {
    for (let at = BOX_HEADER_BYTES; at < box.byteLength;) {
      if (at + BOX_HEADER_BYTES > box.byteLength) throw new Error(`a box ${type} with a rest`);
      const size = box.readUInt32BE(at);
      if (size < BOX_HEADER_BYTES || at + size > box.byteLength)
        throw new Error('a box of an impossible size');
      checkBox(box.subarray(at, at + size), depth + 1, seen);
      at += size;
    }
    if (type === 'stbl') checkSamples(box);
    return;
  }
  const entryBytes = ENTRY_BYTES[type];
  if (entryBytes !== undefined) requireRoom(box, count(box, FULL_BOX_BYTES), FULL_BOX_BYTES + 4, entryBytes);
  if (type === 'elst')
    requireRoom(box, count(box, FULL_BOX_BYTES), FULL_BOX_BYTES + 4, box[BOX_HEADER_BYTES] === 1 ? 20 : 12);
  if (type !== 'stsz') return;
  const frames = count(box, FULL_BOX_BYTES + 4);
  if (frames > MAX_FRAMES) throw new Error('too many frames');
  if (count(box, FULL_BOX_BYTES) === 0) requireRoom(box, frames, FULL_BOX_BYTES + 8, 4);
  seen.frames += frames;
}

/** Times and chunks must be of as many frames as there are sizes. */
function checkSamples(stbl: Buffer): void {
  let sizes: number | null = null;
  let times: number | null = null;
  for (let at = BOX_HEADER_BYTES; at < stbl.byteLength; at += stbl.readUInt32BE(at)) {
    const box = stbl.subarray(at, at + stbl.readUInt32BE(at));
    const type = boxType(box);
    if (type === 'stsz') sizes = count(box, FULL_BOX_BYTES + 4);
    if (type === 'stts' || type === 'ctts') {
      const total = sumOf(box);
      if (total > MAX_FRAMES) throw new Error('too many frames');
      if (type === 'stts') times = total;
    }
    if (type === 'stsc') checkChunks(box);
  }
  if (sizes === null || times !== sizes) throw new Error('tables that do not agree');
}

function sumOf(table: Buffer): number {
  let total = 0;
  const entries = count(table, FULL_BOX_BYTES);
  for (let index = 0; index < entries; index += 1)
    total += table.readUInt32BE(FULL_BOX_BYTES + 4 + index * 8);
  return total;
}

function checkChunks(stsc: Buffer): void {
  const entries = count(stsc, FULL_BOX_BYTES);
  let before = 0;
  for (let index = 0; index < entries; index += 1) {
    const at = FULL_BOX_BYTES + 4 + index * 12;
    const first = stsc.readUInt32BE(at);
    const frames = stsc.readUInt32BE(at + 4);
    if (first <= before || frames === 0 || frames > MAX_FRAMES) throw new Error('chunks out of order');
    before = first;
  }
}

function count(box: Buffer, at: number): number {
  if (at + 4 > box.byteLength) throw new Error('a table without entries');
  return box.readUInt32BE(at);
}

function requireRoom(box: Buffer, entries: number, at: number, entryBytes: number): void {
  if (at + entries * entryBytes > box.byteLength)
    throw new Error(`a table ${boxType(box)} longer than its box`);
}
