// ffmpeg's command lines, and the only module that imports fluent-ffmpeg (archived upstream; used only to order the
// arguments). Nothing is spawned here. Options are those of ffmpeg 5 to 8:
// https://ffmpeg.org/ffmpeg.html, ffmpeg-devices.html (x11grab, gdigrab), ffmpeg-formats.html (mov).

import ffmpeg from 'fluent-ffmpeg';
import { unreachable } from '../shared/errors.ts';
import type { EncoderName, Rect } from '../shared/names.ts';
import { MACROBLOCK, MAX_MACROBLOCKS } from '../shared/names.ts';
import type { Canvas, Composition, Fit, Part } from './layout.ts';

/** What is grabbed. Offsets and sizes are physical pixels. */
export type Grab =
  | { readonly device: 'x11grab'; readonly display: string; readonly area: Rect | null }
  | { readonly device: 'gdigrab'; readonly area: Rect | null };

export interface CaptureCommand {
  readonly grab: Grab;
  readonly fps: number;
  readonly encoder: EncoderName;
  readonly frame: FrameCommand;
}

/** How a grabbed frame becomes one of the recording. */
export type FrameCommand =
  /** The monitors are known, so every number is. */
  | { readonly kind: 'composed'; readonly composition: Composition; readonly fit: Fit }
  /** Only the grabber knows the size: ffmpeg calculates it, and fits the frame into the canvas where there is one. */
  | { readonly kind: 'whole'; readonly canvas: Canvas | null };

/** Grabs until it reads `q` on stdin and writes fragmented MP4, one fragment per frame, to stdout. */
export function captureArguments({ grab, fps, encoder, frame }: CaptureCommand): string[] {
  const { source, options } = grabInput(grab);
  return build(
    ffmpeg()
      .input(source)
      .inputFormat(grab.device)
      .inputOptions([...liveOptions(fps), ...options])
      .videoFilters([...frameFilters(frame), ...colourFilters])
      .outputOptions([...encoderOptions(encoder, fps), ...timingOptions, ...fragmentOptions]),
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

export interface SlateCommand {
  readonly encoder: EncoderName;
  readonly fps: number;
  readonly canvas: Canvas;
}

/** Encodes one raw image (yuv420p) from stdin with the settings of a capture run, so that both fit into one MP4 track. */
export function slateArguments({ encoder, fps, canvas }: SlateCommand): string[] {
  return build(
    ffmpeg()
      .input('pipe:0')
      .inputFormat('rawvideo')
      // Some encoders write the frame rate into their parameter sets, which must match the runs'.
      .inputOptions(
        split(`-pixel_format yuv420p -video_size ${canvas.width}x${canvas.height} -framerate ${fps}`),
      )
      .videoFilters(['setsar=1', ...colourFilters])
      .outputOptions([
        ...encoderOptions(encoder, fps),
        ...timingOptions,
        ...fragmentOptions,
        '-frames:v',
        '1',
      ]),
  );
}

/** The command's arguments, without the program's name. */
function build(command: ffmpeg.FfmpegCommand): string[] {
  command.output('pipe:1').format('mp4').noAudio();
  // fluent-ffmpeg offers no public way to the arguments; this one is stable, since the project is archived.
  const { _getArguments } = command as unknown as { _getArguments: () => string[] };
  // stats_period is also how often ffmpeg reads stdin for its "q"; the default is half a second.
  const common = split('-hide_banner -nostats -stats_period 0.1 -loglevel info');
  return [...common, ..._getArguments.call(command)];
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
      const offset = grab.area === null ? '' : `+${grab.area.x},${grab.area.y}`;
      return { source: `${grab.display}${offset}`, options: [...sizeOptions(grab.area), '-draw_mouse', '1'] };
    }
    case 'gdigrab': {
      const offset = grab.area === null ? [] : split(`-offset_x ${grab.area.x} -offset_y ${grab.area.y}`);
      return { source: 'desktop', options: [...offset, ...sizeOptions(grab.area), '-draw_mouse', '1'] };
    }
    default:
      return unreachable(grab);
  }
}

function sizeOptions(area: Rect | null): string[] {
  return area === null ? [] : ['-video_size', `${area.width}x${area.height}`];
}

function frameFilters(frame: FrameCommand): string[] {
  return frame.kind === 'whole' ? fitFilters(frame.canvas) : composedFilters(frame.composition, frame.fit);
}

function composedFilters({ parts }: Composition, { canvas, content, scaled }: Fit): string[] {
  const compose = parts.length === 0 ? [] : [composeFilter(parts)];
  const isWhole = content.width === canvas.width && content.height === canvas.height;
  const pad = isWhole
    ? []
    : [`pad=w=${canvas.width}:h=${canvas.height}:x=${content.x}:y=${content.y}:color=black`];
  // Unscaled frames are padded while they are still RGB, where odd sizes are allowed.
  if (!scaled) return [...compose, ...pad, `scale=${scaleOptions}`, 'setsar=1'];
  return [...compose, `scale=w=${content.width}:h=${content.height}:${scaleOptions}`, ...pad, 'setsar=1'];
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
 * Without a canvas: the screen's own size, made even (4:2:0 needs it) and scaled down only above OpenH264's limit.
 * With one: fitted into it, with bars where the shapes differ.
 */
function fitFilters(canvas: Canvas | null): string[] {
  if (canvas !== null) {
    const { width, height } = canvas;
    return [
      `scale=w=${width}:h=${height}:force_original_aspect_ratio=decrease:force_divisible_by=2:${scaleOptions}`,
      `pad=w=${width}:h=${height}:x=(ow-iw)/2:y=(oh-ih)/2:color=black`,
      'setsar=1',
    ];
  }
  const blocks = MACROBLOCK;
  const isSmall = `lte(ceil(iw/${blocks})*ceil(ih/${blocks}),${MAX_MACROBLOCKS})`;
  const scaled = (side: string): string =>
    `trunc(${side}*sqrt(${MAX_MACROBLOCKS * blocks * blocks}/(iw*ih))/${blocks})*${blocks}`;
  return [
    // An extra column or row keeps odd sizes sharp; only sizes above the limit are scaled, to whole macroblocks.
    "pad=w='ceil(iw/2)*2':h='ceil(ih/2)*2'",
    `scale=w='if(${isSmall},iw,${scaled('iw')})':h='if(${isSmall},ih,${scaled('ih')})':${scaleOptions}`,
    'setsar=1',
  ];
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

/**
 * A key frame per minute: on a still desktop key frames are most of the bytes, and 300 frames decode fast enough to seek.
 * The bit rate follows the content: OpenH264 can limit it only by skipping frames, which it must not.
 */
function encoderOptions(encoder: EncoderName, fps: number): string[] {
  return split(`-c:v ${encoder} -g ${Math.round(fps * 60)} -bf 0 ${optionsOfEncoder[encoder]}`);
}

const optionsOfEncoder: Readonly<Record<EncoderName, string>> = {
  libopenh264: '-profile:v high -threads 1 -slices 1 -allow_skip_frames 0 -loopfilter 0',
  libx264: '-preset veryfast -tune zerolatency -threads 1 -crf 26',
  h264_mf: '-b:v 800k -hw_encoding 0',
  h264_videotoolbox: '-b:v 800k -realtime 1 -allow_sw 1',
};
