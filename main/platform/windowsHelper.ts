// The helper on Windows, sightline-helper.exe (resources/windowsHelper): it calls Windows functions that Node does not
// offer. One process for everything, started on first use, restarted when it is needed after it was lost, and gone when
// Sightline is. Its path is relative to this module, never from an environment variable, the current folder or PATH.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { errno, errorMessage } from '../shared/errors.ts';
import { parseJson } from '../shared/json.ts';
import { spawnPiped } from './childProcess.ts';
import { withDeadline } from './deadline.ts';
import { findResourcesFolder } from './paths.ts';

const ANSWER_DEADLINE_MS = 5000;
/** Before a lost helper that reports events is started again: first, second, ... time; the last of them from then on. */
const RESTART_DELAYS_MS = [0, 1000, 5000, 60_000];

/** Requests are in resources/windowsHelper/helper.h. Its events have the names of what they are about. */
export type HelperEvent = z.infer<typeof helperEventSchema>;

export const helperEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('monitors') }),
  z.object({ event: z.literal('registry'), key: z.string() }),
  z.object({ event: z.literal('foreground') }),
  z.object({
    event: z.literal('session'),
    locked: z.boolean(),
    /** Whose turn it is: another user's at this screen, or nobody's because a remote client is disconnected. */
    away: z.enum(['no', 'console', 'remote']),
  }),
  z.object({ event: z.literal('power'), asleep: z.boolean() }),
  /** Windows waits until this process has ended. */
  z.object({ event: z.literal('ending'), why: z.enum(['sign-out', 'shutdown']) }),
]);

interface Watch {
  readonly request: string;
  readonly onAnswer: (answer: unknown) => void;
  readonly onEvent: (event: HelperEvent) => void;
}

export class WindowsHelper {
  private process: HelperProcess | null = null;
  private readonly watches = new Set<Watch>();
  private restarts = 0;

  /** @param start spawns the helper; throws when it is missing */
  constructor(private readonly start: () => ChildProcessWithoutNullStreams = startInstalled) {}

  /**
   * @param request without line breaks, below 256 KiB
   * @throws Error when the helper is missing or lost, refuses, does not answer in time, or answers something else
   */
  async ask<T>(request: string, answer: z.ZodType<T>): Promise<T> {
    return answer.parse(await this.running().ask(request));
  }

  /**
   * Sends a request to each helper process, and passes on its answers and all events.
   * @param onAnswer what may have changed while there was no helper; with an Error, what was refused
   * @returns ends it
   */
  watch(request: string, onEvent: Watch['onEvent'], onAnswer: Watch['onAnswer'] = () => {}): () => void {
    const watch = { request, onAnswer, onEvent };
    this.watches.add(watch);
    if (this.process === null) this.restart();
    else void this.begin(watch, this.process);
    return () => this.watches.delete(watch);
  }

  close(): void {
    this.watches.clear();
    this.process?.close();
    this.process = null;
  }

  private async begin({ request, onAnswer }: Watch, process: HelperProcess): Promise<void> {
    onAnswer(await process.ask(request).catch((error: unknown) => error));
  }

  private running(): HelperProcess {
    if (this.process !== null) return this.process;
    const process = new HelperProcess(this.start(), {
      receive: (text) => this.receive(text),
      gone: (lost) => this.lost(lost),
    });
    this.process = process;
    for (const watch of this.watches) void this.begin(watch, process);
    return process;
  }

  private restart(): void {
    if (this.watches.size === 0) return;
    try {
      this.running();
    } catch (error) {
      for (const { onAnswer } of this.watches) onAnswer(error);
      // Descriptors and memory return; a program that is missing does not.
      if (errno(error) !== undefined) this.restartLater();
    }
  }

  private restartLater(): void {
    const delayMs = RESTART_DELAYS_MS[Math.min(this.restarts, RESTART_DELAYS_MS.length - 1)];
    this.restarts += 1;
    setTimeout(() => this.restart(), delayMs).unref();
  }

  private receive(text: string): void {
    const event = helperEventSchema.safeParse(parseJson(text)).data;
    if (event === undefined) return;
    this.restarts = 0;
    for (const { onEvent } of [...this.watches]) onEvent(event);
  }

  private lost(lost: HelperProcess): void {
    if (this.process !== lost) return;
    this.process = null;
    this.restartLater();
  }
}

function startInstalled(): ChildProcessWithoutNullStreams {
  const program = join(findResourcesFolder(), 'windowsHelper', 'win32-x64', 'sightline-helper.exe');
  if (existsSync(program)) return spawnPiped(program, []);
  throw new Error(`${program} is missing. Reinstall Sightline.`);
}

/** Of this process. */
export const windowsHelper = new WindowsHelper();

interface Request {
  resolve(answer: string): void;
  reject(error: Error): void;
}

class HelperProcess {
  private readonly requests = new Map<number, Request>();
  private lastId = 0;
  private stderr = '';

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly owner: { receive: (event: string) => void; gone: (lost: HelperProcess) => void },
  ) {
    createInterface({ input: child.stdout }).on('line', (line) => this.take(line));
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

  async ask(request: string): Promise<unknown> {
    const id = (this.lastId += 1);
    const answered = new Promise<string>((resolve, reject) => {
      this.requests.set(id, { resolve, reject });
      this.child.stdin.write(`${id} ${request}\n`);
    });
    const answer = await withDeadline(answered, ANSWER_DEADLINE_MS, () => {
      this.child.kill('SIGKILL');
      return this.lost('it does not answer');
    });
    if (answer.startsWith('!')) throw new Error(`${request.split(' ')[0]}: ${answer.slice(1)}`);
    return parseJson(answer);
  }

  close(): void {
    this.child.stdin.end();
    this.lost('it was closed');
  }

  private take(line: string): void {
    const [id = '', ...rest] = line.split(' ');
    if (id === '*') return this.owner.receive(rest.join(' '));
    this.requests.get(Number(id))?.resolve(rest.join(' '));
    this.requests.delete(Number(id));
  }

  private lost(why: string): Error {
    const error = new Error(`sightline-helper.exe: ${why}`);
    this.owner.gone(this);
    for (const request of this.requests.values()) request.reject(error);
    this.requests.clear();
    return error;
  }
}

let foundFolder: Promise<string> | null = null;

/**
 * Windows' folder System32, from GetSystemDirectoryW, because users can change SystemRoot and windir.
 * @throws Error when the helper is missing or does not answer; the next call tries again
 */
export function systemFolder(): Promise<string> {
  foundFolder ??= windowsHelper.ask('system-folder', z.string()).catch((error: unknown) => {
    foundFolder = null;
    throw error;
  });
  return foundFolder;
}

const valueSchema = z.object({
  /** The subkey relative to the key that was asked for; empty for that key itself. */
  key: z.string(),
  /** Empty for a key's default value. */
  name: z.string(),
  /** REG_SZ 1, REG_EXPAND_SZ 2, REG_DWORD 4, REG_MULTI_SZ 7, REG_QWORD 11. */
  type: z.number(),
  /** null for other types. */
  data: z.union([z.string(), z.number(), z.array(z.string()), z.null()]),
});

export type RegistryValue = z.infer<typeof valueSchema>;

/**
 * All values in and below a key such as `HKLM\SOFTWARE\X`, in the 64-bit view; null when there is no such key.
 * @throws Error when that is not certain
 */
export type ReadRegistry = (key: string) => Promise<readonly RegistryValue[] | null>;

export function registryReader(helper: WindowsHelper): ReadRegistry {
  return (key) =>
    helper.ask(`registry ${key}`, z.array(valueSchema).nullable()).catch((error: unknown) => {
      throw new Error(`the registry key ${key} cannot be read: ${errorMessage(error)}`, { cause: error });
    });
}

export const readRegistry = registryReader(windowsHelper);
