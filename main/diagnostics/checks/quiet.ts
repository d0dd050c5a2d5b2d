// Checks that would disturb a contact (they use the screen, the processor or the line): not run during one, ended when one begins.

import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { lockHolder } from '../../platform/instanceLock.ts';
import { skipped, type Finding } from '../check.ts';
import { recordingsReader, type CheckContext } from '../context.ts';

/** A recording without an end event after this time was cut off. */
const LONGEST_RECORDING_MS = 24 * 3_600_000;

/** @param look its signal aborts when a contact begins; its finding does not count then */
export async function betweenContacts(
  { policy, live }: Pick<CheckContext, 'policy' | 'live'>,
  look: (signal: AbortSignal) => Promise<Finding>,
): Promise<Finding> {
  const recordings = recordingsReader(policy);
  const isRecording = async (): Promise<boolean> => {
    if (live !== null) return live.isRecording();
    if (lockHolder(policy.dataDir) === null) return false;
    const since = Date.now() - LONGEST_RECORDING_MS;
    const rows = await recordings();
    return rows.some(({ status, time }) => status === 'INITIATED' && Date.parse(time) > since);
  };
  const notNow = (why: string): Finding =>
    skipped(`not run while recording${why}`, 'Run it again when no contact is active.');
  if (await isRecording()) return notNow('');
  const begun = new AbortController();
  const lookAgain = (): void => void isRecording().then((is) => (is ? begun.abort() : undefined));
  const unwatch = live?.onChange(lookAgain) ?? onFolderChange(dirname(policy.statusEventsFile), lookAgain);
  try {
    const finding = await look(begun.signal);
    return begun.signal.aborted ? notNow(': a contact began') : finding;
  } catch (error) {
    if (begun.signal.aborted) return notNow(': a contact began');
    throw error;
  } finally {
    unwatch();
  }
}

/** The folder, because the file may not exist yet. @returns unsubscribe */
function onFolderChange(folder: string, listener: () => void): () => void {
  try {
    const watcher = watch(folder, listener).on('error', () => undefined);
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
