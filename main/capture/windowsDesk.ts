// The monitors of a Windows desktop for a program without windows: asked of sightline-desk.exe (resources/desk), which
// also tells when they change. Electron's `screen` does both for the app.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { z } from 'zod';
import { SightlineError } from '../shared/errors.ts';
import type { Monitor } from '../shared/names.ts';
import { LineReader } from './ffmpegOutput.ts';
import type { MonitorSource } from './monitorSource.ts';
import { spawnForCapture } from './spawnFfmpeg.ts';

const ANSWER_DEADLINE_MS = 5000;

const line = z.array(
  z.object({
    name: z.string(),
    x: z.int(),
    y: z.int(),
    width: z.int().positive(),
    height: z.int().positive(),
    primary: z.boolean(),
  }),
);

/** One line of sightline-desk.exe; null for anything else. */
export function parseDesk(text: string): Monitor[] | null {
  try {
    return line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** One process, started when it is first asked and again after it was lost. */
export class WindowsMonitors implements MonitorSource {
  private desk: Desk | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly program: string,
    private readonly start: (program: string) => ChildProcessWithoutNullStreams = (path) =>
      spawnForCapture(path, []),
  ) {}

  async monitors(): Promise<readonly Monitor[]> {
    this.desk ??= new Desk(this.start(this.program), {
      changed: () => this.listeners.forEach((listener) => listener()),
      gone: (desk) => {
        if (this.desk === desk) this.desk = null;
      },
    });
    return this.desk.ask();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.desk?.close();
    this.desk = null;
  }
}

interface Asking {
  resolve(monitors: readonly Monitor[]): void;
  reject(error: Error): void;
}

class Desk {
  private readonly asking: Asking[] = [];
  private last: string | null = null;
  private said = '';

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly listener: { changed: () => void; gone: (desk: Desk) => void },
  ) {
    const reader = new LineReader();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const one of reader.push(text)) this.take(one);
    });
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.said = (this.said + text).slice(-500)));
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.lost(error.message));
    child.on('exit', (code) => this.lost(this.said.trim() || `exit code ${String(code)}`));
    // It must not keep a program alive that has nothing else to do.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?(): void }).unref?.();
  }

  ask(): Promise<readonly Monitor[]> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.lost('it does not answer');
        this.child.kill('SIGKILL');
      }, ANSWER_DEADLINE_MS);
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(late);
          settle(value);
        };
      this.asking.push({ resolve: done(resolve), reject: done(reject) });
      this.child.stdin.write('\n');
    });
  }

  close(): void {
    this.child.stdin.end();
    this.lost('it was closed');
  }

  /** A line may be the answer to a question or the news of a change; whichever it is, it is how things are now. */
  private take(text: string): void {
    const monitors = parseDesk(text);
    if (monitors === null) return;
    const isNews = this.last !== null && this.last !== text;
    this.last = text;
    this.asking.shift()?.resolve(monitors);
    if (isNews) this.listener.changed();
  }

  private lost(why: string): void {
    this.listener.gone(this);
    const error = new SightlineError(
      'NO_DISPLAY',
      `Windows does not tell its monitors (sightline-desk.exe: ${why}). Check that a session is logged on.`,
    );
    for (const one of this.asking.splice(0)) one.reject(error);
  }
}
