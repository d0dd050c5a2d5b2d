// What the app examines about itself: the checks with its own port and state, and the diagnostics bundle with its key store.

import { join } from 'node:path';
import type { Services } from '../services.ts';
import { findCrashDumps } from '../platform/crashDumps.ts';
import { systemKeyStore, type KeyStore } from '../platform/keyStore.ts';
import type { Logger } from '../platform/log.ts';
import type { Network } from '../platform/network/network.ts';
import { findResourcesFolder } from '../platform/paths.ts';
import { readPolicyLenient } from '../policy/read.ts';
import { isQuiet } from '../session/view.ts';
import type { WrittenBundle } from './bundle.ts';
import { exportDiagnostics } from './bundleParts.ts';
import type { CheckResult, Environment } from './check.ts';
import { runAllChecks, runNetworkChecks } from './checks.ts';
import type { LiveState } from './context.ts';
import { systemPorts, type ResolveProxy } from './network/checkNetwork.ts';
import type { NetworkPorts } from './network/types.ts';

export interface AppDiagnosticsOptions {
  /** null when they did not start: the checks then examine from outside, as the command line does. */
  readonly services: Services | null;
  readonly log: Logger;
  readonly keyStore?: KeyStore | null;
  /** Electron's, which knows PAC scripts and the settings of Windows; otherwise the environment is read. */
  readonly resolveProxy?: ResolveProxy | undefined;
  /** The one that uploads use. */
  readonly network: Network;
  /** Default: the real ones. */
  readonly ports?: NetworkPorts;
  /** Default: of this process. */
  readonly environment?: Environment;
  /** Whether this is the installed app; see PolicySources. */
  readonly managed?: boolean;
}

export interface AppDiagnostics {
  runChecks(): Promise<CheckResult[]>;
  /** Those that use the network, for the command line. */
  runNetworkChecks(): Promise<CheckResult[]>;
  /** @throws SightlineError DISK_FULL, BUNDLE_NOT_WRITTEN */
  export(file: string, includeCrashDumps: boolean): Promise<WrittenBundle>;
  /** How many dumps of crashes there are. */
  countCrashDumps(): Promise<number>;
}

export function appDiagnostics(options: AppDiagnosticsOptions): AppDiagnostics {
  const { services, log, network, keyStore = systemKeyStore(), resolveProxy = null } = options;
  const { environment = process.env, managed = false } = options;
  const { ports = systemPorts(environment, resolveProxy, network) } = options;
  const shared = { resourcesFolder: findResourcesFolder(), environment, keyStore };
  const currentPolicy = () => readPolicyLenient({ flags: {}, environment, managed });

  async function checkOptions() {
    const { values, problems, warnings } =
      services === null
        ? await currentPolicy()
        : { values: { ...services.parts.policy, port: services.port }, problems: [], warnings: [] };
    const live = services === null ? null : liveState(services);
    return {
      ...{ policy: values, policyProblems: problems, policyWarnings: warnings },
      ...{ ...shared, log, network, resolveProxy, live },
    };
  }

  async function runChecks(): Promise<CheckResult[]> {
    const given = await checkOptions();
    const { instanceAlias: alias, instanceRegion: region, endpointList } = given.policy;
    return runAllChecks({ ...given, ports, running: null, instance: { alias, region, endpointList } });
  }

  return {
    runChecks,
    runNetworkChecks: async () => runNetworkChecks(await checkOptions()),
    countCrashDumps: async () => findCrashDumps(join((await currentPolicy()).values.dataDir, 'logs')).length,
    export: async (file, includeCrashDumps) =>
      exportDiagnostics({
        ...{ ...shared, out: file, includeCrashDumps, runChecks, policy: await currentPolicy() },
        state: services === null ? null : () => services.hub.state,
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
