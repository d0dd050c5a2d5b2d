// `sightline recordings`: the recordings of this machine, from the status events' file. It needs no running Sightline.

import type { Command } from 'commander';
import { readUnreadable } from '../spool/unreadableFolders.ts';
import { EventsReader } from '../status/eventsReader.ts';
import { readRows, withUnreadable, type Row } from '../status/recordingList.ts';
import { counted } from '../diagnostics/check.ts';
import { addPolicyOptions, policyWithWarnings, print, type CommandOptions } from './options.ts';

/** @returns the command, to which `retry` is added */
export function addRecordingsCommand(program: Command): Command {
  const command = program
    .command('recordings')
    .description('list the recordings of this machine and their status')
    .usage('[options] [retry]')
    .enablePositionalOptions()
    .option('--json', 'print one JSON object');
  return addPolicyOptions(command).action(recordingsCommand);
}

async function recordingsCommand(options: CommandOptions): Promise<void> {
  const { values } = await policyWithWarnings(options);
  const unreadable = await readUnreadable(values.dataDir);
  const rows = withUnreadable(await recordingRows(values.statusEventsFile), unreadable);
  if (options.json === true) {
    print(JSON.stringify({ recordings: rows, unreadable }));
    return;
  }
  const lines = rows.length === 0 ? ['No recordings yet.'] : table(rows);
  const pending = rows.filter((row) => row.waiting).length;
  if (pending > 0)
    lines.push(
      `${counted(pending, 'upload')} pending; retrying automatically. To retry now: sightline recordings retry`,
    );
  for (const { folder, code, message } of unreadable)
    lines.push(
      `${folder} cannot be read: ${code}: ${message} Sightline keeps it and tries again at each start. What to do: ` +
        'docs/support.md, SPOOL_UNREADABLE.',
    );
  print(lines.join('\n'));
}

export async function recordingRows(statusEventsFile: string): Promise<Row[]> {
  return readRows(await new EventsReader(statusEventsFile).next());
}
/** A header and a line for each recording; times are UTC. */
export function table(rows: readonly Row[]): string[] {
  const cells = [
    ['STARTED', 'LENGTH', 'STATUS', 'CONTACT', 'DETAILS'],
    ...rows.map((row) => [
      row.startTime.replace(/\.\d+Z$/, 'Z'),
      row.durationMs === null ? '-' : lengthText(row.durationMs),
      statusText(row),
      row.contact,
      detailText(row),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) => {
    const padded = line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return padded.join('  ').trimEnd();
  });
}

/** `1:02:03`, `2:03` */
function lengthText(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function statusText({ status, waiting }: Row): string {
  const texts = { INITIATED: 'RECORDING', COMPLETED: 'UNREADABLE', PUBLISHED: 'PUBLISHED', FAILED: 'FAILED' };
  return waiting ? 'PENDING' : texts[status];
}

function detailText({ waiting, reason, detail, integrity }: Row): string {
  if (waiting) return reason === null ? '' : `${reason.code}: ${reason.message}`;
  return integrity === null ? detail : `${detail}  (${integrity}: see the manifest)`;
}
