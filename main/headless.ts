#!/usr/bin/env node
// The headless program and command line: the same services as the app's, without Electron. stdout carries answers
// only (one `ready` line for `serve`); everything else goes to stderr and the log.

import { Command } from 'commander';
import { addBrowserPolicyOptions, browserPolicyCommand } from './headless/browserPolicy.ts';
import { addDiagnosticsOptions, diagnosticsCommand } from './headless/diagnostics.ts';
import { doctorCommand } from './headless/doctor.ts';
import { addNetworkOptions } from './headless/network.ts';
import { addPolicyOptions } from './headless/options.ts';
import { policyCommand } from './headless/policy.ts';
import { recordingsCommand } from './headless/recordings.ts';
import { addRetryOptions, retryCommand } from './headless/retry.ts';
import { serveCommand } from './headless/serve.ts';
import { keepCurrentFolderOutOfSearch } from './platform/runTool.ts';
import { insistOnCertificates } from './platform/secureTls.ts';
import { appVersion } from './platform/version.ts';
import { PolicyError } from './policy/load.ts';
import { SightlineError } from './shared/errors.ts';

/** sysexits.h: a wrong command line or policy, and a service that cannot be had. */
const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;

keepCurrentFolderOutOfSearch();

// Whoever reads us may have read enough, as `sightline policy | head` has. serve goes on: it records, whoever listens.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EOF') throw error;
    if (!process.argv.slice(2).includes('serve')) process.exit();
  });

const tlsWarning = insistOnCertificates();
if (tlsWarning !== null) process.stderr.write(`${tlsWarning}\n`);

const program = new Command('sightline')
  .description("Records a contact-center agent's screen for exactly as long as a contact lasts.")
  .version(appVersion)
  .showHelpAfterError();

addPolicyOptions(
  program.command('serve').description('run the recorder without windows, until SIGTERM'),
).action(serveCommand);
addNetworkOptions(
  addPolicyOptions(program.command('doctor').description('check everything that recording needs')),
)
  .option('--json', 'print one JSON object')
  .action(doctorCommand);
addPolicyOptions(
  addDiagnosticsOptions(
    program.command('diagnostics').description('write one zip for support, without pictures and secrets'),
  ),
).action(diagnosticsCommand);
const recordings = addPolicyOptions(
  program
    .command('recordings')
    .description('list the recordings of this machine and what became of them')
    .usage('[options] [retry]')
    .enablePositionalOptions(),
)
  .option('--json', 'print one JSON object')
  .action(recordingsCommand);
addPolicyOptions(
  addRetryOptions(
    recordings
      .command('retry')
      .argument('[names...]', 'recordingIds or contactIds; all that wait without any')
      .description('have the running Sightline try now to deliver what waits')
      .option('--json', 'print one JSON object'),
  ),
).action(retryCommand);
addPolicyOptions(
  program.command('policy').description('show each policy key, its value, and where it comes from'),
)
  .option('--json', 'print one JSON object')
  .action(policyCommand);
addPolicyOptions(
  addBrowserPolicyOptions(
    program
      .command('browser-policy')
      .description('let pages of the allowed domains reach this machine without asking the agent'),
  ),
).action(browserPolicyCommand);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof PolicyError) {
    process.stderr.write(`sightline: ${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  } else if (error instanceof SightlineError) {
    process.stderr.write(`sightline: ${error.code}: ${error.message}\n`);
    process.exitCode = EXIT_UNAVAILABLE;
  } else {
    throw error;
  }
}
