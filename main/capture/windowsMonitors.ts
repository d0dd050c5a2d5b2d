// The monitors of a Windows desktop, read from the monitor helper (sightline-monitor-helper.exe, resources/monitorHelper),
// which also reports changes.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { z } from 'zod';
import { withDeadline } from '../platform/deadline.ts';
import { SightlineError } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { monitorSchema } from '../shared/names.ts';
import type { Monitor } from '../shared/names.ts';
import { LineReader } from './ffmpegOutput.ts';
import type { MonitorSource } from './layout.ts';
import { spawnForCapture } from './spawnFfmpeg.ts';

const ANSWER_DEADLINE_MS = 5000;

/** One line of the helper; null for anything else. */
export function parseMonitors(text: string): Monitor[] | null {
  return z.array(monitorSchema).safeParse(parseJson(text)).data ?? null;
}

/** One process, started on first use and restarted after it was lost. */
export class WindowsMonitors implements MonitorSource {
  private helper: MonitorHelper | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly program: string,
    private readonly start: (program: string) => ChildProcessWithoutNullStreams = (path) =>
      spawnForCapture(path, []),
  ) {}

  async monitors(): Promise<readonly Monitor[]> {
    this.helper ??= new MonitorHelper(this.start(this.program), {
      changed: () => this.listeners.forEach((listener) => listener()),
      gone: (helper) => {
        if (this.helper === helper) this.helper = null;
      },
    });
    return this.helper.ask();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.helper?.close();
    this.helper = null;
  }
}

interface Request {
  resolve(monitors: readonly Monitor[]): void;
  reject(error: Error): void;
}

class MonitorHelper {
  private readonly requests: Request[] = [];
  private last: string | null = null;
  private stderr = '';

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly listener: { changed: () => void; gone: (helper: MonitorHelper) => void },
  ) {
    const reader = new LineReader();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of reader.push(text)) this.receive(line);
    });
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.stderr = (this.stderr + text).slice(-500)));
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.lost(error.message));
    child.on('exit', (code) => this.lost(this.stderr.trim() || `exit code ${String(code)}`));
    // It must not keep a program alive that has nothing else to do.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?(): void }).unref?.();
  }

  ask(): Promise<readonly Monitor[]> {
    const answer = new Promise<readonly Monitor[]>((resolve, reject) =>
      this.requests.push({ resolve, reject }),
    );
    this.child.stdin.write('\n');
    return withDeadline(answer, ANSWER_DEADLINE_MS, () => {
      this.child.kill('SIGKILL');
      return this.lost('it does not answer');
    });
  }

  close(): void {
    this.child.stdin.end();
    this.lost('it was closed');
  }

  /** A line may be an answer or report a change; in both cases it is the current state. */
  private receive(text: string): void {
    const monitors = parseMonitors(text);
    if (monitors === null) return;
    const isChange = this.last !== null && this.last !== text;
    this.last = text;
    this.requests.shift()?.resolve(monitors);
    if (isChange) this.listener.changed();
  }

  private lost(why: string): SightlineError {
    this.listener.gone(this);
    const error = new SightlineError(
      'NO_DISPLAY',
      `The Windows monitor helper (sightline-monitor-helper.exe) does not report the monitors: ${why}. Check that a session is logged on.`,
    );
    for (const request of this.requests.splice(0)) request.reject(error);
    return error;
  }
}
