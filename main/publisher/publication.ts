// One recording from the spool to the sink: assemble, deliver, describe. Throws when anything fails; what is in the
// spool stays as it is then.

import type { EncoderName, GapReason } from '../shared/names.ts';
import type { Manifest } from '../shared/manifest.ts';
import { manifestSchema } from '../shared/manifest.ts';
import { toTimestamp } from '../shared/time.ts';
import type { LedgerRecording, LedgerRun } from '../spool/ledger.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { Piece } from '../spool/timeline.ts';
import { timelineOf } from '../spool/timeline.ts';
import type { Assembled } from './assemble.ts';
import { assemble } from './assemble.ts';
import { objectKey } from './objectKey.ts';
import type { Sink, SinkReceipt } from './sink.ts';

export interface SlateOrder {
  readonly reason: GapReason;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly encoder: EncoderName;
}

export interface PublicationOptions {
  readonly sink: Sink;
  readonly keyPrefix: string;
  readonly appVersion: string;
  readonly os: string;
  /** Makes a slate's fragmented MP4 (capture does; the publisher may not know it). */
  readonly makeSlate: (order: SlateOrder) => Promise<Uint8Array>;
  /** For a recording without any picture of its own, which was suspended from its start to its end. */
  readonly blankPicture: () => Promise<Omit<SlateOrder, 'reason'>>;
}

export interface Publication {
  readonly receipt: SinkReceipt;
  readonly manifest: Manifest;
}

export async function publish(
  session: SpoolSession,
  recordingId: string,
  options: PublicationOptions,
): Promise<Publication> {
  const { ledger } = session;
  const recording = ledger.recordings.get(recordingId);
  if (!recording || recording.startTime === null || recording.stopped === null) {
    throw new Error(`Recording ${recordingId} is not finished, or has no start.`);
  }
  const { startTime, started, stopped } = recording;
  const pieces = timelineOf(ledger, recording);
  if (pieces.length === 0) throw new Error(`Recording ${recordingId} has no length.`);
  const runs = pieces.flatMap((piece) => (piece.kind === 'run' ? [runOf(ledger.runs, piece.runId)] : []));
  const picture = await pictureOf(runs, options);
  const key = objectKey({
    prefix: options.keyPrefix,
    instanceAlias: started.agent.instanceAlias,
    instanceArn: started.agent.instanceArn,
    contactId: started.contact.contactId,
    startTime,
  });
  const object = await options.sink.begin(key, recordingId);
  try {
    const assembled = await assemble({
      pieces,
      startTime,
      endTime: stopped.endTime,
      maxPackets: maxPackets(pieces, runs, stopped.endTime),
      openRun: (runId) => session.openRun(runId),
      runStart: (runId) => runOf(ledger.runs, runId).live.startTime,
      runFrames: (runId) => runOf(ledger.runs, runId).closed?.frames ?? Infinity,
      slate: (reason) => options.makeSlate({ reason, ...picture }),
      write: (position, data) => object.write(position, data),
    });
    const receipt = await object.finish();
    const manifest = describe({
      recording,
      startTime,
      stopped,
      pieces,
      runs,
      assembled,
      receipt,
      picture,
      options,
      key: object.key,
    });
    await options.sink.putManifest(object.key, `${JSON.stringify(manifest, null, 2)}\n`);
    return { receipt, manifest };
  } catch (error) {
    await object.abort();
    throw error;
  }
}

type LiveRun = LedgerRun & { live: NonNullable<LedgerRun['live']> };

function runOf(runs: ReadonlyMap<string, LedgerRun>, runId: string): LiveRun {
  const run = runs.get(runId);
  if (!run?.live) throw new Error(`The spool has no pictures of run ${runId}.`);
  return { ...run, live: run.live };
}

/** The first run decides the picture's size; a recording that is one long gap borrows today's. */
async function pictureOf(
  runs: readonly LiveRun[],
  options: PublicationOptions,
): Promise<Omit<SlateOrder, 'reason'>> {
  const first = runs[0];
  if (first === undefined) return options.blankPicture();
  const { width, height } = first.live;
  return { width, height, fps: first.opened.fps, encoder: first.opened.encoder };
}

function maxPackets(pieces: readonly Piece[], runs: readonly LiveRun[], endTime: number): number {
  const frames = runs.map((run) =>
    // A run that is still being written may hold more than it should: grabbers hurry after a stall.
    run.closed === null
      ? Math.ceil(((endTime - run.live.startTime) / 1000) * run.opened.fps * 2) + 50
      : run.closed.frames,
  );
  return frames.reduce((sum, count) => sum + count, pieces.length);
}

interface Facts {
  readonly recording: LedgerRecording;
  readonly startTime: number;
  readonly stopped: NonNullable<LedgerRecording['stopped']>;
  readonly pieces: readonly Piece[];
  readonly runs: readonly LiveRun[];
  readonly assembled: Assembled;
  readonly receipt: SinkReceipt;
  readonly picture: Omit<SlateOrder, 'reason'>;
  readonly options: PublicationOptions;
  readonly key: string;
}

function describe(facts: Facts): Manifest {
  const { recording, startTime, stopped, pieces, assembled, receipt, picture, options } = facts;
  const { agent, contact } = recording.started;
  const span = (piece: Piece) => ({
    startTime: toTimestamp(piece.from),
    endTime: toTimestamp(piece.to),
    offsetMs: piece.from - startTime,
  });
  return manifestSchema.parse({
    manifestVersion: 1,
    app: { name: 'sightline', version: options.appVersion },
    recordingId: recording.started.recordingId,
    contact,
    agent: { arn: agent.agentArn, username: agent.agentUsername },
    instance: { arn: agent.instanceArn, alias: agent.instanceAlias },
    startTime: toTimestamp(startTime),
    endTime: toTimestamp(stopped.endTime),
    durationMs: stopped.endTime - startTime,
    endCause: stopped.cause,
    video: {
      file: facts.key.split('/').at(-1),
      sizeBytes: receipt.sizeBytes,
      sha256: receipt.sha256,
      codec: assembled.codec,
      width: assembled.width,
      height: assembled.height,
      fps: picture.fps,
      encoder: picture.encoder,
      frames: assembled.frames,
    },
    runs: pieces.flatMap((piece) =>
      piece.kind === 'run'
        ? [{ runId: piece.runId, ...span(piece), ...runMonitors(facts.runs, piece.runId) }]
        : [],
    ),
    gaps: pieces.flatMap((piece) =>
      piece.kind === 'gap'
        ? [{ ...span(piece), durationMs: piece.to - piece.from, reason: piece.reason }]
        : [],
    ),
    suspensions: recording.suspensions.map((one) => ({
      suspendedAt: toTimestamp(one.at),
      resumedAt: one.resumedAt === null ? null : toTimestamp(one.resumedAt),
      resumedBy: one.resumedBy,
      ...(one.reason === null ? {} : { reason: one.reason }),
    })),
    host: { os: options.os, browser: agent.browser },
  });
}

function runMonitors(
  runs: readonly LiveRun[],
  runId: string,
): Pick<LedgerRun['opened'], 'monitors' | 'leftOut'> {
  const opened = runs.find((run) => run.opened.runId === runId)?.opened;
  return { monitors: opened?.monitors ?? [], leftOut: opened?.leftOut ?? [] };
}
