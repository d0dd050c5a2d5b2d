// The composition root's part for health checks: hands each of them what it looks at. `sightline doctor` looks from
// outside, the app from inside (`live`). Nothing here judges.

import { stat } from 'node:fs/promises';
import { watch } from 'node:fs';
import { availableParallelism, hostname, platform, release, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import type { MonitorSource } from '../../capture/displays.ts';
import { displaysOf } from '../../capture/displays.ts';
import { FfmpegFinder } from '../../capture/ffmpegBinary.ts';
import { ffmpegSpawner } from '../../capture/spawnFfmpeg.ts';
import { tryCapture } from '../../capture/trial.ts';
import type { Check } from '../../diagnostics/checks.ts';
import { allChecks } from '../../diagnostics/checks.ts';
import { LATELY_DAYS } from '../../diagnostics/checks/data.ts';
import type { Desk } from '../../diagnostics/checks/display.ts';
import type { ResolveProxy } from '../../diagnostics/network/proxy.ts';
import { cloudSubjects } from './healthChecksCloud.ts';
import type { Row } from '../../headless/recordingsModel.ts';
import { readRows, withUnreadable } from '../../headless/recordingsModel.ts';
import { readBrowserPolicies } from '../../platform/browserPolicies.ts';
import { readControlFile } from '../../platform/controlFile.ts';
import { lockHolder } from '../../platform/instanceLock.ts';
import type { KeyStore } from '../../platform/keyStore.ts';
import { keyFileStore } from '../../platform/keyStore.ts';
import type { Logger } from '../../platform/log.ts';
import { findPortHolder } from '../../platform/portHolder.ts';
import type { RunTool } from '../../platform/runTool.ts';
import { runTool } from '../../platform/runTool.ts';
import type { Policy } from '../../policy/keys.ts';
import { readPolicyState } from '../../policy/stateFile.ts';
import { judge } from '../../server/guard.ts';
import { SpoolQuota, limitsOf } from '../../spool/quota.ts';
import { readUnreadable } from '../../spool/unreadableFolders.ts';
import { EventsReader } from '../../status/eventsReader.ts';

/** What a running Sightline knows of itself. */
export interface LiveState {
  /** Whether a contact is on, suspended ones included. */
  readonly isRecording: () => boolean;
  /** @returns the way to end it */
  readonly onChange: (listener: () => void) => () => void;
  /** The last try's; null: it went well. */
  readonly eventBridgeProblem: () => string | null;
}

export interface HealthOptions {
  readonly policy: Policy;
  /** What is wrong with the policy as it is set now, where `policy` is only what can be had of it. */
  readonly policyProblems?: readonly string[];
  /** What was ignored when it was read. */
  readonly policyWarnings?: readonly string[];
  readonly resourcesFolder: string;
  readonly log: Logger;
  /** For `<alias>` in "keyPrefix"; null: not known. */
  readonly instanceAlias?: string | null;
  /** null: look from outside. */
  readonly live?: LiveState | null;
  /** As for startServices. */
  readonly monitorSource?: MonitorSource;
  readonly keyStore?: KeyStore;
  readonly run?: RunTool;
  /** Where a desktop can be asked; else its settings are read. */
  readonly resolveProxy?: ResolveProxy;
}

export interface HealthChecks {
  /** In their order; each may be run again and again. */
  readonly checks: readonly Check[];
  /** Lets go of the display. */
  close(): void;
}

/** What is called a recording still, after so long, was cut off and never told of. */
const LONGEST_RECORDING_MS = 24 * 3_600_000;

export function healthChecks(options: HealthOptions): HealthChecks {
  const { policy, resourcesFolder, live = null, run = runTool, log } = options;
  const { dataDir, port, allowedDomains } = policy;
  const keyFile = join(dataDir, 'spool.key');
  const finder = new FfmpegFinder({
    ffmpegPath: policy.ffmpegPath,
    resourcesFolder,
    encoder: policy.encoder,
  });
  // One connection for all: an X server whose last client goes away may begin anew.
  const displays = displaysOf({
    platform: process.platform,
    display: policy.display,
    maxMonitors: policy.maxMonitors,
    source: options.monitorSource ?? null,
  });
  const recordings = recordingsOf(policy, live);
  const limits = limitsOf(policy);
  const cloud = cloudSubjects({
    policy,
    run,
    instanceAlias: options.instanceAlias ?? policy.instanceAlias,
    resolveProxy: options.resolveProxy ?? null,
    machine: `${hostname()} ${userName()}`,
    lastProblem: live?.eventBridgeProblem ?? null,
  });
  const checks = allChecks({
    ...cloud,
    port: {
      port,
      holder: async () => {
        const found = await findPortHolder(port, originThatIsAllowed(allowedDomains));
        if (found === null) return null;
        return { ...found, isOurs: (await runningOn(dataDir))?.port === port };
      },
    },
    instance: { dataDir, running: () => runningOn(dataDir) },
    policy: {
      problems: options.policyProblems ?? [],
      ignored: options.policyWarnings ?? [],
      state: () => readPolicyState(dataDir),
    },
    domains: policy,
    browsers: {
      allowedDomains,
      read: () => readBrowserPolicies({ platform: process.platform, run }),
    },
    refused: {
      logFolder: join(dataDir, 'logs'),
      isAllowed: (origin) => judge(`127.0.0.1:${port}`, origin, port, policy).allowed,
      now: Date.now,
    },
    encoder: {
      find: async () => {
        const { encoder, binary, warning } = await finder.find();
        return { encoder, path: binary.path, version: binary.version, warning };
      },
    },
    displays: {
      maxMonitors: policy.maxMonitors,
      read: async (): Promise<Desk | null> => {
        const layout = await displays.current(null);
        if (layout === null) return null;
        const { picture, monitors, leftOut } = layout;
        const fit = picture.kind === 'composed' ? picture.fit : null;
        return { monitors, leftOut, picture: fit === null ? null : { ...fit.canvas, scaled: fit.scaled } };
      },
    },
    capture: {
      isRecording: recordings.areOn,
      measure: async () => {
        const beginning = new AbortController();
        const unwatch = recordings.onBegin(() => beginning.abort());
        try {
          const spawn = ffmpegSpawner(log);
          return await tryCapture({ finder, displays, spawn, fps: policy.fps, signal: beginning.signal });
        } finally {
          unwatch();
        }
      },
    },
    data: {
      dataDir,
      quotaBytes: limits.quotaBytes,
      minFreeBytes: limits.minFreeBytes,
      spool: async () => {
        const root = join(dataDir, 'spool');
        const quota = new SpoolQuota({ root, ...limits, now: Date.now, onProblem: () => undefined });
        await quota.measure();
        const unreadable = await readUnreadable(dataDir);
        const rows = withUnreadable(await recordings.rows(), unreadable);
        const since = Date.now() - LATELY_DAYS * 24 * 3_600_000;
        return {
          heldBytes: quota.usedBytes,
          waiting: rows.filter((row) => row.waiting).length,
          unreadable,
          damaged: rows.filter(({ integrity, time }) => integrity === 'damaged' && Date.parse(time) > since)
            .length,
        };
      },
    },
    statusEvents: { file: policy.statusEventsFile },
    keyStore: {
      store: options.keyStore ?? keyFileStore(keyFile),
      isMade: async () => options.keyStore !== undefined || (await stat(keyFile).catch(() => null)) !== null,
    },
    machine: {
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      nodeVersion: process.versions.node,
      electronVersion: (process.versions as Record<string, string | undefined>)['electron'] ?? null,
      platform: platform(),
      osRelease: release(),
      sessionType: process.env.XDG_SESSION_TYPE ?? null,
    },
  });
  return {
    checks,
    close: () => {
      // A source that was given goes on.
      if (options.monitorSource === undefined) displays.close();
    },
  };
}

function originThatIsAllowed([domain]: readonly string[]): string {
  return domain === undefined ? 'http://localhost' : `https://${domain}`;
}

/** Who holds the data folder's lock, and the port that it has told. */
async function runningOn(dataDir: string): Promise<{ pid: number; port: number | null } | null> {
  const pid = lockHolder(dataDir);
  if (pid === null) return null;
  // Its secrets stay in here.
  const told = await readControlFile(dataDir).catch(() => null);
  return { pid, port: told?.pid === pid ? told.port : null };
}

function recordingsOf({ dataDir, statusEventsFile }: Policy, live: LiveState | null) {
  const events = new EventsReader(statusEventsFile);
  let known: Row[] = [];
  const rows = async () => (known = readRows(await events.next().catch(() => ''), known));
  const areOn = async (): Promise<boolean> => {
    if (live !== null) return live.isRecording();
    if (lockHolder(dataDir) === null) return false;
    const since = Date.now() - LONGEST_RECORDING_MS;
    return (await rows()).some(({ status, time }) => status === 'INITIATED' && Date.parse(time) > since);
  };
  return {
    rows,
    areOn,
    /** @returns the way to end it */
    onBegin(told: () => void): () => void {
      const look = (): void => void areOn().then((on) => (on ? told() : undefined));
      if (live !== null) return live.onChange(look);
      try {
        // The folder: the file may not be there yet.
        const watcher = watch(join(statusEventsFile, '..'), look).on('error', () => undefined);
        return () => watcher.close();
      } catch {
        return () => undefined;
      }
    },
  };
}

/** A container may run as a number that has no account (getpwuid(3) finds nothing). */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
