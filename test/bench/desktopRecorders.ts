// OBS Studio and SimpleScreenRecorder, from Debian, without their windows: each with settings of its own for 5 fps and x264
// veryfast at CRF 23. They get no network: OBS would look for updates.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDisplay } from '../rig/display.ts';
import { endWithUs, findTool } from '../rig/process.ts';
import { MONITOR } from './desk/stage.ts';
import { FPS, type BenchRecorder } from './recorders.ts';

/** Their logs say when recording began, not when the first frame was taken. */
const CLOCK_SLACK_MS = 700;
const START_WITHIN_MS = 20_000;
/** x264 veryfast looks ahead 10 frames and keeps some more, at 5 fps. */
const LOOKAHEAD_MS = 8_000;

export const obs: BenchRecorder = {
  name: 'obs',
  clockSlackMs: CLOCK_SLACK_MS,
  async start({ display, monitors, folder }) {
    await writeObsSettings(folder, display, monitors);
    // Its window is on a screen of its own; only what it captures is the desk.
    const own = await startDisplay({ width: 1280, height: 720 });
    const program = startHeadless(
      findTool(['obs'], 'Install it (on Debian: apt install obs-studio).'),
      [
        ...['--startrecording', '--multi', '--unfiltered_log', '--disable-missing-files-check'],
        ...['--collection', 'bench', '--profile', 'bench'],
      ],
      { HOME: folder, DISPLAY: own.display },
    );
    const startedAtMs = await program.said('Recording Start').catch(async (error: unknown) => {
      await own.stop();
      throw error;
    });
    return {
      pid: program.child.pid!,
      async stop() {
        // On exit OBS would ask whether to stop recording. Its muxer is a process of its own, which finishes the file; what
        // x264 has not encoded by then is lost.
        await sleep(LOOKAHEAD_MS);
        const [muxer] = await childrenNamed(program.child.pid!, 'obs-ffmpeg-mux');
        program.child.kill('SIGKILL');
        await program.exited;
        while (muxer !== undefined && isAlive(muxer)) await sleep(50);
        await own.stop();
        return { file: join(folder, 'obs.mkv'), startedAtMs };
      },
    };
  },
};

export const simpleScreenRecorder: BenchRecorder = {
  name: 'ssr',
  clockSlackMs: CLOCK_SLACK_MS,
  async start({ display, monitors, folder }) {
    const file = join(folder, 'ssr.mkv');
    const settings = join(folder, 'settings.conf');
    await writeFile(settings, ssrSettings(file, monitors));
    const program = startHeadless(
      findTool(['simplescreenrecorder'], 'Install it (on Debian: apt install simplescreenrecorder).'),
      [`--settingsfile=${settings}`, '--start-recording', '--start-hidden', '--no-systray'],
      { HOME: folder, DISPLAY: display },
    );
    const startedAtMs = await program.said('Started input');
    return {
      pid: program.child.pid!,
      async stop() {
        program.child.stdin?.write('record-save\n');
        await program.said('Stopped page');
        program.child.stdin?.write('quit\n');
        await program.exited;
        return { file, startedAtMs };
      },
    };
  },
};

interface Headless {
  readonly child: ChildProcess;
  /** Wall-clock time at which it says so. Rejects when it ends or does not say it in time. */
  said(text: string): Promise<number>;
  readonly exited: Promise<unknown>;
}

function startHeadless(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
): Headless {
  // Only root may take the network away.
  const words = process.getuid?.() === 0 ? [findTool(['unshare'], 'Install util-linux.'), '--net'] : [];
  const [command = '', ...rest] = [...words, program, ...args];
  const { PATH = '' } = process.env;
  const child = spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH, XDG_RUNTIME_DIR: environment['HOME'], ...environment },
  });
  endWithUs(child);
  let output = '';
  const exited = once(child, 'exit');
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const look of [...waiting]) look();
    });
  return {
    child,
    exited,
    said: (text) =>
      new Promise((resolve, reject) => {
        const fail = (): void =>
          reject(new Error(`${program} did not say "${text}". It said:\n${output.slice(-2000)}`));
        const deadline = setTimeout(fail, START_WITHIN_MS);
        void exited.then(fail);
        const look = (): void => {
          if (!output.includes(text)) return;
          clearTimeout(deadline);
          waiting.delete(look);
          resolve(Date.now());
        };
        waiting.add(look);
        look();
      }),
  };
}

async function writeObsSettings(home: string, display: string, monitors: number): Promise<void> {
  const root = join(home, '.config', 'obs-studio');
  const profile = join(root, 'basic', 'profiles', 'bench');
  const scenes = join(root, 'basic', 'scenes');
  await mkdir(profile, { recursive: true });
  await mkdir(scenes, { recursive: true });
  const ini = (sections: Record<string, Record<string, string | number>>): string =>
    Object.entries(sections)
      .map(([name, values]) =>
        [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join('\n'),
      )
      .join('\n');
  await writeFile(
    join(root, 'global.ini'),
    ini({
      General: { FirstRun: 'true', LastVersion: 486539266, InfoIncrement: 100, EnableAutoUpdates: 'false' },
      Basic: {
        Profile: 'bench',
        ProfileDir: 'bench',
        SceneCollection: 'bench',
        SceneCollectionFile: 'bench',
      },
      // Drawing a preview is not recording.
      BasicWindow: { PreviewEnabled: 'false', SysTrayEnabled: 'false' },
    }),
  );
  const width = monitors * MONITOR.width;
  const { height } = MONITOR;
  await writeFile(
    join(profile, 'basic.ini'),
    ini({
      General: { Name: 'bench' },
      Output: { Mode: 'Simple', FilenameFormatting: 'obs' },
      SimpleOutput: {
        ...{ FilePath: home, RecFormat: 'mkv', RecQuality: 'Small', RecEncoder: 'x264' },
        Preset: 'veryfast',
      },
      Video: { BaseCX: width, BaseCY: height, OutputCX: width, OutputCY: height, FPSType: 1, FPSInt: FPS },
    }),
  );
  const item = { name: 'Screen', id: 1, visible: true, align: 5, bounds_type: 0 };
  await writeFile(
    join(scenes, 'bench.json'),
    JSON.stringify({
      ...{ name: 'bench', current_scene: 'Scene', current_program_scene: 'Scene' },
      scene_order: [{ name: 'Scene' }],
      sources: [
        {
          ...{ id: 'xshm_input', name: 'Screen', enabled: true },
          settings: { screen: 0, show_cursor: true, advanced: true, server: display },
        },
        { id: 'scene', name: 'Scene', enabled: true, settings: { id_counter: 1, items: [item] } },
      ],
    }),
  );
}

function ssrSettings(file: string, monitors: number): string {
  return `[welcome]
skip_page=true
[input]
video_backend=x11
video_area=screen
video_x=0
video_y=0
video_w=${monitors * MONITOR.width}
video_h=${MONITOR.height}
video_frame_rate=${FPS}
video_scale=false
video_record_cursor=true
audio_enabled=false
[output]
file=${file}
separate_files=false
add_timestamp=false
container=mkv
video_codec=h264
video_h264_crf=23
video_h264_preset=2
[record]
hotkey_enable=false
preview_frame_rate=0
`;
}

async function childrenNamed(pid: number, name: string): Promise<number[]> {
  const all = (await readdir('/proc')).filter((one) => /^\d+$/.test(one));
  const found = await Promise.all(
    all.map(async (one) => {
      const text = await readFile(`/proc/${one}/stat`, 'utf8').catch(() => '');
      const [, command = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(text) ?? [];
      return Number(parent) === pid && command.startsWith(name.slice(0, 15)) ? [Number(one)] : [];
    }),
  );
  return found.flat();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
