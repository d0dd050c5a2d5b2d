// A frame that repeats the previous one with an image painted over it, written without decoding or encoding anything: a P
// slice in which every macroblock is skipped (the decoder copies it from the previous frame), except those of the image,
// which carry their samples as they are (I_PCM; ITU-T H.264, 7.3.4 and 7.3.5).

import { BitWriter } from './bits.ts';
import type { Context } from './cabac.ts';
import { CabacEncoder, newContext } from './cabac.ts';
import { descriptionOf } from './decoderConfig.ts';
import type { SliceHeader, StreamHeaders } from './h264.ts';
import { readHeaders, readSliceHeader, sliceUnit } from './h264.ts';
import type { YuvImage } from './yuvImage.ts';

const MACROBLOCK = 16;
/** mb_type of I_PCM in a P slice: 5 types of P macroblocks come first. */
const I_PCM = 5 + 25;

export interface Overlay {
  /** Width and height are multiples of 16. */
  readonly image: YuvImage;
  /** Of the image in the frame, in pixels; multiples of 16. */
  readonly x: number;
  readonly y: number;
}

/**
 * @param previous the frame before, as the track stores it
 * @returns null where the stream or the place does not allow it
 */
export function overlayFrame(
  config: VideoDecoderConfig,
  previous: Uint8Array,
  overlay: Overlay,
): Buffer | null {
  const headers = readHeaders(descriptionOf(config));
  const before = headers && readSliceHeader(previous, headers);
  if (!headers || !before) return null;
  const painted = paintedBlocks(overlay, headers);
  if (painted === null) return null;
  const writer = new BitWriter();
  writeSliceHeader(writer, headers, before);
  return sliceUnit(
    headers.isCabac ? cabacSlice(writer, headers, painted) : cavlcSlice(writer, headers, painted),
  );
}

/** The samples of the macroblocks that the image covers, by their numbers; null: it is not inside the frame. */
function paintedBlocks(
  { image, x, y }: Overlay,
  { columns, rows }: StreamHeaders,
): Map<number, Buffer> | null {
  const [left, top] = [x / MACROBLOCK, y / MACROBLOCK];
  const [across, down] = [image.width / MACROBLOCK, image.height / MACROBLOCK];
  if (left < 0 || top < 0 || left + across > columns || top + down > rows) return null;
  const blocks = new Map<number, Buffer>();
  for (let row = 0; row < down; row += 1)
    for (let column = 0; column < across; column += 1)
      blocks.set((top + row) * columns + left + column, image.macroblock(column, row));
  return blocks;
}

function writeSliceHeader(writer: BitWriter, headers: StreamHeaders, before: SliceHeader): void {
  const { frameNumBits, orderBits } = headers;
  writer.unsigned(0); // first_mb_in_slice
  writer.unsigned(5); // slice_type: all slices are P
  writer.unsigned(headers.ppsId);
  writer.bits((before.frameNum + 1) % 2 ** frameNumBits, frameNumBits);
  // A frame counts as two fields.
  if (orderBits !== null) writer.bits((before.orderLsb + 2) % 2 ** orderBits, orderBits);
  if (orderBits !== null && headers.hasBottomOrder) writer.unsigned(0); // delta_pic_order_cnt_bottom
  if (headers.hasRedundantCount) writer.unsigned(0); // redundant_pic_cnt
  writer.bit(1); // num_ref_idx_active_override_flag
  writer.unsigned(0); // num_ref_idx_l0_active_minus1: the previous frame only
  writer.bit(0); // ref_pic_list_modification_flag_l0
  if (headers.isWeighted) {
    writer.unsigned(0); // luma_log2_weight_denom
    writer.unsigned(0); // chroma_log2_weight_denom
    writer.bits(0, 2); // luma_weight_l0_flag, chroma_weight_l0_flag
  }
  writer.bit(0); // adaptive_ref_pic_marking_mode_flag
  if (headers.isCabac) writer.unsigned(0); // cabac_init_idc
  writer.unsigned(0); // slice_qp_delta
  if (headers.canDisableDeblocking) writer.unsigned(1); // disable_deblocking_filter_idc
}

function cavlcSlice(
  writer: BitWriter,
  { columns, rows }: StreamHeaders,
  painted: ReadonlyMap<number, Buffer>,
): Buffer {
  let skipped = 0;
  for (let block = 0; block < columns * rows; block += 1) {
    const samples = painted.get(block);
    if (samples === undefined) {
      skipped += 1;
      continue;
    }
    writer.unsigned(skipped); // mb_skip_run
    writer.unsigned(I_PCM);
    writer.align(0);
    writer.raw(samples);
    skipped = 0;
  }
  if (skipped > 0) writer.unsigned(skipped);
  writer.bit(1); // rbsp_stop_one_bit
  return writer.bytes();
}

function cabacSlice(
  writer: BitWriter,
  { columns, rows, initialQp }: StreamHeaders,
  painted: ReadonlyMap<number, Buffer>,
): Buffer {
  // Tables 9-13 and 9-14 for cabac_init_idc 0: ctxIdx 11 to 13 (mb_skip_flag), 14 and 17 (mb_type).
  const skip = [newContext(23, 33, initialQp), newContext(23, 2, initialQp), newContext(21, 0, initialQp)];
  const isIntra = newContext(1, 9, initialQp);
  const isNot4x4 = newContext(5, 57, initialQp);
  writer.align(1); // cabac_alignment_one_bit
  let encoder = new CabacEncoder(writer);
  const last = columns * rows - 1;
  for (let block = 0; block <= last; block += 1) {
    const samples = painted.get(block);
    // The context depends on the macroblocks to the left and above: how many of them are not skipped (9.3.3.1.1.1).
    const neighbours =
      Number(block % columns > 0 && painted.has(block - 1)) + Number(painted.has(block - columns));
    encoder.encode(skip[neighbours] as Context, samples === undefined ? 1 : 0);
    if (samples !== undefined) {
      encoder.encode(isIntra, 1);
      encoder.encode(isNot4x4, 1);
      encoder.terminate(1);
      writer.align(0);
      writer.raw(samples);
      encoder = new CabacEncoder(writer);
    }
    encoder.terminate(block === last ? 1 : 0);
  }
  // The encoder's last bit was the stop bit.
  return writer.bytes();
}
