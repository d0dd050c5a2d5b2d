// `npm test`: everything that must hold, in order from quick to slow. Ends with one line "N passed, M failed" that
// counts every test and every check; exits non-zero when anything failed. Arguments go to vitest.

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
      // All of the MSI's tests have a command of their own, `npm run test:installer`; here are those of `installer-quick`.
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
  // A file that cannot even be loaded has no tests to count, but vitest's status tells of it.
  failed += Math.max(counts.numFailedTests, status === 0 ? 0 : 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Takes checks that wait, one after the other, until there are none. */
async function checkOn(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, args] = next;
    const started = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) passed += 1;
    else failed += 1;
    // At once, so that nobody's words get between those of another.
    process.stdout.write(said);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}, ${seconds} s`);
  }
}

function node(args: readonly string[]): number | null {
  return spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root }).status;
}
