// `sightline doctor` as the built program on a machine where one thing is wrong: what a case of that is, and how it is run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckResult } from '../../../main/diagnostics/check.ts';
import { endWithUs } from '../process.ts';

const program = fileURLToPath(new URL('../../../dist/main/headless.mjs', import.meta.url));

/** How the program is started. */
export interface DoctorStart {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Words before it, e.g. to run it in mounts of its own. */
  readonly wrapper?: readonly string[];
}

export interface DoctorCase {
  /** As the program names it. */
  readonly check: string;
  readonly verdict: 'failed' | 'warning';
  /** What is wrong. */
  readonly when: string;
  readonly evidence: RegExp;
  readonly remedy: RegExp;
  readonly arrange: (bench: Bench) => DoctorStart | Promise<DoctorStart>;
}

export interface DoctorReport {
  readonly code: number;
  readonly checks: readonly CheckResult[];
  readonly text: string;
}

/** A home of its own, and what is to be stopped afterwards. */
export class Bench {
  private readonly ends: (() => unknown)[] = [];

  private constructor(readonly home: string) {}

  static async make(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'sightline-case-')));
  }

  get dataDir(): string {
    return join(this.home, 'data');
  }

  path(...names: string[]): string {
    return join(this.home, ...names);
  }

  onEnd(end: () => unknown): void {
    this.ends.push(end);
  }

  /** A program of a shell's, in a folder for PATH. @returns its path */
  async script(name: string, lines: string): Promise<string> {
    const path = this.path(name);
    await writeFile(path, `#!/bin/sh\n${lines}\n`);
    await chmod(path, 0o755);
    return path;
  }

  /** Not spawnSync: stand-ins answer in this process. */
  async doctor({ flags = [], environment = {}, wrapper = [] }: DoctorStart): Promise<DoctorReport> {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(DISPLAY|AWS_|XDG_)|proxy$/i.test(name)),
    );
    const dataDir = flags.includes('--data-dir') ? [] : ['--data-dir', this.dataDir];
    const port = flags.includes('--port') ? [] : ['--port', '0'];
    const [command, ...words] = [...wrapper, process.execPath, program, 'doctor', '--json'];
    const child = spawn(command, [...words, ...dataDir, ...port, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...inherited, HOME: this.home, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    });
    endWithUs(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(child, 'close')) as [number];
    const { checks } = JSON.parse(text) as { checks: CheckResult[] };
    return { code, checks, text };
  }

  async stop(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
    await rm(this.home, { recursive: true, force: true });
  }
}
