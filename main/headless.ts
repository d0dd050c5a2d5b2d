#!/usr/bin/env node
// The command line, and the recorder without windows: the app's services without Electron. stdout carries answers only
// (one `ready` line for `serve`); everything else goes to stderr and the log.

import { Command } from 'commander';
import { addBrowserPolicyOptions, browserPolicyCommand } from './headless/browserPolicy.ts';
import { addDiagnosticsOptions, diagnosticsCommand } from './headless/diagnostics.ts';
import { doctorCommand } from './headless/doctor.ts';
import { EXIT_INTERNAL_ERROR, EXIT_UNAVAILABLE, EXIT_USAGE } from './headless/exitCodes.ts';
import { addNetworkOptions } from './headless/network.ts';
import { addPolicyOptions } from './headless/options.ts';
import { policyCommand } from './headless/policy.ts';
import { recordingsCommand } from './headless/recordings.ts';
import { addRetryOptions, retryCommand } from './headless/retry.ts';
import { serveCommand } from './headless/serve.ts';
import { stackOf } from './platform/crashReports.ts';
import { keepCurrentFolderOutOfSearch, insistOnCertificates } from './platform/hardening.ts';
import { appVersion } from './platform/version.ts';
import { PolicyError } from './policy/load.ts';
import { SightlineError } from './shared/errors.ts';

keepCurrentFolderOutOfSearch();

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
  const command = (name: string, description: string): Command =>
    program.command(name).description(description);

  addPolicyOptions(command('serve', 'run the recorder without windows until SIGTERM')).action(serveCommand);
  addPolicyOptions(
    addNetworkOptions(command('doctor', 'check everything that recording needs')).option(
      '--json',
      'print one JSON object',
    ),
  ).action(doctorCommand);
  addPolicyOptions(
    addDiagnosticsOptions(command('diagnostics', 'write a zip file for support, without frames or secrets')),
  ).action(diagnosticsCommand);
  const recordings = addPolicyOptions(
    command('recordings', 'list the recordings of this machine and their status')
      .usage('[options] [retry]')
      .enablePositionalOptions()
      .option('--json', 'print one JSON object'),
  ).action(recordingsCommand);
  addPolicyOptions(
    addRetryOptions(
      recordings
        .command('retry')
        .argument('[names...]', 'recordingIds or contactIds; all pending recordings if omitted')
        .description('ask the running Sightline to retry pending uploads now')
        .option('--json', 'print one JSON object'),
    ),
  ).action(retryCommand);
  addPolicyOptions(
    command('policy', 'show each policy key, its value and its source').option(
      '--json',
      'print one JSON object',
    ),
  ).action(policyCommand);
  addPolicyOptions(
    addBrowserPolicyOptions(
      command('browser-policy', 'let pages of the allowed domains reach this machine without a prompt'),
    ),
  ).action(browserPolicyCommand);
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
