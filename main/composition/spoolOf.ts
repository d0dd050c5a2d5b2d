// The composition root's part for the spool: builds it from policy and gives it the ports that it needs.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../platform/log.ts';
import { endOrphan } from '../platform/childProcess.ts';
import type { Policy } from '../policy/keys.ts';
import type { EncoderName } from '../shared/names.ts';
import type { Clock } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import type { SessionKeys } from '../spool/journal.ts';
import { canContinue } from '../spool/recoveredContacts.ts';
import type { SpoolQuota, QuotaOptions } from '../spool/quota.ts';
import type { SpoolOptions, SpoolSession } from '../spool/spool.ts';
import { Spool } from '../spool/spool.ts';

/** Found in the command line of every capture run, and hardly in any other. */
const ORPHAN_WORDS = ['ffmpeg', 'frag_every_frame', 'pipe:1'];

export interface SpoolParts {
  /** Each value is read when it is needed: policy may change. */
  readonly policy: Policy;
  readonly keys: SessionKeys;
  readonly clock: Clock;
  readonly log: Logger;
  /** The encoder that is in use now, where one is. */
  readonly encoder: () => EncoderName | undefined;
  readonly quota: (options: Pick<QuotaOptions, 'root' | 'now' | 'onProblem'>) => SpoolQuota;
  readonly keepJournal: NonNullable<SpoolOptions['keepJournal']>;
  readonly onUnreadable: SpoolOptions['onUnreadable'];
  /** Called for each session that an earlier process left, before anything of it is deleted. */
  readonly onRecovered: (session: SpoolSession) => Promise<void>;
}

export function spoolOf(parts: SpoolParts): Spool {
  const { policy, keys, clock, log, encoder, quota, keepJournal, onRecovered, onUnreadable } = parts;
  const root = join(policy.dataDir, 'spool');
  return new Spool({
    root,
    quota: quota({
      root,
      now: () => clock.now(),
      onProblem: (message, error) => log.warn(message, { reason: String(error) }),
    }),
    keys,
    keepJournal,
    newSessionId: () =>
      `${toTimestamp(clock.now()).replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
    onRecovered,
    endOrphan: async (pid) => {
      if (await endOrphan(pid, ORPHAN_WORDS))
        log.warn('an ffmpeg of an earlier Sightline was ended', { pid });
    },
    canContinue: (session) =>
      canContinue(session, {
        now: clock.now(),
        graceMs: policy.graceSeconds * 1000,
        fps: policy.fps,
        encoder: encoder(),
      }),
    agentMaySuspend: () => policy.agentMaySuspend,
    onTrouble: (folder, error) => {
      if (error === null) log.info('the journal is complete again', { folder });
      else log.error('the journal cannot be written', { folder, code: error.code, reason: error.message });
    },
    onUnreadable,
  });
}
