// `sightline serve`: the recorder until SIGTERM, SIGINT, or on Windows Ctrl+Break.

import { createLogger } from '../platform/log.ts';
import { startLogindWatch } from '../platform/logind.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { keepNewFilesPrivate } from '../platform/privateFiles.ts';
import { startLivePolicy } from '../policy/start.ts';
import { appVersion } from '../platform/version.ts';
import { startServices } from '../composition/services.ts';
import type { Services } from '../composition/services.ts';
import { join } from 'node:path';
import type { CommandOptions } from './options.ts';
import { policyFrom, sourcesFrom } from './options.ts';

/** A supervisor gives ten seconds; half a second of it is for writing the last lines. */
const STOP_WITHIN_MS = 9_500;

export async function serveCommand(options: CommandOptions): Promise<void> {
  keepNewFilesPrivate();
  const first = await policyFrom(options);
  const log = createLogger({
    folder: join(first.values.dataDir, 'logs'),
    level: first.values.logLevel,
    stderr: true,
  });
  const started = startLivePolicy(first, sourcesFrom(options), log);
  const policy = started.live.values;
  if (policy.allowedDomains.length === 0 && !policy.allowLoopbackOrigins) {
    log.warn('no page may connect: set "allowedDomains" (or, for development, "allowLoopbackOrigins")');
  }
  const services = await startServices({
    policy,
    policyChanges: started.live,
    resourcesFolder: findResourcesFolder(),
    log,
    // Windows and macOS tell it to a program with a window only.
    ...(process.platform === 'linux' ? { watchSession: startLogindWatch } : {}),
  });
  started.publish();
  const stop = once((signal: NodeJS.Signals) => void shutDown(services, signal));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGBREAK'] as const) {
    if (signal !== 'SIGBREAK' || process.platform === 'win32') process.on(signal, stop);
  }
  process.stdout.write(
    `ready ${JSON.stringify({ port: services.port, pid: process.pid, version: appVersion })}\n`,
  );
  log.info('ready', { port: services.port, version: appVersion });

  async function shutDown(running: Services, signal: NodeJS.Signals): Promise<void> {
    log.info('shutting down', { signal });
    // Whatever hangs: the supervisor's own kill would come next.
    setTimeout(() => process.exit(0), STOP_WITHIN_MS + 300).unref();
    await running.stop(STOP_WITHIN_MS);
    await started.stop();
    log.info('ended');
    process.exit(0);
  }
}

function once<T>(act: (value: T) => void): (value: T) => void {
  let done = false;
  return (value) => {
    if (done) return;
    done = true;
    act(value);
  };
}
