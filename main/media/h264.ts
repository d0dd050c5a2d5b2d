// What the headers of an H.264 stream say, as far as a frame that refers to another one needs it (ITU-T H.264, 7.3).

import { asBuffer } from './boxes.ts';
import { BitReader } from './bits.ts';

const NAL_LENGTH_BYTES = 4;
const SLICE = 1;
const IDR_SLICE = 5;
/** A slice header is shorter. */
const HEADER_BYTES = 64;

/** Profiles whose parameter sets state the colour format (7.3.2.1.1). */
const HIGH_PROFILES = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

export interface StreamHeaders {
  readonly ppsId: number;
  readonly frameNumBits: number;
  /** null: the order of output is the order of decoding. */
  readonly orderBits: number | null;
  readonly columns: number;
  readonly rows: number;
  readonly isCabac: boolean;
  readonly hasBottomOrder: boolean;
  readonly isWeighted: boolean;
  readonly initialQp: number;
  readonly canDisableDeblocking: boolean;
  readonly hasRedundantCount: boolean;
}

export interface SliceHeader {
  readonly frameNum: number;
  readonly orderLsb: number;
}

/** The payload of each NAL unit, after its 4-byte length. */
export function* nalUnits(frame: Uint8Array): Generator<Buffer> {
  const bytes = asBuffer(frame);
  for (let at = 0; at + NAL_LENGTH_BYTES < bytes.byteLength;) {
    const end = at + NAL_LENGTH_BYTES + bytes.readUInt32BE(at);
    yield bytes.subarray(at + NAL_LENGTH_BYTES, end);
    at = end;
  }
}

/** Whether an H.264 frame has an IDR slice and so can be decoded alone. */
export function isKeyFrame(frame: Uint8Array): boolean {
  for (const unit of nalUnits(frame)) if (typeOf(unit) === IDR_SLICE) return true;
  return false;
}

/**
 * @param avcC the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)
 * @returns null where the stream uses what none of our encoders does: fields, slice groups, another colour format
 */
export function readHeaders(avcC: Buffer): StreamHeaders | null {
  const [spsLength, ppsAt] = [avcC.readUInt16BE(6), 8 + avcC.readUInt16BE(6)];
  const sps = readSps(new BitReader(unescape(avcC.subarray(9, 8 + spsLength))));
  const ppsLength = avcC.readUInt16BE(ppsAt + 1);
  const pps = readPps(new BitReader(unescape(avcC.subarray(ppsAt + 4, ppsAt + 3 + ppsLength))));
  return sps === null || pps === null ? null : { ...sps, ...pps };
}

/** Of the frame's last slice. @returns null when no later frame can refer to this one */
export function readSliceHeader(frame: Uint8Array, headers: StreamHeaders): SliceHeader | null {
  const unit = [...nalUnits(frame)].findLast((one) => [SLICE, IDR_SLICE].includes(typeOf(one)));
  if (unit === undefined || (unit[0] ?? 0) >> 5 === 0) return null;
  const reader = new BitReader(unescape(unit.subarray(1, HEADER_BYTES)));
  reader.unsigned(); // first_mb_in_slice
  reader.unsigned(); // slice_type
  if (reader.unsigned() !== headers.ppsId) return null;
  const frameNum = reader.bits(headers.frameNumBits);
  if (typeOf(unit) === IDR_SLICE) reader.unsigned(); // idr_pic_id
  return { frameNum, orderLsb: headers.orderBits === null ? 0 : reader.bits(headers.orderBits) };
}

/** A NAL unit of a P slice with its length, from its header's fields and macroblocks. */
export function sliceUnit(payload: Buffer): Buffer {
  const header = 0x20 | SLICE; // nal_ref_idc 1: a later frame may refer to this one
  const escaped = escape(Buffer.concat([Buffer.of(header), payload]));
  const unit = Buffer.alloc(NAL_LENGTH_BYTES + escaped.byteLength);
  unit.writeUInt32BE(escaped.byteLength);
  escaped.copy(unit, NAL_LENGTH_BYTES);
  return unit;
}

function typeOf(unit: Buffer): number {
  return (unit[0] ?? 0) & 0x1f;
}

type Sps = Pick<StreamHeaders, 'frameNumBits' | 'orderBits' | 'columns' | 'rows'>;

function readSps(reader: BitReader): Sps | null {
  const profile = reader.bits(8);
  reader.bits(16); // constraints, level
  reader.unsigned(); // seq_parameter_set_id
  if (HIGH_PROFILES.includes(profile)) {
    const isUsual = reader.unsigned() === 1 && reader.unsigned() === 0 && reader.unsigned() === 0;
    // 4:2:0 with 8 bits, then qpprime_y_zero_transform_bypass_flag; no scaling matrix.
    if (!isUsual || reader.flag() || reader.flag()) return null;
  }
  const frameNumBits = reader.unsigned() + 4;
  const orderType = reader.unsigned();
  if (orderType === 1) return null;
  const orderBits = orderType === 0 ? reader.unsigned() + 4 : null;
  reader.unsigned(); // max_num_ref_frames
  reader.flag(); // gaps_in_frame_num_value_allowed_flag
  const [columns, rows] = [reader.unsigned() + 1, reader.unsigned() + 1];
  const isProgressive = reader.flag();
  return isProgressive ? { frameNumBits, orderBits, columns, rows } : null;
}

function readPps(reader: BitReader): Omit<StreamHeaders, keyof Sps> | null {
  const ppsId = reader.unsigned();
  reader.unsigned(); // seq_parameter_set_id
  const [isCabac, hasBottomOrder] = [reader.flag(), reader.flag()];
  if (reader.unsigned() > 0) return null; // slice groups
  reader.unsigned(); // num_ref_idx_l0_default_active_minus1
  reader.unsigned(); // num_ref_idx_l1_default_active_minus1
  const isWeighted = reader.flag();
  reader.bits(2); // weighted_bipred_idc
  const initialQp = 26 + reader.signed();
  reader.signed(); // pic_init_qs_minus26
  reader.signed(); // chroma_qp_index_offset
  const canDisableDeblocking = reader.flag();
  reader.flag(); // constrained_intra_pred_flag
  const hasRedundantCount = reader.flag();
  return { ppsId, isCabac, hasBottomOrder, isWeighted, initialQp, canDisableDeblocking, hasRedundantCount };
}

/** Removes emulation prevention (7.4.1): the 3 after two zero bytes. */
function unescape(bytes: Buffer): Uint8Array {
  return bytes.filter((byte, at) => !(byte === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0));
}

/** Inserts emulation prevention: no three bytes may look like a start code. */
function escape(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  let zeros = 0;
  for (let at = 0; at < bytes.byteLength; at += 1) {
    const byte = bytes[at] ?? 0;
    if (zeros >= 2 && byte <= 3) {
      parts.push(bytes.subarray(from, at), Buffer.of(3));
      from = at;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}
