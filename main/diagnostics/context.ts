// What health checks share: the policy, system tools, one connection to the display, and the time that servers reported.
// `sightline doctor` examines a running Sightline from outside, the app from inside (`live`).

import type { Displays, MonitorSource } from '../capture/displays.ts';
import { displaysOf } from '../capture/displays.ts';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import type { Row } from '../status/recordingList.ts';
import { EventsReader } from '../status/eventsReader.ts';
import { readRows } from '../status/recordingList.ts';
import type { Question } from '../platform/ask.ts';
import { ask } from '../platform/ask.ts';
import { readControlFile } from '../server/controlFile.ts';
import { lockHolder } from '../platform/instanceLock.ts';
import type { KeyStore } from '../platform/keyStore.ts';
import { MAX_ANSWER_BYTES } from '../platform/limits.ts';
import type { Logger } from '../platform/log.ts';
import type { RunTool } from '../platform/runTool.ts';
import { runTool } from '../platform/runTool.ts';
import type { Policy } from '../policy/keys.ts';
import type { ResolveProxy } from './network/proxy.ts';
import type { Environment } from './system.ts';

/** What a running Sightline knows about itself. */
export interface LiveState {
  /** True during a contact, also a suspended one. */
  readonly isRecording: () => boolean;
  /** @returns unsubscribe */
  readonly onChange: (listener: () => void) => () => void;
  /** The error of the last attempt; null after a success. */
  readonly eventBridgeProblem: () => string | null;
}

export interface CheckOptions {
  readonly policy: Policy;
  /** What is wrong with the policy as it is set now; `policy` has its valid part. */
  readonly policyProblems?: readonly string[];
  /** Settings that were ignored when it was read. */
  readonly policyWarnings?: readonly string[];
  readonly resourcesFolder: string;
  readonly log: Logger;
  /** For `<alias>` in "keyPrefix"; null when unknown. */
  readonly instanceAlias?: string | null;
  /** null: examine from outside. */
  readonly live?: LiveState | null;
  /** As for startServices. */
  readonly monitorSource?: MonitorSource;
  readonly keyStore?: KeyStore;
  readonly run?: RunTool;
  /** The desktop's proxy settings; without it the system's are read. */
  readonly resolveProxy?: ResolveProxy;
  readonly environment?: Environment;
}

export interface CheckContext {
  readonly policy: Policy;
  readonly policyProblems: readonly string[];
  readonly policyWarnings: readonly string[];
  readonly log: Logger;
  readonly instanceAlias: string | null;
  readonly live: LiveState | null;
  readonly keyStore: KeyStore | null;
  readonly run: RunTool;
  readonly resolveProxy: ResolveProxy | null;
  readonly environment: Environment;
  readonly finder: FfmpegFinder;
  /** One connection for all checks: an X server can reset when its last client disconnects. */
  readonly displays: Displays;
  readonly servers: Servers;
  /** Releases the display. */
  close(): void;
}

export function openContext(options: CheckOptions): CheckContext {
  const { policy, resourcesFolder, monitorSource = null } = options;
  const { ffmpegPath, encoder, display, maxMonitors } = policy;
  const displays = displaysOf({ platform: process.platform, policy: { display, maxMonitors }, source: monitorSource });
  return {
    policy,
    policyProblems: options.policyProblems ?? [],
    policyWarnings: options.policyWarnings ?? [],
    log: options.log,
    instanceAlias: options.instanceAlias ?? policy.instanceAlias,
    live: options.live ?? null,
    keyStore: options.keyStore ?? null,
    run: options.run ?? runTool,
    resolveProxy: options.resolveProxy ?? null,
    environment: options.environment ?? process.env,
    finder: new FfmpegFinder({ ffmpegPath, encoder }, resourcesFolder),
    displays,
    servers: new Servers(),
    close: () => {
      // The caller owns its source.
      if (monitorSource === null) displays.close();
    },
  };
}

const ANSWER_WITHIN_MS = 10_000;

export interface ServerTime {
  readonly server: string;
  /** This computer's clock minus the server's; positive: fast. */
  readonly offsetMs: number;
}

/** Requests to the servers that policy names, and the time in their answers. */
export class Servers {
  time: ServerTime | null = null;

  /** @param server its name in evidence @returns the HTTP status @throws when there is no answer */
  async ask(server: string, url: string, method: Question['method']): Promise<number> {
    const post = { headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const { status, date } = await ask(url, {
      ...(method === 'POST' ? post : {}),
      ...{ method, timeoutMs: ANSWER_WITHIN_MS, maxAnswerBytes: MAX_ANSWER_BYTES },
    });
    this.noteDate(server, date);
    return status;
  }

  /** @param date a Date header, which has whole seconds */
  noteDate(server: string, date: string | null): void {
    const theirs = Date.parse(date ?? '');
    if (!Number.isNaN(theirs)) this.time = { server, offsetMs: Date.now() - (theirs + 500) };
  }
}

/** The process that has locked the data folder; `port` is null when it has not published one. */
export async function runningInstance(dataDir: string): Promise<{ pid: number; port: number | null } | null> {
  const pid = lockHolder(dataDir);
  if (pid === null) return null;
  const control = await readControlFile(dataDir).catch(() => null);
  return { pid, port: control?.pid === pid ? control.port : null };
}

/** The recordings that the status events report. */
export function readRecordings(policy: Policy): Promise<Row[]> {
  return recordingsReader(policy)();
}

/** Reads everything at the first call, and only what is new at later ones. */
export function recordingsReader({ statusEventsFile }: Policy): () => Promise<Row[]> {
  const events = new EventsReader(statusEventsFile);
  let rows: Row[] = [];
  return async () => (rows = readRows(await events.next().catch(() => ''), rows));
}
