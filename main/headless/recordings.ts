// `sightline recordings`: what became of this machine's recordings, read from the status events' file.

import { readFile } from 'node:fs/promises';
import { errno } from '../shared/errors.ts';
import type { StatusDetail } from '../shared/statusEvent.ts';
import { statusEventSchema } from '../shared/statusEvent.ts';
import type { CommandOptions } from './options.ts';
import { policyFrom } from './options.ts';

interface Row {
  readonly recordingId: string;
  readonly contact: string;
  readonly status: StatusDetail['recordingStatus'];
  readonly time: string;
  readonly detail: string;
}

export async function recordingsCommand(options: CommandOptions): Promise<void> {
  const { values } = policyFrom(options);
  const rows = readRows(await readText(values.statusEventsFile));
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ recordings: rows })}\n`);
    return;
  }
  if (rows.length === 0) process.stdout.write('No recordings yet.\n');
  for (const row of rows) {
    process.stdout.write(`${row.time}  ${row.status.padEnd(9)}  ${row.contact}  ${row.detail}\n`);
  }
}

/** The newest event of each recording, in the order of their beginnings. */
function readRows(text: string): Row[] {
  const rows = new Map<string, Row>();
  for (const line of text.split('\n')) {
    const event = statusEventSchema.safeParse(parse(line));
    if (!event.success) continue; // a torn last line, or somebody else's
    const { detail, time } = event.data;
    const recordingId = detail.eventDeduplicationId.split(':', 1)[0] ?? '';
    const contact = detail.contactArn.split('/').at(-1) ?? '';
    rows.set(recordingId, {
      recordingId,
      contact,
      status: detail.recordingStatus,
      time,
      detail: wordsFor(detail),
    });
  }
  return [...rows.values()];
}

function wordsFor(detail: StatusDetail): string {
  switch (detail.recordingStatus) {
    case 'INITIATED':
      return 'being recorded, or cut off before its end was told';
    case 'COMPLETED':
      return 'waiting to be delivered';
    case 'PUBLISHED':
      return detail.recordingInfo.location;
    case 'FAILED':
      return `${detail.failureInfo.code}: ${detail.failureInfo.message}`;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errno(error) === 'ENOENT') return '';
    throw error;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
