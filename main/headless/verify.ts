// `sightline verify`: whether the recordings of a folder or an S3 prefix are what was recorded. It only reads. The work is
// done by a separate bundle, which a recorder never loads.

import type { Command } from 'commander';
import type * as VerifyModule from '../../review/server/verify/verifyLibrary.ts';
import type { RecordingResult, Verdict, VerifySummary } from '../../review/server/verify/verifyLibrary.ts';
import { counted } from '../diagnostics/check.ts';
import { NodeNetwork } from '../platform/network/nodeNetwork.ts';
import { errno, errorMessage } from '../shared/errors.ts';
import {
  EXIT_UNAVAILABLE,
  EXIT_USAGE,
  addPolicyOptions,
  policyWithWarnings,
  print,
  type CommandOptions,
} from './options.ts';
import { locationFrom, reviewBundle } from './reviewLibrary.ts';

interface OwnOptions {
  readonly events: readonly string[];
  readonly jobs?: number;
}

const NOT_INTACT = 1;
const PROGRESS_EVERY_MS = 250;
/** A disk is read by few at a time; a store's answers take their time. */
const JOBS = { folder: 4, s3: 16 };

const names: Readonly<Record<Verdict, string>> = {
  intact: 'intact',
  changed: 'changed',
  'not-verifiable': 'not verifiable',
  'no-manifest': 'without a manifest',
  'no-video': 'without an MP4',
  missing: 'missing',
  unavailable: 'not readable',
};

export function addVerifyCommand(program: Command): void {
  const jobs = (text: string): number =>
    /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 256
      ? Number(text)
      : command.error('error: --jobs needs a number from 1 to 256');
  const command = program
    .command('verify')
    .description('check whether recordings are what was recorded; exit code 1 when not')
    .argument('[location]', 'a folder, or s3://bucket/prefix (default: where policy sends recordings)')
    .option(
      '--events <file>',
      'compare with the PUBLISHED events in this file, one event a line; repeatable',
      (text: string, before: readonly string[]): string[] => [...before, text],
      [],
    )
    .option(
      '--jobs <number>',
      `recordings to read at a time (default: ${JOBS.folder}; from S3 ${JOBS.s3})`,
      jobs,
    )
    .option('--json', 'print one JSON object');
  addPolicyOptions(command).action(verifyCommand);
}

async function verifyCommand(
  location: string | undefined,
  options: OwnOptions & CommandOptions,
): Promise<void> {
  const { values: policy } = await policyWithWarnings(options);
  const { verifyLibrary } = (await reviewBundle('verify')) as typeof VerifyModule;
  const place = location ?? locationFrom(policy);
  const found: RecordingResult[] = [];
  const progress = new Progress();
  try {
    const summary = await verifyLibrary({
      ...{ location: place, events: options.events, policy, network: new NodeNetwork(policy) },
      jobs: options.jobs ?? (/^s3:/i.test(place) ? JOBS.s3 : JOBS.folder),
      signal: new AbortController().signal,
      onResult: (result, soFar) => {
        if (result.verdict !== 'intact' && options.json === true) found.push(result);
        else if (result.verdict !== 'intact') {
          progress.clear();
          print(lineOf(result));
        }
        progress.show(soFar);
      },
    });
    progress.clear();
    const { counts, bytes, elapsedMs, events } = summary;
    if (options.json === true)
      print(
        JSON.stringify({
          library: place,
          counts,
          bytes,
          elapsedMs: Math.round(elapsedMs),
          events,
          recordings: found,
        }),
      );
    else print(summaryOf(summary));
    process.exitCode = exitCodeOf(counts);
  } catch (error) {
    progress.clear();
    const [code, text] = explained(error, options.events);
    process.stderr.write(`sightline: ${text}\n`);
    process.exitCode = code;
  }
}

function lineOf({ name, verdict, findings }: RecordingResult): string {
  return `${names[verdict].toUpperCase()}  ${name}\n    ${findings.join('\n    ')}`;
}

function summaryOf(summary: VerifySummary): string {
  const { counts, bytes, elapsedMs, events } = summary;
  const results = (Object.keys(names) as Verdict[])
    .filter((verdict) => verdict === 'intact' || counts[verdict] > 0)
    .map((verdict) => `${counts[verdict].toLocaleString('en')} ${names[verdict]}`);
  const seconds = elapsedMs / 1000;
  const speed = seconds === 0 ? '' : `, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  const lines = [
    `${counted(totalOf(counts), 'recording')} in ${seconds.toFixed(1)} s (${(bytes / 1e6).toFixed(1)} MB${speed}): ${results.join(', ')}.`,
  ];
  if (events !== null)
    lines.push(
      `Compared with ${counted(events.recordings, 'PUBLISHED event')}${events.unreadableLines > 0 ? `; ${counted(events.unreadableLines, 'line')} could not be read` : ''}.`,
    );
  return lines.join('\n');
}

function totalOf(counts: VerifySummary['counts']): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** What is wrong counts more than what could not be read. */
function exitCodeOf({ intact: _, unavailable, ...wrong }: VerifySummary['counts']): number {
  if (Object.values(wrong).some((count) => count > 0)) return NOT_INTACT;
  return unavailable > 0 ? EXIT_UNAVAILABLE : 0;
}

/** The bundle's errors are of another class. */
function explained(error: unknown, events: readonly string[]): [exitCode: number, text: string] {
  if (error instanceof Error && error.name === 'ReviewFailure' && 'code' in error)
    return [
      error.code === 'INVALID_REQUEST' ? EXIT_USAGE : EXIT_UNAVAILABLE,
      `${String(error.code)}: ${error.message}`,
    ];
  if (errno(error) === undefined || events.length === 0) throw error;
  return [EXIT_UNAVAILABLE, `The file with the events cannot be read: ${errorMessage(error)}`];
}

/** One line on a terminal, replaced as the work goes on. */
class Progress {
  private shownAt = 0;
  private isShown = false;

  show(soFar: VerifySummary): void {
    if (!process.stderr.isTTY || soFar.elapsedMs - this.shownAt < PROGRESS_EVERY_MS) return;
    this.shownAt = soFar.elapsedMs;
    this.isShown = true;
    const { counts, bytes, elapsedMs } = soFar;
    const notIntact = totalOf(counts) - counts.intact;
    process.stderr.write(
      `\r\u001b[K${totalOf(counts).toLocaleString('en')} checked, ${notIntact} not intact, ${(bytes / 1e3 / elapsedMs).toFixed(0)} MB/s`,
    );
  }

  clear(): void {
    if (this.isShown) process.stderr.write('\r\u001b[K');
    this.isShown = false;
  }
}
