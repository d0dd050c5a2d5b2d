// Health checks on a machine where one thing is wrong: what such a case is, and how it runs. A check runs in this process where it
// can; where the machine itself has to be different (mounts, cores), the built program runs as `sightline doctor`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { NodeNetwork } from '../../../main/platform/network/nodeNetwork.ts';
import type { CheckResult } from '../../../main/diagnostics/check.ts';
import { checkTable, runChecks } from '../../../main/diagnostics/checks.ts';
import { openContext, type CheckContext } from '../../../main/diagnostics/context.ts';
import { addPolicyOptions, sourcesFrom } from '../../../main/headless/options.ts';
import { silentLogger } from '../../../main/platform/log.ts';
import { findResourcesFolder } from '../../../main/platform/paths.ts';
import { loadPolicy } from '../../../main/policy/load.ts';
import { endWithUs } from '../process.ts';

const program = fileURLToPath(new URL('../../../dist/main/headless.mjs', import.meta.url));

/** How the checks are started. */
export interface DoctorStart {
  flags?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Only for the built program: a command before it, e.g. to run it in mounts of its own. */
  wrapper?: readonly string[];
}

export interface DoctorCase {
  /** As the program names it. */
  readonly check: string;
  readonly verdict: 'failed' | 'warning';
  /** What is wrong. */
  readonly when: string;
  readonly evidence: RegExp;
  readonly remedy: RegExp;
  /** Checks that run before it, because it uses what they found. */
  readonly after?: readonly string[];
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

  /** The checks of these names in this process, with the environment that a program of the case would have. */
  async checks(
    names: readonly string[],
    { flags = [], environment = {} }: DoctorStart = {},
  ): Promise<CheckResult[]> {
    const saved = { ...process.env };
    setEnvironment(this.environmentWith(environment));
    const context = this.context(flags);
    try {
      const all = checkTable.map((make) => make(context));
      return await runChecks(names.map((name) => all.find((check) => check.name === name)!));
    } finally {
      context.close();
      setEnvironment(saved);
    }
  }

  /** The names of all checks, with these flags. */
  names(...flags: readonly string[]): string[] {
    const context = this.context(flags);
    context.close();
    return checkTable.map((make) => make(context).name);
  }

  private context(flags: readonly string[]): CheckContext {
    const command = addPolicyOptions(new Command());
    command.parse(this.flagsWith(flags), { from: 'user' });
    const { values: policy, warnings } = loadPolicy({ machine: [], ...sourcesFrom(command.opts()) });
    return openContext({
      ...{ policy, policyWarnings: warnings, log: silentLogger, environment: process.env },
      network: new NodeNetwork(policy),
      resourcesFolder: findResourcesFolder(),
    });
  }

  /** The whole program. Not spawnSync: stand-ins answer in this process. */
  async doctor({ flags = [], environment = {}, wrapper = [] }: DoctorStart): Promise<DoctorReport> {
    const [command, ...args] = [...wrapper, process.execPath, program, 'doctor', '--json'];
    const child = spawn(command, [...args, ...this.flagsWith(flags)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: this.environmentWith(environment),
    });
    endWithUs(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(child, 'close')) as [number];
    const { checks } = JSON.parse(text) as { checks: CheckResult[] };
    return { code, checks, text };
  }

  private flagsWith(flags: readonly string[]): string[] {
    const dataDir = flags.includes('--data-dir') ? [] : ['--data-dir', this.dataDir];
    const port = flags.includes('--port') ? [] : ['--port', '0'];
    return [...dataDir, ...port, ...flags];
  }

  private environmentWith(environment: Readonly<Record<string, string>>): Record<string, string> {
    const inherited = Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        !/^(DISPLAY|AWS_|XDG_)|proxy$/i.test(entry[0]) && entry[1] !== undefined,
    );
    return {
      ...Object.fromEntries(inherited),
      ...{ HOME: this.home, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    };
  }

  async stop(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
    await rm(this.home, { recursive: true, force: true });
  }
}

function setEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env))
    if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environment);
}
