// Starts a painter on a display and speaks with it. Every call resolves only when the X server has confirmed what
// was painted, so a test never has to wait "long enough".
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { endWithUs } from './process.ts';
import type {
  Answer,
  PainterCommand,
  PainterStats,
  PainterTask,
  Request,
  SceneName,
  Shown,
} from './painterProtocol.ts';
import type { Rect } from './timecode.ts';

export type { PainterStats, SceneName, Shown } from './painterProtocol.ts';

export interface PainterOptions {
  /** `:N` */
  display: string;
  /**
   * 'timecode' for tests of time and leaks; 'still' and 'busy' for the two ends of the benchmark and 'typing' for what is
   * usual (they carry no block code unless `timecode` is true); 'demo' to be looked at.
   */
  scene: SceneName;
  /** Pictures a second, 25 unless told. 'still' without block code paints only once. */
  fps?: number;
  /** The number in the block code, 0 to 15; 1 unless told. */
  monitor?: number;
  /** The number in the block code, 0 to 255; 0 unless told. */
  phase?: number;
  label?: string;
  /** The part of the screen to paint, the whole of it unless told. One painter for each monitor. */
  area?: Rect;
  /** Whether the block code is painted over the scene, if not as the scene would have it. */
  timecode?: boolean;
}

export interface Painter {
  readonly pid: number;
  /** The first picture. */
  readonly started: Shown;
  setPhase(phase: number): Promise<Shown>;
  /** A line of text for people; only 'demo' shows it. */
  setLabel(label: string): Promise<Shown>;
  /** Fills the area with the sensitive pattern and the code with its sensitive bit, both in the same instant. */
  showSensitive(on: boolean): Promise<Shown>;
  /** Moves to another part of the screen, which is painted at once; null: nowhere, until the next call. */
  setArea(area: Rect | null): Promise<void>;
  /** Resolves when the screen is still. Calls that show something still do so, once. */
  pause(): Promise<void>;
  resume(): Promise<Shown>;
  stats(): Promise<PainterStats>;
  /** Ends the process and takes its window away. May be called twice, and after the display died. */
  stop(): Promise<void>;
  /** Resolves when the process is gone, with '' after stop() and else with why; never rejects. */
  readonly exited: Promise<string>;
}

let program: string | null = null;

/** As one file of JavaScript: to load the sources through tsx would take 0.4 s of a processor for each painter. */
function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('painterProcess.ts', import.meta.url))],
    ...{ bundle: true, write: false, platform: 'node', format: 'esm', packages: 'external' },
  });
  const bytes = outputFiles[0]!.contents;
  // Where Node finds the packages that it imports.
  const folder = fileURLToPath(new URL('../../node_modules/.cache/sightline', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `painter-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.mjs`);
  // Several tests may write it at once.
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, file);
  return file;
}

/** Starts a painter; resolves when its first picture can be grabbed. Rejects with the child's own words. */
export async function startPainter(options: PainterOptions): Promise<Painter> {
  const task: PainterTask = { fps: 25, monitor: 1, phase: 0, label: '', ...options };
  const child = fork((program ??= bundle()), [JSON.stringify(task)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  endWithUs(child);

  let stopping = false;
  let said = '';
  let nextId = 1;
  const waiting = new Map<
    number,
    { resolve: (answer: Answer & { kind: 'done' }) => void; reject: (e: Error) => void }
  >();
  child.stderr!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  const exited = new Promise<string>((resolve) => {
    const gone = (why: string): void => {
      for (const { reject } of waiting.values()) reject(new Error(`the painter is gone: ${why}`));
      waiting.clear();
      resolve(why);
    };
    child.once('error', (error) => gone(error.message));
    child.once('close', (code, signal) => {
      gone(
        stopping
          ? ''
          : `it ended with ${signal ?? `code ${code ?? '?'}`}. It said: ${said.trim() || 'nothing'}`,
      );
    });
  });

  const started = await new Promise<Shown>((resolve, reject) => {
    child.on('message', (answer: Answer) => {
      if (answer.kind === 'ready') resolve(answer.shown);
      else if (answer.kind === 'failed') reject(new Error(`the painter could not start: ${answer.message}`));
      else {
        waiting.get(answer.id)?.resolve(answer);
        waiting.delete(answer.id);
      }
    });
    void exited.then((why) => reject(new Error(`the painter could not start: ${why}`)));
  });

  const ask = async (command: PainterCommand): Promise<Answer & { kind: 'done' }> => {
    if (!child.connected) throw new Error(`the painter is gone: ${await exited}`);
    return new Promise((resolve, reject) => {
      const request: Request = { id: nextId++, command };
      waiting.set(request.id, { resolve, reject });
      child.send(request);
    });
  };
  const askShown = async (command: PainterCommand): Promise<Shown> => (await ask(command)).shown!;

  return {
    pid: child.pid!,
    started,
    exited,
    setPhase: (phase) => askShown({ name: 'setPhase', phase }),
    setLabel: (label) => askShown({ name: 'setLabel', label }),
    showSensitive: (on) => askShown({ name: 'showSensitive', on }),
    async setArea(area) {
      await ask({ name: 'setArea', area });
    },
    async pause() {
      await ask({ name: 'pause' });
    },
    resume: () => askShown({ name: 'resume' }),
    stats: async () => (await ask({ name: 'stats' })).stats!,
    async stop() {
      stopping = true;
      // If the display is stuck the painter cannot answer; it has nothing to lose.
      const impatient = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ask({ name: 'stop' }).catch(() => undefined);
      await exited;
      clearTimeout(impatient);
    },
  };
}
