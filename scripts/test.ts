// `npm test`: all checks and tests. Its last line, "N passed, M failed", counts both; it exits with 1 when anything failed.
// Tests that measure clocks leave much of the processor time unused: the checks and the unit tests run at the same time, at a
// lower priority. Then come the tests that mostly wait, and last those that use up the processor. Arguments go to vitest. `--full` adds what only a release needs: more
// tests under Wine, the rig's own tests and the installer.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FileReport } from './testReporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => join(root, 'node_modules', name);
const cache = join(root, 'node_modules', '.cache');
const isFull = process.argv.includes('--full');
const vitestArgs = process.argv.slice(2).filter((one) => one !== '--full');
const LOW = constants.priority.PRIORITY_LOW;
const NORMAL = constants.priority.PRIORITY_NORMAL;
const SLOWEST = 10;

/** In this order: `lintArgs` reads what the compiler has left. All caches go by the contents of files. */
const checks: readonly (readonly [string, () => readonly string[]])[] = [
  ['types (tsc)', () => typesArgs('tsconfig.json')],
  ['types of the renderer (tsc)', () => typesArgs('renderer/tsconfig.json')],
  ['types of the page side (tsc)', () => typesArgs('ccp/tsconfig.json')],
  ['types of its unit tests (tsc)', () => typesArgs('test/unit/ccp/tsconfig.json')],
  ['types of the review page (tsc)', () => typesArgs('review/page/tsconfig.json')],
  ['types of the review tool’s tests (tsc)', () => typesArgs('test/review/tsconfig.json')],
  ['lint (eslint)', lintArgs],
  [
    'format (prettier)',
    () => [
      ...[bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '--cache'],
      ...['--cache-strategy=content', '--cache-location', join(cache, 'prettier'), '.'],
    ],
  ],
  [
    'import directions (dependency-cruiser)',
    () => [
      ...[bin('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs'],
      ...['main', 'preload', 'renderer', 'ccp/src', 'cloud', 'review'],
    ],
  ],
  ['unused code (knip)', () => [bin('knip/bin/knip.js')]],
  ['code that only tests use (knip)', () => [bin('knip/bin/knip.js'), '--production']],
];

const started = performance.now();
const files: FileReport[] = [];
let passed = 0;
let failed = 0;
// No browser and no Wine beside the clocks: their daemons start separate sessions (setsid), and Linux gives each session
// the same share of the processor (sched_autogroup), at any priority.
await Promise.all([
  runProjects(['clocks'], NORMAL),
  runChecks().then(() => runProjects(['unit'], LOW, { SIGHTLINE_BESIDE_CLOCKS: '1' })),
]);
await Promise.all([
  runProjects(['beside', ...(isFull ? [] : ['installer-quick'])], NORMAL),
  runProjects(['windows'], NORMAL),
]);
await runProjects(['alone'], NORMAL);
if (isFull) await runProjects(['windows-long', 'rig', 'installer'], NORMAL);
report();
process.exit(failed === 0 ? 0 : 1);

async function runChecks(): Promise<void> {
  for (const [name, args] of checks) {
    const began = performance.now();
    const code = await run(args(), LOW);
    if (code === 0) passed += 1;
    else failed += 1;
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}, ${secondsSince(began)} s`);
  }
}

async function runProjects(projects: readonly string[], priority: number, environment = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-test-'));
  try {
    const file = join(folder, 'report.json');
    const args = [
      ...[bin('vitest/vitest.mjs'), 'run', ...projects.map((name) => `--project=${name}`)],
      ...['--reporter=default', '--reporter=./scripts/testReporter.ts'],
      // Arguments may leave nothing for one of the lanes.
      ...(vitestArgs.length > 0 ? ['--passWithNoTests', ...vitestArgs] : []),
    ];
    const status = await run(args, priority, { ...environment, SIGHTLINE_TEST_REPORT: file });
    const found = JSON.parse(readFileSync(file, 'utf8')) as FileReport[];
    files.push(...found);
    const failures = found.reduce((sum, one) => sum + one.failed.length, 0);
    passed += found.reduce((sum, one) => sum + one.passed, 0);
    // An error outside of a test makes vitest fail, too.
    failed += Math.max(failures, status === 0 ? 0 : 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program with Node, and prints whole lines of it. */
async function run(args: readonly string[], priority: number, environment = {}): Promise<number | null> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: root,
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...environment },
  });
  if (child.pid !== undefined) setPriority(child.pid, priority);
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => console.log(line));
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

function typesArgs(project: string): string[] {
  return [
    bin('typescript/bin/tsc'),
    '-p',
    project,
    '--incremental',
    '--tsBuildInfoFile',
    typesState(project),
  ];
}

function typesState(project: string): string {
  return join(cache, `${project.replaceAll('/', '-')}.tsbuildinfo`);
}

/**
 * ESLint's cache knows only a file's own contents, but with types the result depends on other files, too. So a cache is valid
 * only as long as the compiler's state, which has the hash of every file, stays the same.
 */
function lintArgs(): string[] {
  const hash = createHash('sha256');
  for (const project of ['tsconfig.json', 'renderer/tsconfig.json'])
    if (existsSync(typesState(project))) hash.update(readFileSync(typesState(project)));
  const location = join(cache, 'eslint', hash.digest('hex').slice(0, 16));
  for (const name of existsSync(dirname(location)) ? readdirSync(dirname(location)) : [])
    if (name !== basename(location)) rmSync(join(dirname(location), name));
  return [
    bin('eslint/bin/eslint.js'),
    '--cache',
    '--cache-strategy=content',
    '--cache-location',
    location,
    '.',
  ];
}

function report(): void {
  console.log(`\nThe slowest files:`);
  for (const { project, file, seconds } of files.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${file} (${project})`);
  for (const { project, file, failed } of files)
    for (const { name, reason } of failed)
      console.log(`FAILED  ${file} (${project}): ${name}\n${reason.replaceAll(/^/gm, '        ')}`);
  console.log(`${secondsSince(started)} s\n${passed} passed, ${failed} failed`);
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
