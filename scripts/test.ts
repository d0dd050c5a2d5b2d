// `npm test`: all checks and tests. Its last line, "N passed, M failed", counts both; it exits with 1 when anything failed.
// A file that failed beside others runs once more alone (see `runAgain`).
// Tests that measure clocks leave much of the processor time unused: the checks and the unit tests run at the same time, at a
// lower priority. Then come the tests that mostly wait, and last those that use up the processor. Arguments go to vitest.
// `--full` adds what only a release needs: more tests under Wine, the rig's own tests and the installer.
// `--busy` keeps the processor busy meanwhile, with programs in other sessions: it finds tests, and code, that rely on
// being quick. The tests of clocks are left out then.

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
const isBusy = process.argv.includes('--busy');
const vitestArgs = process.argv.slice(2).filter((one) => !['--full', '--busy'].includes(one));
const LOW = constants.priority.PRIORITY_LOW;
const NORMAL = constants.priority.PRIORITY_NORMAL;
const SLOWEST = 10;
/** For the two processors that `npm test` is made for. */
const BUSY_PROGRAMS = 4;
/** More failures than these have a common cause. */
const MOST_FILES_AGAIN = 5;
/** They look for what must never happen, at random moments: once in many runs is a bug like any other. */
const neverAgain = /\/(leak|kill|faultMatrix|tampering)\.test\.ts$/;

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
let files: FileReport[] = [];
/** Failed beside others, passed alone. */
let unsteady: readonly FileReport[] = [];
let passedChecks = 0;
/** Checks, and what makes vitest fail outside of a test. */
let failures = 0;
if (isBusy) keepBusy();
// No browser and no Wine beside the clocks: their daemons start separate sessions (setsid), and Linux gives each session
// the same share of the processor (sched_autogroup), at any priority.
await Promise.all([
  isBusy ? undefined : runProjects(['clocks'], NORMAL),
  runChecks().then(() => runProjects(['unit'], LOW, { SIGHTLINE_BESIDE_CLOCKS: '1' })),
]);
await Promise.all([
  runProjects(['beside', ...(isFull ? [] : ['installer-quick'])], NORMAL),
  runProjects(['windows'], NORMAL),
]);
if (!isBusy) await runProjects(['alone'], NORMAL);
if (isFull) await runProjects(['windows-long', 'rig', 'installer'], NORMAL);
await runAgain();
process.exit(report() === 0 ? 0 : 1);

function keepBusy(): void {
  // They end with this program: their standard input does.
  const program =
    'process.stdin.resume().once("close", () => process.exit()); (function busy() { for (const end = Date.now() + 20; Date.now() < end;); setImmediate(busy); })();';
  for (let count = 0; count < BUSY_PROGRAMS; count += 1)
    spawn(process.execPath, ['-e', program], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] }).unref();
}

async function runChecks(): Promise<void> {
  for (const [name, args] of checks) {
    const began = performance.now();
    const code = await run(args(), LOW);
    if (code === 0) passedChecks += 1;
    else failures += 1;
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}, ${secondsSince(began)} s`);
  }
}

async function runProjects(projects: readonly string[], priority: number, environment = {}): Promise<void> {
  const { status, found } = await runVitest(projects, vitestArgs, priority, environment);
  files.push(...found);
  // An error outside of a test makes vitest fail, too.
  if (status !== 0 && found.every(({ failed }) => failed.length === 0)) failures += 1;
}

/**
 * Two cores that are busy for minutes hold up any program now and then for longer than a test waits. Which tests were held up
 * is printed with the reason, so that none hides here.
 */
async function runAgain(): Promise<void> {
  const suspects = files.filter(({ file, failed }) => failed.length > 0 && !neverAgain.test(file));
  if (suspects.length === 0 || suspects.length > MOST_FILES_AGAIN) return;
  console.log('\nOnce more, alone:');
  const better: FileReport[] = [];
  for (const project of new Set(suspects.map((one) => one.project))) {
    const names = suspects.filter((one) => one.project === project).map(({ file }) => file);
    const { status, found } = await runVitest([project], ['--no-file-parallelism', ...names], NORMAL);
    const good = found.filter(({ failed, passed }) => failed.length === 0 && passed > 0);
    // All good, and yet an error: outside of the tests of one of them.
    if (status === 0 || good.length < found.length) better.push(...good);
  }
  const isSame = (one: FileReport) => (other: FileReport) =>
    one.file === other.file && one.project === other.project;
  unsteady = suspects.filter((one) => better.some(isSame(one)));
  files = files.map((one) => better.find(isSame(one)) ?? one);
}

async function runVitest(
  projects: readonly string[],
  more: readonly string[],
  priority: number,
  environment = {},
): Promise<{ status: number | null; found: readonly FileReport[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-test-'));
  try {
    const file = join(folder, 'report.json');
    const args = [
      ...[bin('vitest/vitest.mjs'), 'run', ...projects.map((name) => `--project=${name}`)],
      ...['--reporter=default', '--reporter=./scripts/testReporter.ts'],
      // Arguments may leave nothing for one of the lanes.
      ...(more.length > 0 ? ['--passWithNoTests', ...more] : []),
    ];
    const status = await run(args, priority, { ...environment, SIGHTLINE_TEST_REPORT: file });
    return { status, found: JSON.parse(readFileSync(file, 'utf8')) as FileReport[] };
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

/** @returns how much has failed */
function report(): number {
  console.log(`\nThe slowest files:`);
  for (const { project, file, seconds } of files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
    console.log(`${seconds.toFixed(1).padStart(7)} s  ${file} (${project})`);
  printFailures('FAILED BESIDE OTHERS, PASSED ALONE', unsteady);
  printFailures('FAILED', files);
  const passed = files.reduce((sum, one) => sum + one.passed, passedChecks);
  const failed = files.reduce((sum, one) => sum + one.failed.length, failures);
  console.log(`${secondsSince(started)} s\n${passed} passed, ${failed} failed`);
  return failed;
}

function printFailures(what: string, of: readonly FileReport[]): void {
  for (const { project, file, failed } of of)
    for (const { name, reason } of failed)
      console.log(`${what}  ${file} (${project}): ${name}\n${reason.replaceAll(/^/gm, '        ')}`);
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
