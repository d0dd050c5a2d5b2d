// `sightline recordings`: what became of this machine's recordings, read from the status events' file, which needs no
// running Sightline.

import { readFile } from 'node:fs/promises';
import { errno } from '../shared/errors.ts';
import type { CommandOptions } from './options.ts';
import { policyWithWords } from './options.ts';
import type { Row } from './recordingsModel.ts';
import { readRows } from './recordingsModel.ts';

export async function recordingsCommand(options: CommandOptions): Promise<void> {
  const { values } = await policyWithWords(options);
  const rows = await recordingRows(values.statusEventsFile);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ recordings: rows })}\n`);
    return;
  }
  if (rows.length === 0) process.stdout.write('No recordings yet.\n');
  for (const row of rows) {
    process.stdout.write(`${row.time}  ${row.status.padEnd(9)}  ${row.contact}  ${row.detail}\n`);
  }
  const waiting = rows.filter((row) => row.waiting).length;
  if (waiting > 0) {
    process.stdout.write(
      `${waiting} ${waiting === 1 ? 'waits' : 'wait'} to be delivered, and ${waiting === 1 ? 'is' : 'are'} tried by itself ` +
        'again and again. To try now: sightline recordings retry\n',
    );
  }
}

export async function recordingRows(statusEventsFile: string): Promise<Row[]> {
  try {
    return readRows(await readFile(statusEventsFile, 'utf8'));
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}
