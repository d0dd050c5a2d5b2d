// Session keys guarded by a real key file in a temporary folder; journals and runs written and read with them.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyFileStore } from '../../../main/platform/keyStore.ts';
import type { JournalEntry, SessionKeys } from '../../../main/spool/journal.ts';
import { Journal, readJournal } from '../../../main/spool/journal.ts';
import { createRunFile } from '../../../main/spool/runFiles.ts';
import { sessionKeys } from '../../../main/spool/sessionKeys.ts';
import type { Spool, SpoolSession } from '../../../main/spool/spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'sightline-keys-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Others than all before. */
export function testKeys(): SessionKeys {
  return sessionKeys([keyFileStore(join(folder, `${randomUUID()}.key`))]);
}

/** A run file as a crash may leave it: with these bytes in it. */
export async function writeRun(path: string, bytes: Uint8Array, dataKey: Buffer): Promise<void> {
  const writer = await createRunFile(path, dataKey);
  if (bytes.byteLength > 0) await writer.append(bytes);
  await writer.close();
}

/** Creates the journal, or continues it. */
export async function openJournal(path: string, keys: SessionKeys): Promise<Journal> {
  if (existsSync(path)) return (await Journal.resume(path, keys)).journal;
  const journal = Journal.create(path, keys);
  await journal.guard();
  return journal;
}

export async function writeJournal(
  path: string,
  entries: readonly JournalEntry[],
  keys: SessionKeys,
): Promise<Buffer> {
  const journal = await openJournal(path, keys);
  await Promise.all(entries.map((one) => journal.append(one)));
  await journal.close();
  return journal.dataKey;
}

export async function journalEntries(path: string, keys: SessionKeys): Promise<JournalEntry[]> {
  return (await readJournal(path, keys))?.entries ?? [];
}

/** A new session whose folder and journal are there. */
export async function openedSession(spool: Spool): Promise<SpoolSession> {
  const session = spool.openSession();
  await session.guard();
  return session;
}
