// The composition root's part for what the app finds out about itself: the checks with its own port and state, and the
// bundle for support with its own key store.

import type { CheckResult } from '../../diagnostics/checks.ts';
import { runChecks, withNetwork } from '../../diagnostics/checks.ts';
import type { WrittenBundle } from '../../diagnostics/bundle.ts';
import { checkInstance, systemPorts } from '../../diagnostics/network/checkNetwork.ts';
import type { ResolveProxy } from '../../diagnostics/network/proxy.ts';
import type { NetworkPorts } from '../../diagnostics/network/types.ts';
import type { Environment } from '../../diagnostics/system.ts';
import { exportDiagnostics } from './diagnosticsBundle.ts';
import type { MonitorSource } from '../../capture/displays.ts';
import { healthChecks } from './healthChecks.ts';
import type { KeyStore } from '../../platform/keyStore.ts';
import type { Logger } from '../../platform/log.ts';
import { findResourcesFolder } from '../../platform/paths.ts';
import { readPolicyLenient } from '../../policy/read.ts';
import type { Services } from '../services.ts';
import { isQuiet } from '../../session/view.ts';

export interface AppDiagnosticsOptions {
  /** null when they could not be started: then it is looked at from outside, as the command line does. */
  readonly services: Services | null;
  readonly log: Logger;
  readonly keyStore?: KeyStore;
  readonly monitorSource?: MonitorSource;
  /** Electron's, which knows scripts and the settings of Windows and macOS; without it the environment is asked. */
  readonly resolveProxy?: ResolveProxy;
  /** Where the network's checks go; the network as it is. */
  readonly network?: NetworkPorts;
  /** Of this process, unless told. */
  readonly environment?: Environment;
  /** Whether this is the installed app; see PolicySources. */
  readonly managed?: boolean;
}

export interface AppDiagnostics {
  runChecks(): Promise<CheckResult[]>;
  /** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
  export(file: string): Promise<WrittenBundle>;
}

export function appDiagnostics(options: AppDiagnosticsOptions): AppDiagnostics {
  const { services, log, keyStore, monitorSource, resolveProxy, environment = process.env } = options;
  const { managed = false } = options;
  const { network = systemPorts(environment, resolveProxy ?? null) } = options;
  const platform = {
    ...(keyStore === undefined ? {} : { keyStore }),
    ...(monitorSource === undefined ? {} : { monitorSource }),
  };
  const lenientPolicy = () => readPolicyLenient({ flags: {}, environment, managed });
  const check = async (): Promise<CheckResult[]> => {
    const {
      values: policy,
      problems: policyProblems,
      warnings: policyWarnings,
    } = services === null
      ? await lenientPolicy()
      : { values: { ...services.parts.policy, port: services.port }, problems: [], warnings: [] };
    const { instanceAlias: alias, instanceRegion: region } = policy;
    const health = healthChecks({
      policy,
      policyProblems,
      policyWarnings,
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
      ...(resolveProxy === undefined ? {} : { resolveProxy }),
    });
    try {
      const results = await runChecks(health.checks);
      return withNetwork(results, await checkInstance({ alias, region }, network));
    } finally {
      health.close();
    }
  };
  return {
    runChecks: check,
    export: async (file) =>
      exportDiagnostics({
        out: file,
        policy: await lenientPolicy(),
        resourcesFolder: findResourcesFolder(),
        environment,
        runChecks: check,
        ...(services === null ? {} : { state: () => services.hub.state }),
        ...platform,
      }),
  };
}
