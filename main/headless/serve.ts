// `sightline serve`: the recorder without windows, until SIGTERM, SIGINT, or on Windows Ctrl+Break.

import { join } from 'node:path';
import type { Command } from 'commander';
import { startServices } from '../services.ts';
import { appDiagnostics } from '../diagnostics/app.ts';
import { describePortOwner } from '../diagnostics/portOwner.ts';
import { reportCrashes } from '../platform/crashReports.ts';
import { createLogger } from '../platform/log.ts';
import { NodeNetwork } from '../platform/network/nodeNetwork.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { keepNewFilesPrivate } from '../platform/hardening.ts';
import { appVersion } from '../platform/version.ts';
import { onSessionEnd, startSessionWatch } from '../platform/systemSession.ts';
import { sessionEndCauses, type EndCause } from '../shared/deskEvent.ts';
import { startLivePolicy } from '../policy/start.ts';
import {
  EXIT_INTERNAL_ERROR,
  addPolicyOptions,
  policyFrom,
  sourcesFrom,
  type CommandOptions,
} from './options.ts';

/** A supervisor gives ten seconds; half a second of it is for writing the last lines. */
const STOP_WITHIN_MS = 9_500;

export function addServeCommand(program: Command): void {
  const command = program.command('serve').description('run the recorder without windows until SIGTERM');
  addPolicyOptions(command).action(serveCommand);
}

async function serveCommand(options: CommandOptions): Promise<void> {
  keepNewFilesPrivate();
  const first = await policyFrom(options);
  const logFolder = join(first.values.dataDir, 'logs');
  const log = createLogger({ folder: logFolder, level: first.values.logLevel, stderr: true });
  // A supervisor starts a new process, which recovers the spool.
  reportCrashes(
    () => logFolder,
    () => log,
    () => process.exit(EXIT_INTERNAL_ERROR),
  );
  const started = startLivePolicy(first, sourcesFrom(options), log);
  const policy = started.live.values;
  if (policy.allowedDomains.length === 0 && !policy.allowLoopbackOrigins) {
    log.warn('no page may connect: set "allowedDomains" (or, for development, "allowLoopbackOrigins")');
  }
  const network = new NodeNetwork(policy);
  const services = await startServices({
    policy,
    policyChanges: started.live,
    network,
    resourcesFolder: findResourcesFolder(),
    describePortOwner,
    log,
    watchSession: startSessionWatch,
  });
  services.answerChecks(() => appDiagnostics({ services, log, network }).runNetworkChecks());
  started.publish();
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGBREAK'] as const) {
    if (signal === 'SIGBREAK' && process.platform !== 'win32') continue;
    process.on(signal, () => shutDownOnce(signal, STOP_WITHIN_MS, 'terminated'));
  }
  onSessionEnd((why) => shutDownOnce(why, policy.signOutWaitSeconds * 1000, sessionEndCauses[why]));
  process.stdout.write(
    `ready ${JSON.stringify({ port: services.port, pid: process.pid, version: appVersion })}\n`,
  );
  log.info('ready', { port: services.port, version: appVersion });

  function shutDownOnce(because: string, withinMs: number, cause: EndCause): void {
    if (!isStopping) void shutDown(because, withinMs, cause);
    isStopping = true;
  }

  async function shutDown(because: string, withinMs: number, cause: EndCause): Promise<void> {
    log.info('shutting down', { because });
    // Before the supervisor kills a process that hangs.
    setTimeout(() => process.exit(0), withinMs + 300).unref();
    await services.stop(withinMs, cause);
    await started.stop();
    log.info('ended');
    process.exit(0);
  }
}
