#!/usr/bin/env node
// The command line, and the recorder without windows: the app's services without Electron. stdout carries answers only
// (one `ready` line for `serve`); everything else goes to stderr and the log.

import { Command } from 'commander';
import { addBrowserPolicyCommand } from './headless/browserPolicy.ts';
import { addDoorCommand } from './headless/door.ts';
import { addDiagnosticsCommand } from './headless/diagnostics.ts';
import { addDoctorCommand } from './headless/doctor.ts';
import { EXIT_INTERNAL_ERROR, EXIT_UNAVAILABLE, EXIT_USAGE } from './headless/options.ts';
import { addPolicyCommand } from './headless/policy.ts';
import { addRecordingsCommand } from './headless/recordings.ts';
import { addRetryCommand } from './headless/retry.ts';
import { addReviewCommand } from './headless/review.ts';
import { addServeCommand } from './headless/serve.ts';
import { addTryCommand } from './headless/try.ts';
import { addVerifyCommand } from './headless/verify.ts';
import { stackOf } from './platform/crashReports.ts';
import { keepCurrentFolderOutOfSearch, insistOnCertificates } from './platform/hardening.ts';
import { reportToInstaller } from './platform/installerSignal.ts';
import { appVersion } from './platform/version.ts';
import { PolicyError } from './policy/load.ts';
import { SightlineError } from './shared/errors.ts';

keepCurrentFolderOutOfSearch();
reportToInstaller();

// A reader may close the pipe early (`sightline policy | head`). serve goes on recording.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EOF') throw error;
    if (!process.argv.slice(2).includes('serve')) process.exit();
  });

const tlsWarning = insistOnCertificates();
if (tlsWarning !== null) process.stderr.write(`${tlsWarning}\n`);

try {
  await commandLine().parseAsync();
} catch (error) {
  const [code, text] = explained(error);
  process.stderr.write(`sightline: ${text}\n`);
  process.exitCode = code;
}

function commandLine(): Command {
  const program = new Command('sightline')
    .description("Records a contact-center agent's screen for exactly as long as a contact lasts.")
    .version(appVersion)
    .showHelpAfterError()
    // One code for every mistake on the command line. Subcommands inherit this.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  addServeCommand(program);
  addDoctorCommand(program);
  addTryCommand(program);
  addDiagnosticsCommand(program);
  addRetryCommand(addRecordingsCommand(program));
  addReviewCommand(program);
  addVerifyCommand(program);
  addPolicyCommand(program);
  addBrowserPolicyCommand(program);
  addDoorCommand(program);
  return program;
}

function explained(error: unknown): [exitCode: number, text: string] {
  if (error instanceof PolicyError) return [EXIT_USAGE, error.message];
  if (error instanceof SightlineError) return [EXIT_UNAVAILABLE, `${error.code}: ${error.message}`];
  return [
    EXIT_INTERNAL_ERROR,
    `UNKNOWN: unexpected error. Please send the following lines to support.\n${stackOf(error)}`,
  ];
}
