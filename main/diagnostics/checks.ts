// The checks behind `sightline doctor`: numbered steps, each with a verdict, what was seen, and what to do. They read
// through the interfaces given to them and change nothing.

import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';

export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface CheckResult {
  readonly step: number;
  readonly name: string;
  readonly verdict: Verdict;
  readonly evidence: string;
  /** What to do; empty when there is nothing to do. */
  readonly remedy: string;
}

type Finding = Omit<CheckResult, 'step' | 'name'>;

export interface CheckSubjects {
  readonly port: number;
  readonly allowedDomains: readonly string[];
  readonly allowLoopbackOrigins: boolean;
  readonly dataDir: string;
  readonly sinkFolder: string;
  /** @throws when there is no usable one */
  readonly findEncoder: () => Promise<{
    encoder: string;
    path: string;
    version: string;
    warning: string | null;
  }>;
  /** @throws when the display cannot be reached */
  readonly readMonitors: () => Promise<readonly { name: string; width: number; height: number }[]>;
  /** null: free. */
  readonly portHolder: () => Promise<string | null>;
}

const LOW_DISK_BYTES = 1024 ** 3;

export async function runChecks(subjects: CheckSubjects): Promise<CheckResult[]> {
  const checks: readonly (readonly [string, () => Promise<Finding>])[] = [
    ['port', () => checkPort(subjects)],
    ['allowed domains', () => Promise.resolve(checkDomains(subjects))],
    ['ffmpeg and encoder', () => checkEncoder(subjects)],
    ['display', () => checkDisplay(subjects)],
    ['data folder', () => checkFolder(subjects.dataDir, 'dataDir')],
    ['sink folder', () => checkFolder(subjects.sinkFolder, 'sinkFolder')],
  ];
  const results: CheckResult[] = [];
  for (const [index, [name, check]] of checks.entries()) {
    results.push({ step: index + 1, name, ...(await check()) });
  }
  return results;
}

async function checkPort({ port, portHolder }: CheckSubjects): Promise<Finding> {
  const holder = await portHolder();
  if (holder === null) return ok(`port ${port} is free`);
  return {
    verdict: 'warning',
    evidence: `port ${port} is held by ${holder}`,
    remedy:
      'Fine if that is the running Sightline. Otherwise end that program, or set another "port" here and in the page.',
  };
}

function checkDomains({ allowedDomains, allowLoopbackOrigins }: CheckSubjects): Finding {
  if (allowedDomains.length > 0) return ok(allowedDomains.join(', '));
  if (allowLoopbackOrigins) return ok('pages served from this machine only');
  return {
    verdict: 'failed',
    evidence: 'no page may connect',
    remedy: 'Set "allowedDomains" to the domain of your CCP, for example example.my.connect.aws.',
  };
}

async function checkEncoder({ findEncoder }: CheckSubjects): Promise<Finding> {
  try {
    const { encoder, path, version, warning } = await findEncoder();
    const evidence = `${encoder} in ${path} (ffmpeg ${version})`;
    return warning === null ? ok(evidence) : { verdict: 'warning', evidence, remedy: warning };
  } catch (error) {
    return failed(error, 'Install Sightline again, or set "ffmpegPath".');
  }
}

async function checkDisplay({ readMonitors }: CheckSubjects): Promise<Finding> {
  try {
    const monitors = await readMonitors();
    if (monitors.length === 0) return ok('the whole desktop');
    return ok(monitors.map(({ name, width, height }) => `${name} ${width}x${height}`).join(', '));
  } catch (error) {
    return failed(error, 'Run Sightline inside the agent\'s session, or set "display".');
  }
}

async function checkFolder(folder: string, key: string): Promise<Finding> {
  const probe = join(folder, `.sightline-${randomBytes(4).toString('hex')}.probe`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(probe, 'wx');
    await file.writeFile('probe');
    await file.sync();
    await file.close();
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const evidence = `${folder} can be written to, ${(free / 1024 ** 3).toFixed(1)} GiB free`;
    if (free >= LOW_DISK_BYTES) return ok(evidence);
    return {
      verdict: 'warning',
      evidence,
      remedy: 'Free some space: an hour of recording needs about 0.1 to 0.4 GiB.',
    };
  } catch (error) {
    await rm(probe, { force: true }).catch(() => undefined);
    return failed(error, `Give this user the right to write there, or set another "${key}".`);
  }
}

function ok(evidence: string): Finding {
  return { verdict: 'ok', evidence, remedy: '' };
}

function failed(error: unknown, remedy: string): Finding {
  return { verdict: 'failed', evidence: error instanceof Error ? error.message : String(error), remedy };
}
