// What the app examines about itself: the checks with its own port and state, and the diagnostics bundle with its key store.

import type { MonitorSource } from '../capture/displays.ts';
import type { Services } from '../services.ts';
import type { KeyStore } from '../platform/keyStore.ts';
import type { Logger } from '../platform/log.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { readPolicyLenient } from '../policy/read.ts';
import { isQuiet } from '../session/view.ts';
import type { WrittenBundle } from './bundle.ts';
import { exportDiagnostics } from './bundleParts.ts';
import type { CheckResult } from './check.ts';
import { runAllChecks } from './checks.ts';
import type { LiveState } from './context.ts';
import { systemPorts } from './network/checkNetwork.ts';
import type { ResolveProxy } from './network/proxy.ts';
import type { NetworkPorts } from './network/types.ts';
import type { Environment } from './system.ts';

export interface AppDiagnosticsOptions {
  /** null when they did not start: the checks then examine from outside, as the command line does. */
  readonly services: Services | null;
  readonly log: Logger;
  readonly keyStore?: KeyStore;
  readonly monitorSource?: MonitorSource;
  /** Electron's, which knows PAC scripts and the settings of Windows and macOS; otherwise the environment is read. */
  readonly resolveProxy?: ResolveProxy;
  /** Default: the real network. */
  readonly network?: NetworkPorts;
  /** Default: of this process. */
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
  const { managed = false, network = systemPorts(environment, resolveProxy ?? null) } = options;
  const resourcesFolder = findResourcesFolder();
  const platform = {
    ...(keyStore === undefined ? {} : { keyStore }),
    ...(monitorSource === undefined ? {} : { monitorSource }),
  };
  const currentPolicy = () => readPolicyLenient({ flags: {}, environment, managed });

  async function runChecks(): Promise<CheckResult[]> {
    const {
      values: policy,
      problems,
      warnings,
    } = services === null
      ? await currentPolicy()
      : { values: { ...services.parts.policy, port: services.port }, problems: [], warnings: [] };
    return runAllChecks({
      ...{ policy, policyProblems: problems, policyWarnings: warnings },
      ...{ resourcesFolder, log, environment, network, ...platform },
      live: services === null ? null : liveState(services),
      instance: { alias: policy.instanceAlias, region: policy.instanceRegion },
      ...(resolveProxy === undefined ? {} : { resolveProxy }),
    });
  }

  return {
    runChecks,
    export: async (file) =>
      exportDiagnostics({
        ...{ out: file, resourcesFolder, environment, runChecks, ...platform },
        policy: await currentPolicy(),
        ...(services === null ? {} : { state: () => services.hub.state }),
      }),
  };
}

function liveState(services: Services): LiveState {
  return {
    isRecording: () => !isQuiet(services.session.current),
    onChange: (listener) => services.hub.subscribe(() => listener()),
    eventBridgeProblem: () => services.eventBridge.lastProblem?.message ?? null,
  };
}
