// The composition root's part for what the app finds out about itself: the checks with its own port and state, and the
// bundle for support with its own key store.

import { runChecks } from './diagnostics/checks.ts';
import type { CheckResult } from './diagnostics/checks.ts';
import type { WrittenBundle } from './diagnostics/bundle.ts';
import { exportDiagnostics } from './diagnosticsBundle.ts';
import type { MonitorSource } from './capture/displays.ts';
import { healthChecks } from './healthChecks.ts';
import type { KeyStore } from './platform/keyStore.ts';
import type { Logger } from './platform/log.ts';
import { findResourcesFolder } from './platform/paths.ts';
import { readMachinePolicy } from './policy/machine.ts';
import { salvagePolicy } from './policy/salvage.ts';
import type { Services } from './services.ts';
import { isQuiet } from './session/view.ts';

export interface AppDiagnosticsOptions {
  /** null when they could not be started: then it is looked at from outside, as the command line does. */
  readonly services: Services | null;
  readonly log: Logger;
  readonly keyStore?: KeyStore;
  readonly monitorSource?: MonitorSource;
}

export interface AppDiagnostics {
  runChecks(): Promise<CheckResult[]>;
  /** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
  export(file: string): Promise<WrittenBundle>;
}

export function appDiagnostics(options: AppDiagnosticsOptions): AppDiagnostics {
  const { services, log, keyStore, monitorSource } = options;
  const platform = {
    ...(keyStore === undefined ? {} : { keyStore }),
    ...(monitorSource === undefined ? {} : { monitorSource }),
  };
  const salvaged = () => salvagePolicy(readMachinePolicy, { flags: {}, environment: process.env });
  const check = async (): Promise<CheckResult[]> => {
    const health = healthChecks({
      policy:
        services === null ? (await salvaged()).values : { ...services.parts.policy, port: services.port },
      resourcesFolder: findResourcesFolder(),
      log,
      live:
        services === null
          ? null
          : {
              isRecording: () => !isQuiet(services.session.current),
              onChange: (listener) => services.hub.subscribe(() => listener()),
              eventBridgeProblem: () => services.eventBridge?.sender.lastProblem?.message ?? null,
            },
      ...platform,
    });
    try {
      return await runChecks(health.checks);
    } finally {
      health.close();
    }
  };
  return {
    runChecks: check,
    export: async (file) =>
      exportDiagnostics({
        out: file,
        policy: await salvaged(),
        resourcesFolder: findResourcesFolder(),
        environment: process.env,
        runChecks: check,
        ...(services === null ? {} : { state: () => services.hub.state }),
        ...platform,
      }),
  };
}
