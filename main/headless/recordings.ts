// `sightline recordings`: what became of this machine's recordings, read from the status events' file, which needs no
// running Sightline.

import type { CommandOptions } from './options.ts';
import { policyWithWords } from './options.ts';
import type { Row } from './recordingsModel.ts';
import { readRows, withUnreadable } from './recordingsModel.ts';
import { readUnreadable } from '../spool/unreadableFolders.ts';
import { EventsReader } from '../status/eventsReader.ts';

export async function recordingsCommand(options: CommandOptions): Promise<void> {
  const { values } = await policyWithWords(options);
  const unreadable = await readUnreadable(values.dataDir);
  const rows = withUnreadable(await recordingRows(values.statusEventsFile), unreadable);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ recordings: rows, unreadable })}\n`);
    return;
  }
  if (rows.length === 0) process.stdout.write('No recordings yet.\n');
  for (const row of rows) {
    const found = row.integrity === null ? '' : `  (${row.integrity}: the manifest says what was found)`;
    process.stdout.write(`${row.time}  ${row.status.padEnd(9)}  ${row.contact}  ${row.detail}${found}\n`);
  }
  const waiting = rows.filter((row) => row.waiting).length;
  if (waiting > 0) {
    process.stdout.write(
      `${waiting} ${waiting === 1 ? 'waits' : 'wait'} to be delivered, and ${waiting === 1 ? 'is' : 'are'} tried by itself ` +
        'again and again. To try now: sightline recordings retry\n',
    );
  }
  for (const { folder, code, message } of unreadable) {
    process.stdout.write(
      `${folder} cannot be read: ${code}: ${message} It is not deleted, and is read again at each start of Sightline. What ` +
        'to do: docs/support.md, SPOOL_UNREADABLE.\n',
    );
  }
}

export async function recordingRows(statusEventsFile: string): Promise<Row[]> {
  return readRows(await new EventsReader(statusEventsFile).next());
}
