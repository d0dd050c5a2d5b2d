import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folders.ts';

it('an unhandled rejection leaves one report: private, with places in the sources, without secrets, the oldest removed', async () => {
  const folder = await temporaryFolder();
  const logs = join(folder, 'logs');
  const program = join(folder, 'program.mjs');
  await build({
    entryPoints: ['test/unit/support/crashingProgram.ts'],
    outfile: program,
    bundle: true,
    sourcemap: true,
    platform: 'node',
    format: 'esm',
  });
  await mkdir(logs);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => writeFile(join(logs, `crash-2020${10 + index}.json`), '{}')),
  );
  const secret = 'hunter2-hunter2';
  const run = spawnSync(process.execPath, [program, logs, secret], {
    encoding: 'utf8',
    env: { ...process.env, SIGHTLINE_TEST_TOKEN: secret },
  });
  expect([run.status, run.stderr]).toEqual([70, '']);
  const names = (await readdir(logs)).sort();
  expect(names).toHaveLength(20);
  expect(names).not.toContain('crash-202010.json');
  const file = join(logs, names.at(-1) ?? '');
  const text = await readFile(file, 'utf8');
  const report = JSON.parse(text) as { kind: string; versions: object; stack: string[] };
  expect(report).toMatchObject({ kind: 'unhandledRejection', versions: { node: process.versions.node } });
  expect(report.stack[0]).toBe('Error: refused with [left-out]');
  expect(report.stack[1]).toMatch(/failUnexpectedly \(.*test\/unit\/support\/crashingProgram\.ts:14:\d+\)/);
  expect(text).not.toContain(secret);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
