// `sightline diagnostics --out FILE.zip`: one file for support. Exit codes: 0 when it is written, even incomplete; 64 for a name
// without .zip; 69 when it cannot be written.

import type { Command } from 'commander';
import { resolve } from 'node:path';
import { exportDiagnostics } from '../diagnostics/bundleParts.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { readPolicyLenient } from '../policy/read.ts';
import { runDoctor } from './doctor.ts';
import { addPolicyOptions, print, printWarnings, sourcesFrom, type CommandOptions } from './options.ts';

export function addDiagnosticsCommand(program: Command): void {
  const command = program
    .command('diagnostics')
    .description('write a zip file for support, without frames or secrets')
    .option('--out <file>', 'the zip to write (default: sightline-diagnostics-<time>.zip here)')
    .option('--include-crash-dumps', 'add the newest dumps of crashes, which contain memory of Sightline')
    .option('--json', 'print one JSON object');
  addPolicyOptions(command).action(diagnosticsCommand);
}

async function diagnosticsCommand(options: CommandOptions, command: Command): Promise<void> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const { out = `sightline-diagnostics-${time}.zip` } = options;
  // A typing mistake must not overwrite another file.
  if (typeof out !== 'string' || !out.toLowerCase().endsWith('.zip'))
    return command.error('error: --out must name a file that ends in .zip; an existing file is replaced');
  const policy = await readPolicyLenient(sourcesFrom(options));
  const { file, sizeBytes, problems } = await exportDiagnostics({
    ...{ out: resolve(out), policy, resourcesFolder: findResourcesFolder(), environment: process.env },
    includeCrashDumps: options.includeCrashDumps === true,
    runChecks: () => runDoctor(policy),
  });
  if (options.json === true) {
    print(JSON.stringify({ file, sizeBytes, problems, policyProblems: policy.problems }));
    return;
  }
  print(`${file} (${Math.ceil(sizeBytes / 1024)} KiB). README.txt in it describes the contents.`);
  printWarnings([...policy.warnings, ...policy.problems]);
  printWarnings(
    problems.map(({ part, message }) => `${part}: ${message}`),
    'not included: ',
  );
}
