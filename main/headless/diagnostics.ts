// `sightline diagnostics --out FILE.zip`: one file for support. Exit codes: 0 when it is written, even incomplete; 64 for a name
// without .zip; 69 when it cannot be written.

import type { Command } from 'commander';
import { Option } from 'commander';
import { resolve } from 'node:path';
import { exportDiagnostics } from '../diagnostics/bundleParts.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { readPolicyLenient } from '../policy/read.ts';
import { runDoctor } from './doctor.ts';
import type { CommandOptions } from './options.ts';
import { sourcesFrom, printWarnings } from './options.ts';

const EXIT_USAGE = 64;

export function addDiagnosticsOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--out <file>', 'the zip to write (default: sightline-diagnostics-<time>.zip here)'),
    )
    .option('--json', 'print one JSON object');
}

export async function diagnosticsCommand(options: CommandOptions): Promise<void> {
  const { out = defaultName(new Date()) } = options;
  if (typeof out !== 'string' || !out.toLowerCase().endsWith('.zip')) {
    // A typing mistake must not overwrite another file.
    process.stderr.write(
      'sightline: --out must name a file that ends in .zip; an existing file is replaced.\n',
    );
    process.exitCode = EXIT_USAGE;
    return;
  }
  const policy = await readPolicyLenient(sourcesFrom(options));
  const { file, sizeBytes, problems } = await exportDiagnostics({
    out: resolve(out),
    policy,
    resourcesFolder: findResourcesFolder(),
    environment: process.env,
    runChecks: () => runDoctor(policy),
  });
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ file, sizeBytes, problems, policyProblems: policy.problems })}\n`,
    );
    return;
  }
  process.stdout.write(
    `${file} (${Math.ceil(sizeBytes / 1024)} KiB). README.txt in it describes the contents.\n`,
  );
  printWarnings(policy);
  for (const problem of policy.problems) process.stderr.write(`warning: ${problem}\n`);
  for (const { part, message } of problems)
    process.stderr.write(`warning: not included: ${part}: ${message}\n`);
}

function defaultName(now: Date): string {
  return `sightline-diagnostics-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}.zip`;
}
