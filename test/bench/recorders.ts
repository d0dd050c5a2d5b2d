// Sightline and plain ffmpeg as recorders of the benchmark: each is started on the desk, weighed by its process tree and
// stopped; what it wrote is a clip.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs, FFMPEG_HINT, findTool } from '../rig/process.ts';
import { startRecorder } from '../rig/recorder.ts';
import type { Clip } from './frames.ts';
import { MONITOR } from './desk/stage.ts';

export const FPS = 5;

export interface Place {
  readonly display: string;
  readonly monitors: number;
  /** For what it writes; a folder of its own. */
  readonly folder: string;
}

export interface Running {
  /** Root of its process tree. */
  readonly pid: number;
  /** Resolves when the file is complete. */
  stop(): Promise<Clip>;
}

export interface BenchRecorder {
  readonly name: string;
  /** By how much `startedAtMs` of its clips may be wrong. */
  readonly clockSlackMs: number;
  /** Resolves when it records. */
  start(place: Place): Promise<Running>;
}

/** Times are those of the grabs; a frame may be grabbed late on a busy machine. */
const EXACT_MS = 100;
export const YARDSTICK = 'openh264';

export interface SightlineOptions {
  /** Another build's `headless.mjs`; this work tree's unless told. */
  readonly program?: string;
  readonly flags?: readonly string[];
}

export function sightline(name = 'sightline', options: SightlineOptions = {}): BenchRecorder {
  return {
    name,
    clockSlackMs: EXACT_MS,
    async start({ display, folder }) {
      const recorder = await startRecorder({ display, home: folder, ...options });
      const page = await recorder.connect();
      const contactId = 'bench';
      await page.ask('contact.start', { contactId, channel: 'VOICE' });
      return {
        pid: recorder.pid,
        async stop() {
          await page.ask('contact.stop', { contactId });
          await page.event(contactId, 'PUBLISHED');
          const published = await recorder.published();
          await recorder.stop();
          const { mp4, manifest } = published[0]!;
          return { file: mp4, startedAtMs: Date.parse(manifest.startTime) };
        },
      };
    },
  };
}

const ownFfmpeg = fileURLToPath(new URL('../../resources/ffmpeg/linux-x64/ffmpeg', import.meta.url));

/**
 * The yardstick: Sightline's command line of November 30, 2026, before changed frames only and screen content mode. It must
 * not follow main/capture/ffmpegCommand.ts.
 */
export function plainOpenh264(ffmpeg = ownFfmpeg): BenchRecorder {
  return plainFfmpeg(YARDSTICK, ffmpeg, [
    ...['-vf', yardstickFilter, '-c:v', 'libopenh264', '-g', '300', '-bf', '0', '-profile:v', 'high'],
    ...['-threads', '1', '-slices', '1', '-allow_skip_frames', '0', '-loopfilter', '0'],
    ...['-fps_mode', 'vfr', '-enc_time_base', '1/1000'],
    ...['-movflags', '+frag_every_frame+empty_moov+default_base_moof', '-flush_packets', '1'],
  ]);
}

const yardstickFilter =
  'scale=flags=area+full_chroma_inp:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,' +
  'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709';

/** Debian's ffmpeg with the preset and nothing else. */
export function plainX264(preset: string): BenchRecorder {
  const options = ['-c:v', 'libx264', '-preset', preset, '-pix_fmt', 'yuv420p'];
  return plainFfmpeg(`x264-${preset}`, findTool(['ffmpeg'], FFMPEG_HINT), options);
}

/** Every change of the screen, for comparison: no recorder of its own. */
export const lossless: BenchRecorder = {
  name: 'lossless',
  clockSlackMs: 0,
  start: (place) =>
    startFfmpeg(findTool(['ffmpeg'], FFMPEG_HINT), place, 20, 'lossless.mov', [
      ...['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000', '-c:v', 'qtrle', '-pix_fmt', 'rgb24'],
      ...['-g', '10000'],
    ]),
};

function plainFfmpeg(name: string, ffmpeg: string, options: readonly string[]): BenchRecorder {
  return {
    name,
    clockSlackMs: EXACT_MS,
    start: (place) => startFfmpeg(ffmpeg, place, FPS, `${name}.mp4`, options),
  };
}

async function startFfmpeg(
  ffmpeg: string,
  { display, monitors, folder }: Place,
  fps: number,
  name: string,
  options: readonly string[],
): Promise<Running> {
  const file = join(folder, name);
  const size = `${monitors * MONITOR.width}x${MONITOR.height}`;
  const child = spawn(
    ffmpeg,
    [
      ...['-hide_banner', '-nostats', '-stats_period', '0.1', '-f', 'x11grab', '-probesize', '32'],
      ...['-analyzeduration', '0', '-framerate', String(fps), '-video_size', size, '-i', display],
      ...[...options, file],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  endWithUs(child);
  const exited = once(child, 'exit');
  let said = '';
  const startedAtMs = await new Promise<number>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-20_000);
      const start = /start: (\d+\.\d+)/.exec(said)?.[1];
      if (start !== undefined) resolve(Number(start) * 1000);
    });
    child.once('close', () => reject(new Error(`${name}: ffmpeg ended:\n${said}`)));
  });
  return {
    pid: child.pid!,
    async stop() {
      child.stdin.write('q');
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`${name}: ffmpeg ended with code ${code ?? '?'}:\n${said}`);
      return { file, startedAtMs };
    },
  };
}
