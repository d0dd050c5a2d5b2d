// ffmpeg's command lines, and the only module that imports fluent-ffmpeg (archived upstream; used only to order the
// arguments). Nothing is spawned here. Options are those of ffmpeg 5 to 8:
// https://ffmpeg.org/ffmpeg.html, ffmpeg-devices.html (x11grab, gdigrab), ffmpeg-formats.html (mov).

import ffmpeg from 'fluent-ffmpeg';
import { unreachable } from '../shared/errors.ts';
import type { EncoderName, Quality, Rect } from '../shared/names.ts';
import { BIT_RATE_CEILING } from '../shared/names.ts';
import type { Canvas, Composition, Fit, Part } from './layout.ts';

/** What is grabbed. Offsets and sizes are physical pixels. */
export type Grab =
  | { readonly device: 'x11grab'; readonly display: string; readonly area: Rect }
  | { readonly device: 'gdigrab'; readonly area: Rect };

export interface Encoding {
  readonly encoder: EncoderName;
  readonly fps: number;
  readonly quality: Quality;
  /** Whether this ffmpeg has our patches (resources/ffmpeg/patches). */
  readonly isPatched: boolean;
}

export interface CaptureCommand extends Encoding {
  readonly grab: Grab;
  /** How a grabbed frame becomes one of the recording. */
  readonly composition: Composition;
  readonly fit: Fit;
}

/**
 * Grabs and writes fragmented MP4, one fragment per frame, to stdout. Our ffmpeg delivers frames that differ, one a second
 * otherwise, and one for each byte on stdin, until stdin ends. Another one delivers `fps` frames a second until it reads `q`.
 */
export function captureArguments({ grab, composition, fit, ...encoding }: CaptureCommand): string[] {
  const { fps, isPatched } = encoding;
  const { source, options } = grabInput(grab);
  return build(
    ffmpeg()
      .input(source)
      .inputFormat(grab.device)
      .inputOptions([...liveOptions(fps), ...options, ...(isPatched ? split('-changes 1') : [])])
      .videoFilters((isPatched ? deskFilter(composition, fit) : null) ?? composedFilters(composition, fit))
      .outputOptions([...encoderOptions(encoding), ...timingOptions, ...fragmentOptions]),
    isPatched ? split('-nostdin -stats_period 3600') : split('-stats_period 0.1'),
  );
}

export interface TrialCommand {
  readonly grab: Grab;
  readonly fps: number;
  readonly seconds: number;
  /** Of the output frames. */
  readonly width: number;
  readonly height: number;
}

/** Grabs for `seconds` and writes small grey frames to stdout, one byte per pixel. They are checked and discarded. */
export function trialArguments({ grab, fps, seconds, width, height }: TrialCommand): string[] {
  const { source, options } = grabInput(grab);
  return [
    ...split('-hide_banner -nostats -loglevel info'),
    ...[...liveOptions(fps), ...options, '-f', grab.device, '-i', source, '-t', String(seconds)],
    ...['-vf', `scale=w=${width}:h=${height}:flags=area,format=gray`],
    ...split('-fps_mode passthrough -an -f rawvideo pipe:1'),
  ];
}

export interface SlateCommand extends Encoding {
  readonly canvas: Canvas;
}

/** Encodes one raw image (yuv420p) from stdin with the settings of a capture run, so that both fit into one MP4 track. */
export function slateArguments({ canvas, ...encoding }: SlateCommand): string[] {
  const { fps } = encoding;
  return build(
    ffmpeg()
      .input('pipe:0')
      .inputFormat('rawvideo')
      // Some encoders write the frame rate into their parameter sets, which must match the runs'.
      .inputOptions(
        split(`-pixel_format yuv420p -video_size ${canvas.width}x${canvas.height} -framerate ${fps}`),
      )
      .videoFilters(['setsar=1', ...colourFilters])
      .outputOptions([...encoderOptions(encoding), ...timingOptions, ...fragmentOptions, '-frames:v', '1']),
    [],
  );
}

/** The command's arguments, without the program's name. */
function build(command: ffmpeg.FfmpegCommand, stdinOptions: readonly string[]): string[] {
  command.output('pipe:1').format('mp4').noAudio();
  // fluent-ffmpeg offers no public way to the arguments; this one is stable, since the project is archived.
  const { _getArguments } = command as unknown as { _getArguments: () => string[] };
  // stats_period is also how often ffmpeg wakes up to read stdin for its "q"; the default is half a second.
  const common = split('-hide_banner -nostats -loglevel info');
  return [...common, ...stdinOptions, ..._getArguments.call(command)];
}

function split(options: string): string[] {
  return options.split(' ');
}

/** The grabber states its format; probing would only delay the first frame. */
function liveOptions(fps: number): string[] {
  return split(`-probesize 32 -analyzeduration 0 -framerate ${fps}`);
}

function grabInput(grab: Grab): { source: string; options: string[] } {
  switch (grab.device) {
    case 'x11grab': {
      const source = `${grab.display}+${grab.area.x},${grab.area.y}`;
      return { source, options: [...sizeOptions(grab.area), '-draw_mouse', '1'] };
    }
    case 'gdigrab': {
      const offset = split(`-offset_x ${grab.area.x} -offset_y ${grab.area.y}`);
      return { source: 'desktop', options: [...offset, ...sizeOptions(grab.area), '-draw_mouse', '1'] };
    }
    default:
      return unreachable(grab);
  }
}

function sizeOptions(area: Rect): string[] {
  return ['-video_size', `${area.width}x${area.height}`];
}

/** Our own filter, which converts only what has changed; null for scaled frames and odd sizes, which it does not support. */
function deskFilter(composition: Composition, { canvas, content, scaled }: Fit): string[] | null {
  const { width, height } = composition.area;
  const whole: Part = { from: { x: 0, y: 0, width, height }, to: { x: 0, y: 0 } };
  const parts = composition.parts.length === 0 ? [whole] : composition.parts;
  const rects = parts.map(({ from, to }) => ({ from, to: { x: content.x + to.x, y: content.y + to.y } }));
  const isEven = rects.every(({ from, to }) =>
    [from.width, from.height, to.x, to.y].every((length) => length % 2 === 0),
  );
  if (scaled || !isEven) return null;
  const words = rects.map(
    ({ from, to }) => `${from.x}_${from.y}_${from.width}_${from.height}_${to.x}_${to.y}`,
  );
  return [`deskyuv=size=${canvas.width}x${canvas.height}:parts=${words.join('|')}`];
}

function composedFilters({ parts }: Composition, { canvas, content, scaled }: Fit): string[] {
  const compose = parts.length === 0 ? [] : [composeFilter(parts)];
  const isWhole = content.width === canvas.width && content.height === canvas.height;
  const pad = isWhole
    ? []
    : [`pad=w=${canvas.width}:h=${canvas.height}:x=${content.x}:y=${content.y}:color=black`];
  // Unscaled frames are padded while they are still RGB, where odd sizes are allowed.
  const size = scaled ? `w=${content.width}:h=${content.height}:` : '';
  const scale = `scale=${size}${scaleOptions}`;
  return [...compose, ...(scaled ? [scale, ...pad] : [...pad, scale]), 'setsar=1', ...colourFilters];
}

/** One grab for all monitors, so that all show the same moment; each is cropped and put in its place. */
function composeFilter(parts: readonly Part[]): string {
  if (parts.length === 1) return parts.map(({ from }) => cropFilter(from)).join('');
  const labels = parts.map((_, index) => `[m${index}]`).join('');
  const crops = parts.map(({ from }, index) => `[m${index}]${cropFilter(from)}[c${index}]`);
  const cropped = parts.map((_, index) => `[c${index}]`).join('');
  const places = parts.map(({ to }) => `${to.x}_${to.y}`).join('|');
  return [
    `split=${parts.length}${labels}`,
    ...crops,
    `${cropped}xstack=inputs=${parts.length}:layout=${places}:fill=black`,
  ].join(';');
}

function cropFilter({ x, y, width, height }: Rect): string {
  return `crop=${width}:${height}:${x}:${y}:exact=1`;
}

/**
 * HD colours in the video range: what every player assumes for H.264, and the same for every source. The flags are
 * swscale's fastest conversion from RGB to 4:2:0 that keeps coloured text readable (measured; fast_bilinear does not).
 */
const scaleOptions = 'flags=area+full_chroma_inp:out_color_matrix=bt709:out_range=tv';
const colourFilters = [
  'format=yuv420p',
  'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709',
];

/** Frames keep the time of their grab, to the millisecond; after a stall there is no burst. */
const timingOptions = split('-fps_mode vfr -enc_time_base 1/1000');

const fragmentOptions = split(
  '-movflags +frag_every_frame+empty_moov+default_base_moof -flush_packets 1 -map_metadata -1',
);

function encoderOptions({ encoder, fps, quality, isPatched }: Encoding): string[] {
  const isScreen = isPatched && encoder === 'libopenh264';
  const options = isScreen ? screenOptions(quality) : plainOptions(encoder, fps);
  return split(`-c:v ${encoder} -bf 0 ${options}`);
}

const openH264Options = '-profile:v high -threads 1 -slices 1 -allow_skip_frames 0 -loopfilter 0';

/**
 * Quantizers for unchanged and for changed frames (measured, docs/performance.md). A changed frame may be coarse, because it is
 * soon replaced; within a second without a change it is encoded again with the finer quantizer.
 */
const quantizers: Readonly<Record<Quality, { readonly resting: number; readonly moving: number }>> = {
  small: { resting: 28, moving: 34 },
  balanced: { resting: 24, moving: 30 },
  sharp: { resting: 20, moving: 24 },
};

const KEY_FRAME_SECONDS = 30;

/** Options of resources/ffmpeg/patches/libopenh264-screen.patch. */
function screenOptions(quality: Quality): string {
  const { resting, moving } = quantizers[quality];
  const keyFrames = `-g 0 -key_seconds ${KEY_FRAME_SECONDS}`;
  return (
    `${openH264Options} -usage_type screen -rc_mode off -qp ${resting} -motion_qp ${moving} ` +
    `-ceiling ${BIT_RATE_CEILING} ${keyFrames}`
  );
}

/**
 * A key frame per minute: on a still desktop key frames are most of the bytes, and 300 frames decode fast enough to seek.
 * The bit rate follows the content: OpenH264 can limit it only by skipping frames, which it must not.
 */
function plainOptions(encoder: EncoderName, fps: number): string {
  const ofEncoder: Readonly<Record<EncoderName, string>> = {
    libopenh264: openH264Options,
    libx264: '-preset veryfast -tune zerolatency -threads 1 -crf 26',
    h264_mf: '-b:v 800k -hw_encoding 0',
  };
  return `-g ${Math.round(fps * 60)} ${ofEncoder[encoder]}`;
}
