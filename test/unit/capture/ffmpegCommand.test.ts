import { beforeAll, describe, expect, it } from 'vitest';
import { FfmpegFinder } from '../../../main/capture/ffmpegBinary.ts';
import type { CaptureCommand } from '../../../main/capture/ffmpegCommand.ts';
import { captureArguments, slateArguments } from '../../../main/capture/ffmpegCommand.ts';
import type { Canvas } from '../../../main/capture/layout.ts';
import { compose, fit } from '../../../main/capture/layout.ts';
import { FragmentSplitter } from '../../../main/media/fragments.ts';
import type { EncoderName } from '../../../main/shared/names.ts';
import { MACROBLOCK, MAX_MACROBLOCKS, encoderNames } from '../../../main/shared/names.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../../rig/process.ts';
import { ffmpegPath } from '../support/fragmentedMp4.ts';

const x11: CaptureCommand = {
  grab: { device: 'x11grab', display: ':7', area: null },
  fps: 5,
  encoder: 'libopenh264',
  frame: { kind: 'whole', canvas: null },
};
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
  it('is this one for a whole X display', () => {
    const filters = [
      "pad=w='ceil(iw/2)*2':h='ceil(ih/2)*2'",
      "scale=w='if(lte(ceil(iw/16)*ceil(ih/16),36864),iw,trunc(iw*sqrt(9437184/(iw*ih))/16)*16)'" +
        ":h='if(lte(ceil(iw/16)*ceil(ih/16),36864),ih,trunc(ih*sqrt(9437184/(iw*ih))/16)*16)'" +
        ':flags=area+full_chroma_inp:out_color_matrix=bt709:out_range=tv',
      'setsar=1',
      'format=yuv420p',
      'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709',
    ];
    expect(captureArguments(x11)).toEqual([
      ...['-hide_banner', '-nostats', '-stats_period', '0.1', '-loglevel', 'info'],
      ...[
        '-f',
        'x11grab',
        '-probesize',
        '32',
        '-analyzeduration',
        '0',
        '-framerate',
        '5',
        '-draw_mouse',
        '1',
      ],
      ...['-i', ':7', '-an', '-filter:v', filters.join(',')],
      ...[
        '-c:v',
        'libopenh264',
        '-g',
        '300',
        '-bf',
        '0',
        '-profile:v',
        'high',
        '-threads',
        '1',
        '-slices',
        '1',
      ],
      ...['-allow_skip_frames', '0', '-loopfilter', '0', '-fps_mode', 'vfr', '-enc_time_base', '1/1000'],
      ...['-movflags', '+frag_every_frame+empty_moov+default_base_moof', '-flush_packets', '1'],
      ...['-map_metadata', '-1', '-f', 'mp4', 'pipe:1'],
    ]);
  });

  it('grabs a part of an X display', () => {
    const args = captureArguments({ ...x11, grab: { device: 'x11grab', display: ':7.1', area } });
    expect(valueOf(args, '-i')).toBe(':7.1+1920,120');
    expect(valueOf(inputOf(args), '-video_size')).toBe('1280x1024');
  });

  it('grabs the whole desktop of Windows', () => {
    const args = inputOf(captureArguments({ ...x11, grab: { device: 'gdigrab', area: null } }));
    expect(args.slice(-4)).toEqual(['-draw_mouse', '1', '-i', 'desktop']);
    expect(valueOf(args, '-f')).toBe('gdigrab');
    expect(args).not.toContain('-video_size');
    expect(args).not.toContain('-offset_x');
  });

  it('grabs a monitor of Windows, left of and above the primary one, too', () => {
    const grab = { device: 'gdigrab', area: { x: -1920, y: -200, width: 1920, height: 1080 } } as const;
    const args = inputOf(captureArguments({ ...x11, grab }));
    expect(valueOf(args, '-offset_x')).toBe('-1920');
    expect(valueOf(args, '-offset_y')).toBe('-200');
    expect(valueOf(args, '-video_size')).toBe('1920x1080');
  });

  it('fits the screen into the recording’s canvas, with bars where the shapes differ', () => {
    const args = captureArguments({
      ...x11,
      frame: { kind: 'whole', canvas: { width: 1280, height: 720 } },
    });
    const fit = [
      'scale=w=1280:h=720:force_original_aspect_ratio=decrease:force_divisible_by=2' +
        ':flags=area+full_chroma_inp:out_color_matrix=bt709:out_range=tv',
      'pad=w=1280:h=720:x=(ow-iw)/2:y=(oh-ih)/2:color=black',
      'setsar=1',
    ];
    const whole = valueOf(captureArguments(x11), '-filter:v') ?? '';
    expect(valueOf(args, '-filter:v')).toBe(fit.join(',') + whole.slice(whole.indexOf(',format=')));
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
    ['h264_videotoolbox', ['-b:v', '800k', '-realtime', '1', '-allow_sw', '1']],
  ] as const)('asks %s for pictures without B-frames, and for what it needs', (encoder, own) => {
    const args = encodingOf(captureArguments({ ...x11, encoder }));
    expect(args.slice(0, 6 + own.length)).toEqual(['-c:v', encoder, '-g', '300', '-bf', '0', ...own]);
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

  it('encodes exactly as a run does', () => {
    for (const encoder of encoderNames) {
      const slate = slateArguments({ encoder, fps: 5, canvas });
      const run = captureArguments({ ...x11, encoder, frame: { kind: 'whole', canvas } });
      const withoutCount = encodingOf(slate).filter((one, index, all) => {
        return one !== '-frames:v' && all[index - 1] !== '-frames:v';
      });
      expect(withoutCount).toEqual(encodingOf(run));
      const filters = valueOf(slate, '-filter:v') ?? '';
      expect(filters).toMatch(/^setsar=1,format=yuv420p,setparams=/);
      expect(valueOf(run, '-filter:v')?.endsWith(filters)).toBe(true);
    }
  });

  it('reads one raw frame with the frame rate of the runs from stdin', () => {
    const args = slateArguments({ encoder: 'libx264', fps: 5, canvas });
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
  async function encode(screen: string, canvas: Canvas | null): Promise<Canvas> {
    const args = captureArguments({ ...x11, encoder, frame: { kind: 'whole', canvas } });
    const { stdout } = await runOrThrow(path, [
      ...['-f', 'lavfi', '-i', `testsrc=size=${screen}:rate=5`, '-frames:v', '1'],
      ...args.slice(args.indexOf('-an')),
    ]);
    const [first, ...fragments] = new FragmentSplitter().push(stdout);
    if (first?.kind !== 'initialisation') throw new Error('no initialisation segment');
    expect(fragments).toHaveLength(1);
    return { width: first.segment.width, height: first.segment.height };
  }

  it('has the screen’s own size, made even', async () => {
    expect(await encode('640x480', null)).toEqual({ width: 640, height: 480 });
    expect(await encode('641x481', null)).toEqual({ width: 642, height: 482 });
  });

  it('is scaled down only as far as the encoder’s limit asks for', async () => {
    const { width, height } = await encode('5120x2880', null);
    const blocks = (width / MACROBLOCK) * (height / MACROBLOCK);
    expect(blocks).toBeLessThanOrEqual(MAX_MACROBLOCKS);
    expect(blocks).toBeGreaterThan(MAX_MACROBLOCKS * 0.98);
    expect([width % 2, height % 2]).toEqual([0, 0]);
    expect(width / height).toBeCloseTo(16 / 9, 2);
  });

  it('has the canvas’s size, however the screen is shaped', async () => {
    const canvas = { width: 320, height: 180 };
    for (const screen of ['640x360', '321x799', '1999x101'])
      expect(await encode(screen, canvas)).toEqual(canvas);
  });
});

describe('a desk of several monitors', () => {
  const screen = (name: string, x: number, y: number, width: number, height: number) => ({
    ...{ name, x, y, width, height, primary: x === 0 },
  });

  function commandFor(monitors: Parameters<typeof compose>[0], canvas: Canvas | null = null): CaptureCommand {
    const composition = compose(monitors);
    return { ...x11, frame: { kind: 'composed', composition, fit: fit(composition, canvas) } };
  }

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
    const { frame } = commandFor([screen('a', 0, 0, 64, 64), screen('c', 128, 32, 64, 64)]);
    if (frame.kind !== 'composed') throw new Error('unreachable');
    const filters = valueOf(captureArguments({ ...x11, frame }), '-filter:v') ?? '';
    // A desktop in three colours: red, then what is left out, then blue.
    const desktop =
      'color=red:s=192x96,drawbox=x=64:w=64:h=96:c=lime:t=fill,drawbox=x=128:w=64:h=96:c=blue:t=fill,format=bgr0';
    const { stdout } = await runOrThrow(ffmpegOnPath(), [
      ...['-v', 'error', '-f', 'lavfi', '-i', desktop, '-frames:v', '1'],
      ...['-vf', filters, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    ]);
    const { width, height } = frame.fit.canvas;
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
