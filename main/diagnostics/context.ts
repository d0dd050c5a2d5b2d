// What health checks share: the policy, system tools, one connection to the display, and the time that servers reported.
// `sightline doctor` examines a running Sightline from outside, the app from inside (`live`).

import { displaysOf, type Displays } from '../capture/displays.ts';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import { ask, type Question } from '../platform/ask.ts';
import type { Network } from '../platform/network/network.ts';
import { systemKeyStore, type KeyStore } from '../platform/keyStore.ts';
import { MAX_ANSWER_BYTES } from '../platform/limits.ts';
import type { Logger } from '../platform/log.ts';
import { runTool, type RunTool } from '../platform/runTool.ts';
import type { Policy } from '../policy/keys.ts';
import { EventsReader } from '../status/eventsReader.ts';
import { readRows, type Row } from '../status/recordingList.ts';
import type { Environment } from './check.ts';
import type { ResolveProxy } from './network/checkNetwork.ts';

/** What a running Sightline knows about itself. */
export interface LiveState {
  /** True during a contact, also a suspended one. */
  readonly isRecording: () => boolean;
  /** @returns unsubscribe */
  readonly onChange: (listener: () => void) => () => void;
  /** The error of the last attempt; null after a success. */
  readonly eventBridgeProblem: () => string | null;
}

interface Given {
  readonly policy: Policy;
  /** What is wrong with the policy as it is set now; `policy` has its valid part. */
  readonly policyProblems: readonly string[];
  /** Settings that were ignored when it was read. */
  readonly policyWarnings: readonly string[];
  readonly log: Logger;
  /** The one that uploads use. */
  readonly network: Network;
  /** For `<alias>` in "keyPrefix"; null: the policy's. */
  readonly instanceAlias: string | null;
  /** null: examine from outside. */
  readonly live: LiveState | null;
  /** The platform's; null: the key file. */
  readonly keyStore: KeyStore | null;
  readonly run: RunTool;
  /** The desktop's proxy settings; null: the system's are read. */
  readonly resolveProxy: ResolveProxy | null;
  readonly environment: Environment;
}

export type CheckOptions = Partial<Given> &
  Pick<Given, 'policy' | 'log' | 'network'> & {
    readonly resourcesFolder: string;
  };

export interface CheckContext extends Given {
  readonly finder: FfmpegFinder;
  /** One connection for all checks: an X server can reset when its last client disconnects. */
  readonly displays: Displays;
  readonly servers: Servers;
  /** Releases the display. */
  close(): void;
}

export function openContext({ resourcesFolder, ...given }: CheckOptions): CheckContext {
  const displays = displaysOf({ platform: process.platform, policy: given.policy });
  return {
    ...{ policyProblems: [], policyWarnings: [], live: null, keyStore: systemKeyStore(), run: runTool },
    ...{ resolveProxy: null, environment: process.env },
    ...given,
    instanceAlias: given.instanceAlias ?? given.policy.instanceAlias,
    finder: new FfmpegFinder(given.policy, resourcesFolder),
    displays,
    servers: new Servers(given.network),
    close: () => displays.close(),
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

  constructor(private readonly network: Network) {}

  /** @param server its name in evidence @returns the HTTP status @throws when there is no answer */
  async ask(server: string, url: string, method: Question['method']): Promise<number> {
    const post = { headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const { status, date } = await ask(this.network, url, {
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

/** The recordings that the status events report: reads everything at the first call, and only what is new at later ones. */
export function recordingsReader({ statusEventsFile }: Policy): () => Promise<Row[]> {
  const events = new EventsReader(statusEventsFile);
  let rows: Row[] = [];
  return async () => (rows = readRows(await events.next().catch(() => ''), rows));
}
