import { beforeAll, describe, expect, it } from 'vitest';
import { FfmpegFinder } from '../../../main/capture/ffmpegBinary.ts';
import type { CaptureCommand } from '../../../main/capture/ffmpegCommand.ts';
import { captureArguments, slateArguments } from '../../../main/capture/ffmpegCommand.ts';
import type { Canvas } from '../../../main/capture/layout.ts';
import { compose, fit } from '../../../main/capture/layout.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import type { EncoderName } from '../../../main/shared/names.ts';
import { MACROBLOCK, MAX_MACROBLOCKS, encoderNames, qualitySchema } from '../../../main/shared/names.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../../rig/process.ts';
import { ffmpegPath } from '../support/fragmentedMp4.ts';

/** A monitor with this rectangle, alone or beside others. */
const screen = (name: string, x: number, y: number, width: number, height: number) => ({
  ...{ name, x, y, width, height, primary: x === 0 },
});
type Monitors = Parameters<typeof compose>[0];

/** The command of an ffmpeg without our patches, for these monitors. */
function commandFor(monitors: Monitors, canvas: Canvas | null = null): CaptureCommand {
  const composition = compose(monitors);
  return {
    grab: { device: 'x11grab', display: ':7', area: composition.area },
    ...{ composition, fit: fit(composition, canvas) },
    ...{ fps: 5, encoder: 'libopenh264', quality: 'balanced', isPatched: false },
  };
}

const x11 = commandFor([screen('a', 0, 0, 1280, 720)]);
const ours = { ...x11, isPatched: true };
const ffmpegOnPath = (): string => findTool(['ffmpeg'], FFMPEG_HINT);
const area = { x: 1920, y: 120, width: 1280, height: 1024 };

/** The arguments of the input: everything before and with its name. */
function inputOf(args: readonly string[]): string[] {
  return args.slice(0, args.indexOf('-i') + 2);
}

function valueOf(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

/** From the encoder on: what must be the same for runs and slates. */
function encodingOf(args: readonly string[]): string[] {
  return args.slice(args.indexOf('-c:v'));
}

describe('the command of a capture run', () => {
  it('is this one for one monitor', () => {
    const filters = [
      'scale=flags=area+full_chroma_inp:out_color_matrix=bt709:out_range=tv',
      ...['setsar=1', 'format=yuv420p'],
      'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709',
    ];
    const words = (text: string): string[] => text.split(' ');
    expect(captureArguments(x11)).toEqual([
      ...words('-hide_banner -nostats -loglevel info -stats_period 0.1'),
      ...words('-f x11grab -probesize 32 -analyzeduration 0 -framerate 5 -video_size 1280x720 -draw_mouse 1'),
      ...['-i', ':7+0,0', '-an', '-filter:v', filters.join(',')],
      ...words('-c:v libopenh264 -bf 0 -g 300 -profile:v high -threads 1 -slices 1'),
      ...words('-allow_skip_frames 0 -loopfilter 0 -fps_mode vfr -enc_time_base 1/1000'),
      ...words('-movflags +frag_every_frame+empty_moov+default_base_moof -flush_packets 1'),
      ...words('-map_metadata -1 -f mp4 pipe:1'),
    ]);
  });

  it('is this one for an ffmpeg with our patches', () => {
    const args = captureArguments(ours);
    expect(args.slice(4, 7)).toEqual(['-nostdin', '-stats_period', '3600']);
    expect(valueOf(inputOf(args), '-changes')).toBe('1');
    expect(valueOf(args, '-filter:v')).toBe('deskyuv=size=1280x720:parts=0_0_1280_720_0_0');
    expect(valueOf(args, '-usage_type')).toBe('screen');
    expect(valueOf(args, '-ceiling')).toBe('500000');
    expect(valueOf(args, '-key_seconds')).toBe('30');
  });

  it('has coarser quantizers the smaller the recording is to be, and the finer one for what rests', () => {
    const found = qualitySchema.options.map((quality) => {
      const args = captureArguments({ ...ours, quality });
      return [Number(valueOf(args, '-qp')), Number(valueOf(args, '-motion_qp'))];
    });
    for (const [resting = 0, moving = 0] of found) expect(resting).toBeLessThan(moving);
    expect(found.flat()).toEqual([28, 34, 24, 30, 20, 24]);
  });

  it.each([
    ['scaled', commandFor([screen('a', 0, 0, 1280, 720)], { width: 640, height: 360 })],
    ['of an odd size', commandFor([screen('a', 0, 0, 1281, 720)])],
    ['at an odd place', commandFor([screen('a', 0, 0, 641, 720), screen('b', 641, 200, 640, 720)])],
  ])('leaves the conversion to swscale where the picture is %s', (_, command) => {
    const filters = valueOf(captureArguments({ ...command, isPatched: true }), '-filter:v');
    expect(filters).toContain('scale=');
    expect(filters).not.toContain('deskyuv');
    expect(filters).toBe(valueOf(captureArguments(command), '-filter:v'));
  });

  it('grabs a part of an X display', () => {
    const args = captureArguments({ ...x11, grab: { device: 'x11grab', display: ':7.1', area } });
    expect(valueOf(args, '-i')).toBe(':7.1+1920,120');
    expect(valueOf(inputOf(args), '-video_size')).toBe('1280x1024');
  });

  it('grabs a monitor of Windows, left of and above the primary one, too', () => {
    const grab = { device: 'gdigrab', area: { x: -1920, y: -200, width: 1920, height: 1080 } } as const;
    const args = inputOf(captureArguments({ ...x11, grab }));
    expect(valueOf(args, '-offset_x')).toBe('-1920');
    expect(valueOf(args, '-offset_y')).toBe('-200');
    expect(valueOf(args, '-video_size')).toBe('1920x1080');
  });

  it('has a key frame a minute, whatever the frame rate', () => {
    for (const fps of [1, 5, 30]) {
      const args = captureArguments({ ...x11, fps });
      expect(valueOf(args, '-framerate')).toBe(String(fps));
      expect(valueOf(args, '-g')).toBe(String(fps * 60));
    }
  });

  it.each([
    ['libopenh264', ['-profile:v', 'high', '-threads', '1', '-slices', '1', '-allow_skip_frames', '0']],
    ['libx264', ['-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1', '-crf', '26']],
    ['h264_mf', ['-b:v', '800k', '-hw_encoding', '0']],
  ] as const)('asks %s for pictures without B-frames, and for what it needs', (encoder, own) => {
    const args = encodingOf(captureArguments({ ...x11, encoder }));
    expect(args.slice(0, 6 + own.length)).toEqual(['-c:v', encoder, '-bf', '0', '-g', '300', ...own]);
  });

  it('never has ffmpeg ask a question or write a file', () => {
    for (const encoder of encoderNames) {
      const args = captureArguments({ ...x11, encoder });
      expect(args).not.toContain('-y');
      expect(args.at(-1)).toBe('pipe:1');
      expect(args.every((one) => typeof one === 'string')).toBe(true);
    }
  });
});

describe('the command of a slate', () => {
  const canvas = { width: 1280, height: 720 };

  it.each([true, false])('encodes exactly as a run does (our patches: %s)', (isPatched) => {
    for (const encoder of encoderNames) {
      const slate = slateArguments({ encoder, fps: 5, quality: 'balanced', isPatched, canvas });
      const run = captureArguments({ ...x11, encoder, isPatched });
      const withoutCount = encodingOf(slate).filter((one, index, all) => {
        return one !== '-frames:v' && all[index - 1] !== '-frames:v';
      });
      expect(withoutCount).toEqual(encodingOf(run));
      const filters = valueOf(slate, '-filter:v') ?? '';
      expect(filters).toMatch(/^setsar=1,format=yuv420p,setparams=/);
      if (!isPatched) expect(valueOf(run, '-filter:v')?.endsWith(filters)).toBe(true);
    }
  });

  it('reads one raw frame with the frame rate of the runs from stdin', () => {
    const args = slateArguments({
      ...{ encoder: 'libx264', fps: 5, canvas },
      quality: 'balanced',
      isPatched: false,
    });
    const input = args.slice(args.indexOf('-f'), args.indexOf('-i') + 2);
    expect(input).toEqual([
      ...['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', '1280x720'],
      ...['-framerate', '5', '-i', 'pipe:0'],
    ]);
    expect(valueOf(args, '-frames:v')).toBe('1');
  });
});

describe('the picture that comes of it', () => {
  let path: string;
  let encoder: EncoderName;

  beforeAll(async () => {
    path = ffmpegPath();
    ({ encoder } = await new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '').find());
  });

  /** Runs the command with a test picture in the place of the screen. */
  async function encode(width: number, height: number, canvas: Canvas | null): Promise<Canvas> {
    const args = captureArguments({ ...commandFor([screen('a', 0, 0, width, height)], canvas), encoder });
    const { stdout } = await runOrThrow(path, [
      ...['-f', 'lavfi', '-i', `testsrc=size=${width}x${height}:rate=5,format=bgr0`, '-frames:v', '1'],
      ...args.slice(args.indexOf('-an')),
    ]);
    const [first, ...fragments] = new FragmentSplitter().push(stdout);
    if (first?.kind !== 'initialisation') throw new Error('no initialisation segment');
    expect(fragments).toHaveLength(1);
    return { width: first.segment.width, height: first.segment.height };
  }

  it('has the screen’s own size, made even', async () => {
    expect(await encode(640, 480, null)).toEqual({ width: 640, height: 480 });
    expect(await encode(641, 481, null)).toEqual({ width: 642, height: 482 });
  });

  it('is scaled down only as far as the encoder’s limit asks for', async () => {
    const { width, height } = await encode(5120, 2880, null);
    const blocks = Math.ceil(width / MACROBLOCK) * Math.ceil(height / MACROBLOCK);
    expect(blocks).toBeLessThanOrEqual(MAX_MACROBLOCKS);
    expect(blocks).toBeGreaterThan(MAX_MACROBLOCKS * 0.98);
    expect([width % 2, height % 2]).toEqual([0, 0]);
    expect(width / height).toBeCloseTo(16 / 9, 2);
  });

  it('has the canvas’s size, however the screen is shaped', async () => {
    const canvas = { width: 320, height: 180 };
    for (const [width, height] of [
      [640, 360],
      [321, 799],
      [1999, 101],
    ] as const)
      expect(await encode(width, height, canvas)).toEqual(canvas);
  });
});

describe('a desk of several monitors', () => {
  it('is one grab, cut into its monitors and put together', () => {
    const args = captureArguments(commandFor([screen('a', 0, 0, 64, 48), screen('b', 100, 20, 33, 31)]));
    expect(valueOf(args, '-filter:v')).toContain(
      'split=2[m0][m1];[m0]crop=64:48:0:0:exact=1[c0];[m1]crop=33:31:100:20:exact=1[c1];' +
        '[c0][c1]xstack=inputs=2:layout=0_0|64_20:fill=black,pad=w=98:h=52:x=0:y=0:color=black,scale=flags=',
    );
  });

  it('needs nothing of that where the monitors fill their rectangle', () => {
    const args = captureArguments(commandFor([screen('a', 0, 0, 64, 48), screen('b', 64, 0, 64, 48)]));
    expect(valueOf(args, '-filter:v')).toMatch(/^scale=flags=/);
  });

  it('shows each monitor at its place, and black beside it', async () => {
    const command = commandFor([screen('a', 0, 0, 64, 64), screen('c', 128, 32, 64, 64)]);
    const filters = valueOf(captureArguments(command), '-filter:v') ?? '';
    // A desktop in three colours: red, then what is left out, then blue.
    const desktop =
      'color=red:s=192x96,drawbox=x=64:w=64:h=96:c=lime:t=fill,drawbox=x=128:w=64:h=96:c=blue:t=fill,format=bgr0';
    const { stdout } = await runOrThrow(ffmpegOnPath(), [
      ...['-v', 'error', '-f', 'lavfi', '-i', desktop, '-frames:v', '1'],
      ...['-vf', filters, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    ]);
    const { width, height } = command.fit.canvas;
    expect([width, height, stdout.length]).toEqual([128, 96, 128 * 96 * 3]);
    const colourAt = (x: number, y: number): string => {
      const [red = 0, green = 0, blue = 0] = stdout.subarray((y * width + x) * 3);
      return red > 200 ? 'red' : green > 200 ? 'lime' : blue > 200 ? 'blue' : 'black';
    };
    expect([colourAt(30, 30), colourAt(30, 80), colourAt(90, 10), colourAt(90, 60)]).toEqual([
      ...['red', 'black', 'black', 'blue'],
    ]);
  });
});
