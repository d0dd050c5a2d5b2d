// `npm test`: all checks and tests, quick ones first. Its last line, "N passed, M failed", counts both; it exits with 1 when
// anything failed. Arguments go to vitest.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => join(root, 'node_modules', name);

/** The longest first: two run at a time. */
const checks: readonly (readonly [string, readonly string[]])[] = [
  ['lint (eslint)', [bin('eslint/bin/eslint.js'), '.']],
  ['layout of the text (prettier)', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']],
  ['types (tsc)', [bin('typescript/bin/tsc'), '-p', 'tsconfig.json']],
  ['types of the renderer (tsc)', [bin('typescript/bin/tsc'), '-p', 'renderer/tsconfig.json']],
  [
    'import directions (dependency-cruiser)',
    [
      ...[bin('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs'],
      ...['main', 'preload', 'renderer'],
    ],
  ],
  ['unused code (knip)', [bin('knip/bin/knip.js')]],
  ['code that only tests use (knip)', [bin('knip/bin/knip.js'), '--production']],
];

let passed = 0;
let failed = 0;
const waiting = [...checks];
await Promise.all([checkOn(), checkOn()]);

const folder = mkdtempSync(join(tmpdir(), 'sightline-test-'));
try {
  const report = join(folder, 'report.json');
  const status = node([
    ...[
      bin('vitest/vitest.mjs'),
      'run',
      // Those have a command of their own, `npm run test:installer`.
      '--project=!installer',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    ...process.argv.slice(2),
  ]);
  const counts = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
  };
  passed += counts.numPassedTests;
  // A file that cannot be loaded has no tests to count, but makes vitest fail.
  failed += Math.max(counts.numFailedTests, status === 0 ? 0 : 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Runs waiting checks one after the other. */
async function checkOn(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, args] = next;
    const started = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) passed += 1;
    else failed += 1;
    // At once: two checks run at a time.
    process.stdout.write(output);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}, ${seconds} s`);
  }
}

function node(args: readonly string[]): number | null {
  return spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root }).status;
}
