// Spools in temporary folders, and sessions whose files are closed when the test that uses them has finished.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JournalEntry, SessionKeys } from '../../../main/spool/journal.ts';
import type { RecoveredSessions } from '../../../main/spool/recoverSessions.ts';
import { recoverSessions } from '../../../main/spool/recoverSessions.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { temporaryFolder } from './folders.ts';

/** What the next process finds in the spool. */
export async function recovered(spool: Spool, now: number): Promise<RecoveredSessions> {
  const sessions = await recoverSessions(spool, now);
  for (const session of sessions.all) closedAfterTest(session);
  return sessions;
}

export function closedAfterTest(session: SpoolSession): SpoolSession {
  onTestFinished(() => session.abandon());
  return session;
}

export interface TestSpool {
  readonly spool: Spool;
  readonly root: string;
  readonly unreadable: { folder: string; error: unknown; recordings: readonly string[] }[];
}

export async function newSpool(keys: SessionKeys): Promise<TestSpool> {
  const root = join(await temporaryFolder(), 'spool');
  const unreadable: TestSpool['unreadable'] = [];
  let sessions = 0;
  const spool = new Spool({
    root,
    keys,
    newSessionId: () => `session-${++sessions}`,
    onUnreadable: (folder, error, recordings) => unreadable.push({ folder, error, recordings }),
  });
  return { spool, root, unreadable };
}

export async function append(
  session: SpoolSession,
  ...entries: (JournalEntry | JournalEntry[])[]
): Promise<void> {
  await Promise.all(entries.flat().map((one) => session.append(one)));
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
