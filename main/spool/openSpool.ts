// Opens the spool of the data folder with everything that belongs to it: keys, quota, the session that records now, and
// what is remembered of sessions that were deleted or cannot be read.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { KeyStore } from '../platform/keyStore.ts';
import { keyFileStore } from '../platform/keyStore.ts';
import type { Logger } from '../platform/log.ts';
import { endOrphan } from '../platform/orphans.ts';
import type { Failure } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import type { Clock } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import { CurrentSpoolSession } from './currentSession.ts';
import type { JournalEntry } from './journal.ts';
import { spoolError } from './journal.ts';
import { SpoolQuota, limitsOf } from './quota.ts';
import { canContinue } from './recoveredContacts.ts';
import { hasSealed, sessionKeys } from './sessionKeys.ts';
import type { SpoolSession } from './spool.ts';
import { Spool } from './spool.ts';
import { SuspendedMemory } from './suspendedMemory.ts';
import { UnreadableFolders } from './unreadableFolders.ts';

/** In the command line of every capture run, and hardly in any other. */
const ORPHAN_ARGUMENTS = ['ffmpeg', 'frag_every_frame', 'pipe:1'];

/** Read when needed: policy may change, except the data folder. */
export interface SpoolPolicy {
  readonly dataDir: string;
  readonly statusEventsFile: string;
  readonly graceSeconds: number;
  readonly fps: number;
  readonly agentMaySuspend: boolean;
  readonly spoolQuotaMiB: number;
  readonly spoolMinFreeMiB: number;
  readonly keepPublishedHours: number;
}

export interface OpenSpoolOptions {
  readonly policy: SpoolPolicy;
  /** Wraps new keys; undefined: a key file in the data folder does. */
  readonly keyStore: KeyStore | null;
  readonly announcer: {
    announceRecovered(session: SpoolSession): Promise<void>;
    announceUnreadable(eventsFile: string, failures: ReadonlyMap<string, Failure>): Promise<void>;
  };
  /** The encoder that is in use now, if there is one. */
  readonly encoder: () => EncoderName | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OpenSpool {
  readonly spool: Spool;
  readonly current: CurrentSpoolSession;
  readonly memory: SuspendedMemory;
  readonly unreadable: UnreadableFolders;
  /** Resolves when the entry is on the disk, however long that takes. */
  readonly journal: (entry: JournalEntry) => Promise<void>;
  /** Tries whether a session could be sealed. @throws SightlineError SPOOL_UNREADABLE, SPOOL_FULL */
  readonly createKey: () => Promise<unknown>;
}

/** Reads and writes nothing yet. */
export function openSpool({ policy, keyStore, announcer, encoder, clock, log }: OpenSpoolOptions): OpenSpool {
  const { dataDir } = policy;
  const root = join(dataDir, 'spool');
  const suspendedFolder = join(dataDir, 'suspended');
  const keyFile = keyFileStore(join(dataDir, 'spool.key'), () => hasSealed([root, suspendedFolder]));
  const { warning } = keyStore ?? keyFile;
  if (warning !== null) log.warn(warning);
  const keys = sessionKeys(keyStore === null ? [keyFile] : [keyStore, keyFile]);
  const now = (): number => clock.now();
  const memory = new SuspendedMemory({ folder: suspendedFolder, keys, now, log });
  const unreadable = new UnreadableFolders({
    dataDir,
    announceFailed: (failures) => announcer.announceUnreadable(policy.statusEventsFile, failures),
    log,
  });
  const quota = new SpoolQuota({
    root,
    limits: () => limitsOf(policy),
    now,
    onProblem: (message, error) => log.warn(message, { reason: String(error) }),
  });
  const spool = new Spool({
    root,
    quota,
    keys,
    keepJournal: (session) => memory.keep(session),
    newSessionId: () => `${toTimestamp(now()).replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
    onRecovered: (session) => announcer.announceRecovered(session),
    endOrphan: async (pid) => {
      if (await endOrphan(pid, ORPHAN_ARGUMENTS))
        log.warn('an ffmpeg of an earlier Sightline was ended', { pid });
    },
    canContinue: (session) =>
      canContinue(session, {
        now: now(),
        graceMs: policy.graceSeconds * 1000,
        fps: policy.fps,
        encoder: encoder(),
      }),
    agentMaySuspend: () => policy.agentMaySuspend,
    onTrouble: (folder, error) => {
      if (error === null) log.info('the journal is complete again', { folder });
      else log.error('the journal cannot be written', { folder, code: error.code, reason: error.message });
    },
    onUnreadable: (folder, error, recordings) => unreadable.add(folder, error, recordings),
  });
  const current = new CurrentSpoolSession(spool);
  return {
    ...{ spool, current, memory, unreadable },
    journal: async (entry) => {
      await current.append(entry);
      void memory.onEntry(entry, (recordingId) => current.sessionOf(recordingId)?.ledger);
    },
    createKey: () =>
      keys.create().catch((error: unknown) => {
        throw spoolError(error, root);
      }),
  };
}
