// Whether the line to the sink is fast enough for an agent: a timed upload (or write) of a trial object that is deleted again. It
// uploads 3.3 MiB at most, takes seconds on a slow line, and is not run during a contact.

import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderRequests } from '../../publisher/folderRequests.ts';
import { quoteError, s3Advice } from '../../publisher/s3/s3Errors.ts';
import { openS3Line } from '../../publisher/s3/s3Throughput.ts';
import { s3SettingsOf } from '../../publisher/s3/settings.ts';
import { trialKey } from '../../publisher/s3/trialKey.ts';
import { SinkIdentity } from '../../publisher/sinkIdentity.ts';
import { UploadError } from '../../publisher/uploadError.ts';
import { errorMessage } from '../../shared/errors.ts';
import { failed, ok, skipped, warning, type Finding } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { awsMinimum } from '../network/hosts.ts';
import { trialPlace } from './aws.ts';
import { betweenContacts } from './quiet.ts';

const FIRST_BYTES = 64 * 1024;
const LAST_BYTES = 2 * 1024 * 1024;
const GROWTH = 4;
/** A transfer of this length is a measurement: latency is a small part of it. Four times the bytes then take 3 s at most. */
const ENOUGH_MS = 700;
/** The first bytes at 45 kbit/s. */
const TRANSFER_WITHIN_MS = 12_000;

/** What an agent records, in kB a minute (docs/deploy.md): on a mixed day, and one who pages and scrolls all the time. */
const MIXED_KB_PER_MINUTE = 700;
const BROWSING_KB_PER_MINUTE = 2300;
/** Below it uploads cannot keep up with an agent's day. */
const HOPELESS_KBPS = (MIXED_KB_PER_MINUTE * 8) / 60;

export interface Transfer {
  readonly bytes: number;
  readonly ms: number;
  /** False: it was given up after this time. */
  readonly isWhole: boolean;
}

interface Line {
  put(sizeBytes: number, signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
}

type ThroughputContext = Pick<CheckContext, 'policy' | 'instanceAlias' | 'live' | 'network'>;

export function throughputCheck(context: ThroughputContext): Promise<Finding> | Finding {
  const { sink, brokerUrl } = context.policy;
  if (sink === 's3' && brokerUrl !== null)
    return skipped(
      'the broker issues credentials only for an agent’s token and for the name of a recording, so nothing else can be uploaded',
      'The window shows the progress of each upload.',
    );
  return betweenContacts(context, (signal) => (sink === 's3' ? tryBucket : tryFolder)(context, signal));
}

async function tryBucket(context: ThroughputContext, signal: AbortSignal): Promise<Finding> {
  const { policy } = context;
  const { prefix, machine } = trialPlace(context);
  let line: Line;
  try {
    line = await openS3Line(s3SettingsOf(policy), trialKey(prefix, machine), context.network);
  } catch {
    return skipped('nothing can be uploaded: see the check "sink bucket"');
  }
  try {
    const limit = policy.uploadLimitKbit;
    return judgeThroughput(
      await measure(line, signal),
      `s3://${policy.s3Bucket}`,
      limit === 0 ? null : limit,
    );
  } catch (error) {
    const cause = error instanceof UploadError ? (error.cause ?? error) : error;
    return failed(quoteError(cause), s3Advice(error));
  } finally {
    await line.end();
  }
}

async function tryFolder({ policy }: ThroughputContext, signal: AbortSignal): Promise<Finding> {
  const { sinkFolder, dataDir } = policy;
  try {
    // A share that is not mounted would be measured as a fast local disk.
    await new SinkIdentity(sinkFolder, dataDir).check();
    const line = folderLine(sinkFolder);
    try {
      return judgeThroughput(await measure(line, signal), sinkFolder, null);
    } finally {
      await line.end();
    }
  } catch (error) {
    return skipped(
      `${sinkFolder} cannot be written to: see the check "sink folder" (${errorMessage(error)})`,
    );
  }
}

/** Its file has the name of those that the check "sink folder" writes, which also deletes what a killed check has left. */
function folderLine(folder: string): Line {
  const requests = new FolderRequests(folder, TRANSFER_WITHIN_MS);
  const path = join(folder, `.sightline-${randomBytes(4).toString('hex')}.probe`);
  const write = async (content: Buffer): Promise<void> => {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  };
  return {
    put: (sizeBytes) => requests.within(() => write(randomBytes(sizeBytes))),
    end: () => requests.cleanUp(() => rm(path, { force: true })),
  };
}

/** Larger transfers as long as they take too little time to say anything. @throws what the line throws */
async function measure(line: Line, signal: AbortSignal): Promise<Transfer> {
  for (let bytes = FIRST_BYTES; ; bytes = Math.min(bytes * GROWTH, LAST_BYTES)) {
    const deadline = AbortSignal.timeout(TRANSFER_WITHIN_MS);
    const started = performance.now();
    const since = (): number => Math.max(1, performance.now() - started);
    try {
      await line.put(bytes, AbortSignal.any([signal, deadline]));
    } catch (error) {
      // Timers may be a little early.
      if (since() < TRANSFER_WITHIN_MS - 100) throw error;
      return { bytes, ms: TRANSFER_WITHIN_MS, isWhole: false };
    }
    const ms = since();
    if (ms >= ENOUGH_MS || bytes === LAST_BYTES || signal.aborted) return { bytes, ms, isWhole: true };
  }
}

/**
 * A slow line is a warning only: recordings wait in the spool and nothing is lost. Unless it is slower than what an agent records:
 * then the spool fills.
 * @param limitKbit of uploads during contacts; null: none
 */
export function judgeThroughput(
  { bytes, ms, isWhole }: Transfer,
  where: string,
  limitKbit: number | null,
): Finding {
  const kbps = (bytes * 8) / ms;
  const inSeconds = `${(ms / 1000).toFixed(1)} s`;
  const size = bytes < 1024 * 1024 ? `${bytes / 1024} KiB` : `${bytes / 1024 / 1024} MiB`;
  const measured = isWhole
    ? `${rate(kbps)} to ${where} (${size} in ${inSeconds})`
    : `less than ${rate(kbps)} to ${where} (${size} did not arrive within ${inSeconds})`;
  const limit =
    limitKbit === null ? '' : `; during contacts uploads use ${rate(limitKbit)} at most ("uploadLimitKbit")`;
  const evidence = `${measured}${limit}; an hour of contacts (${hourMB(MIXED_KB_PER_MINUTE)} to ${hourMB(BROWSING_KB_PER_MINUTE)} MB) takes ${hourTakes(MIXED_KB_PER_MINUTE, kbps)} to ${hourTakes(BROWSING_KB_PER_MINUTE, kbps)} to upload`;
  const needs = `An agent needs ${awsMinimum.networkKbps} kbit/s by AWS's system requirements.`;
  const check =
    'Check the line, Wi-Fi and VPN, and which other programs upload (docs/deploy.md, "Bandwidth").';
  if (!isWhole || kbps < HOPELESS_KBPS)
    return failed(
      evidence,
      `${needs} This line is slower than what an agent records, so recordings pile up until the spool is full. ${check}`,
    );
  if (kbps < awsMinimum.networkKbps)
    return warning(evidence, `${needs} Nothing is lost, but recordings arrive late. ${check}`);
  return ok(evidence);
}

function rate(kbps: number): string {
  return kbps < 10_000 ? `${Math.round(kbps)} kbit/s` : `${Math.round(kbps / 1000)} Mbit/s`;
}

function hourMB(kbPerMinute: number): number {
  return Math.round((kbPerMinute * 60) / 1000);
}

/** How long an hour of contacts takes at this rate. */
function hourTakes(kbPerMinute: number, kbps: number): string {
  const minutes = (kbPerMinute * 8 * 60) / kbps / 60;
  if (minutes < 1) return `${Math.max(1, Math.round(minutes * 60))} s`;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${Math.round(minutes / 60)} h`;
}
