// `sightline try`: records some seconds of this screen through the real services and the real sink, and says what came of it. A
// running Sightline does it; where none runs, this process starts the services itself, for as long as that takes.

import { join } from 'node:path';
import type { Command } from 'commander';
import { describePortOwner } from '../diagnostics/portOwner.ts';
import { keepNewFilesPrivate } from '../platform/hardening.ts';
import { createLogger } from '../platform/log.ts';
import { NodeNetwork } from '../platform/network/nodeNetwork.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import type { Policy } from '../policy/keys.ts';
import { readControlFile } from '../server/controlFile.ts';
import { startServices } from '../services.ts';
import { CONTROL_TRY_PATH } from '../shared/control.ts';
import type { TrialReport, TrialRequest } from '../shared/trial.ts';
import { trialReportSchema } from '../shared/trial.ts';
import { NotRunning, askRunning } from './askRunning.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';
import { trialOutput } from './tryModel.ts';

/** For the start of capture, the upload with its deadline, and the end of the services. */
const ANSWER_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 9_500;

type TryOptions = CommandOptions & { readonly seconds?: number; readonly delete?: boolean };

export function addTryCommand(program: Command): void {
  const seconds = (text: string): number => {
    if (/^\d{1,2}$/.test(text) && Number(text) >= 3 && Number(text) <= 60) return Number(text);
    return command.error('error: --seconds needs a whole number from 3 to 60');
  };
  const command = program
    .command('try')
    .description('record this screen for some seconds into the real sink, and say whether that works')
    .option('--json', 'print one JSON object')
    .option('--seconds <n>', 'how long to record', seconds, 10)
    .option('--delete', 'remove the recording from the sink again');
  addPolicyOptions(command).action(tryCommand);
}

async function tryCommand(options: TryOptions): Promise<void> {
  keepNewFilesPrivate();
  const { values } = await policyWithWarnings(options);
  const request = { seconds: options.seconds ?? 10, remove: options.delete === true };
  if (options.json !== true) print(`Recording this screen for ${request.seconds} seconds...`);
  const report = (await byRunning(values, request)) ?? (await byItself(values, request));
  print(options.json === true ? JSON.stringify(report) : trialOutput(report).join('\n'));
  process.exitCode = report.ok ? 0 : 1;
}

/** null: none is running. */
async function byRunning({ dataDir }: Policy, request: TrialRequest): Promise<TrialReport | null> {
  const access = await readControlFile(dataDir);
  if (access === null) return null;
  const withinMs = ANSWER_WITHIN_MS + request.seconds * 1000;
  const asked = { path: CONTROL_TRY_PATH, body: request, withinMs };
  return askRunning(access, asked, trialReportSchema, '').catch((error: unknown) => {
    if (error instanceof NotRunning) return null;
    throw error;
  });
}

async function byItself(policy: Policy, request: TrialRequest): Promise<TrialReport> {
  const log = createLogger({ folder: join(policy.dataDir, 'logs'), level: policy.logLevel, stderr: false });
  const services = await startServices({
    // No page may connect: the port is another one than they know.
    policy: { ...policy, port: 0, allowedDomains: [], allowLoopbackOrigins: false },
    network: new NodeNetwork(policy),
    resourcesFolder: findResourcesFolder(),
    describePortOwner,
    log,
    isTemporary: true,
  });
  try {
    return await services.trials.run(request);
  } finally {
    await services.stop(STOP_WITHIN_MS, 'terminated');
  }
}
