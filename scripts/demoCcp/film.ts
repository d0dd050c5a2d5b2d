// What the agent sees during the demo, for docs/pictures/ccp: pictures of the virtual screen, a short animated GIF, and the same moment
// of the recording. Never of a real screen.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../main/shared/manifest.ts';
import { FFMPEG_HINT, endWithUs, findTool, runOrThrow } from '../../test/rig/process.ts';
import { toPalette } from '../../test/rig/trayDesk.ts';

export interface Film {
  /** Keeps what is on the screen now under a name. */
  picture(name: string): Promise<void>;
  /** Writes the pictures and the GIF into a folder. @returns their paths */
  develop(folder: string, recording: { mp4: string; manifest: Manifest }): Promise<string[]>;
  discard(): Promise<void>;
}

const FPS = 4;
/** The minute becomes some seconds. */
const SPEED = 4;
const GIF_WIDTH = 960;
const MIDDLE_OF_SLATE_MS = 2000;

export async function startFilm(
  display: string,
  { width, height }: { width: number; height: number },
): Promise<Film> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-film-'));
  const ffmpeg = findTool(['ffmpeg'], FFMPEG_HINT);
  const quiet = ['-v', 'error', '-y'];
  const screen = ['-f', 'x11grab', '-video_size', `${width}x${height}`, '-draw_mouse', '0'];
  const all = join(home, 'all.mkv');
  const encode = ['-c:v', 'ffv1', '-level', '3', '-g', '1'];
  const child = spawn(
    ffmpeg,
    [...quiet, ...screen, '-framerate', String(FPS), '-i', display, ...encode, all],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  endWithUs(child);
  const exited = once(child, 'exit');
  const names: string[] = [];

  return {
    async picture(name) {
      names.push(name);
      await runOrThrow(ffmpeg, [
        ...quiet,
        ...screen,
        '-i',
        display,
        '-frames:v',
        '1',
        join(home, `${name}.png`),
      ]);
    },
    async develop(folder, { mp4, manifest }) {
      child.stdin.end('q');
      await exited;
      await mkdir(folder, { recursive: true });
      const written: string[] = [];
      for (const name of names) {
        const file = join(folder, `demo-${name}.png`);
        await toPalette(join(home, `${name}.png`), file);
        written.push(file);
      }
      // The same moment as the picture of the payment, in the recording.
      const suspension = manifest.suspensions[0];
      if (suspension !== undefined) {
        const start = Date.parse(suspension.suspendedAt) - Date.parse(manifest.startTime);
        const frame = join(home, 'frame.png');
        // A gap is one long frame: `fps` repeats it.
        const filter = `fps=5,trim=start=${((start + MIDDLE_OF_SLATE_MS) / 1000).toFixed(3)}`;
        await runOrThrow(ffmpeg, [...quiet, '-i', mp4, '-vf', filter, '-frames:v', '1', frame]);
        const file = join(folder, 'demo-payment-in-mp4.png');
        await toPalette(frame, file);
        written.push(file);
      }
      const gif = join(folder, 'demo.gif');
      const half = join(home, 'demo.gif');
      const filter =
        `setpts=PTS/${SPEED},fps=${FPS},scale=${GIF_WIDTH}:-1:flags=lanczos,split[a][b];` +
        '[a]palettegen=max_colors=96:stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle';
      await runOrThrow(ffmpeg, [...quiet, '-i', all, '-vf', filter, half]);
      await rename(half, gif).catch(async () => runOrThrow('cp', [half, gif]));
      return [...written, gif];
    },
    async discard() {
      child.kill('SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}
