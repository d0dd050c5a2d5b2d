// The manifest of a recording (docs/manifest.md), from its timeline, its assembly and the sink's receipt.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../shared/canonicalJson.ts';
import type { Integrity, Manifest } from '../shared/manifest.ts';
import { MAX_BLACK_STRETCHES, manifestSchema } from '../shared/manifest.ts';
import type { VideoFormat } from '../shared/names.ts';
import { BIT_RATE_CEILING } from '../shared/names.ts';
import { toTimestamp } from '../shared/time.ts';
import { gapCauses } from '../spool/gapCauses.ts';
import type { Ledger, LedgerRecording, LedgerRun } from '../spool/ledger.ts';
import type { Piece } from '../spool/timeline.ts';
import type { Assembled } from './assemble.ts';
import type { SinkReceipt } from './sink.ts';

export interface Facts {
  readonly ledger: Ledger;
  readonly recording: LedgerRecording;
  readonly startTime: number;
  readonly stopped: NonNullable<LedgerRecording['stopped']>;
  readonly pieces: readonly Piece[];
  readonly runs: readonly LedgerRun[];
  readonly assembled: Assembled;
  readonly receipt: SinkReceipt;
  readonly format: VideoFormat;
  readonly integrity: Integrity | undefined;
  readonly appVersion: string;
  readonly os: string;
}

/** The manifest as it is stored. Of the same facts always the same bytes: an attempt that is repeated changes nothing. */
export function manifestText(manifest: Manifest): { readonly text: string; readonly sha256: string } {
  const contentSha256 = sha256Of(canonicalJson(manifest));
  const text = `${JSON.stringify({ ...manifest, contentSha256 }, null, 2)}\n`;
  return { text, sha256: sha256Of(text) };
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function buildManifest(facts: Facts): Manifest {
  const { recording, startTime, stopped, pieces, assembled, receipt, format } = facts;
  const { agent, contact } = recording.started;
  const causes = gapCauses(facts.ledger, pieces);
  const span = ({ from, to }: Pick<Piece, 'from' | 'to'>) => ({
    startTime: toTimestamp(from),
    endTime: toTimestamp(to),
    offsetMs: from - startTime,
  });
  const black = blackStretches(facts.runs, pieces);
  const lasting = (part: Pick<Piece, 'from' | 'to'>) => ({ ...span(part), durationMs: part.to - part.from });
  return manifestSchema.parse({
    manifestVersion: 1,
    app: { name: 'sightline', version: facts.appVersion },
    recordingId: recording.started.recordingId,
    ...(contact.trial === true ? { trial: true } : {}),
    contact,
    agent: { arn: agent.agentArn, username: agent.agentUsername },
    instance: { arn: agent.instanceArn, alias: agent.instanceAlias },
    startTime: toTimestamp(startTime),
    endTime: toTimestamp(stopped.endTime),
    durationMs: stopped.endTime - startTime,
    endCause: stopped.cause,
    video: {
      file: receipt.key.split('/').at(-1),
      sizeBytes: receipt.sizeBytes,
      ...receipt.digest,
      ...(receipt.encryption === undefined ? {} : { encryption: receipt.encryption }),
      codec: assembled.codec,
      width: assembled.width,
      height: assembled.height,
      fps: format.fps,
      encoder: format.encoder,
      frames: assembled.frames,
      bitsPerSecond: assembled.bitsPerSecond,
      ...(assembled.bitsPerSecond > BIT_RATE_CEILING
        ? { aboveCeiling: format.encoder === 'libopenh264' ? 'content' : 'encoder' }
        : {}),
    },
    runs: pieces.flatMap((piece) =>
      piece.kind === 'run'
        ? [{ runId: piece.runId, ...span(piece), ...runMonitors(facts.runs, piece.runId) }]
        : [],
    ),
    gaps: pieces.flatMap((piece, index) =>
      piece.kind === 'gap' ? [{ ...lasting(piece), reason: piece.reason, ...causes[index] }] : [],
    ),
    ...(black.length === 0
      ? {}
      : {
          black: {
            totalMs: black.reduce((sum, { from, to }) => sum + to - from, 0),
            stretches: black.slice(0, MAX_BLACK_STRETCHES).map(lasting),
          },
        }),
    suspensions: recording.suspensions.map((one) => ({
      suspendedAt: toTimestamp(one.at),
      resumedAt: one.resumedAt === null ? null : toTimestamp(one.resumedAt),
      resumedBy: one.resumedBy,
      ...(one.reason === null ? {} : { reason: one.reason }),
    })),
    ...(facts.integrity === undefined ? {} : { integrity: facts.integrity }),
    host: { os: facts.os, browser: agent.browser },
  });
}

/** As far as they are in the recording, in its order. */
function blackStretches(runs: readonly LedgerRun[], pieces: readonly Piece[]): Pick<Piece, 'from' | 'to'>[] {
  return pieces.flatMap((piece) => {
    const run = piece.kind === 'run' ? runs.find((one) => one.opened.runId === piece.runId) : undefined;
    const within = (run?.black ?? []).map(({ from, to }) => ({
      from: Math.max(from, piece.from),
      to: Math.min(to ?? piece.to, piece.to),
    }));
    return within.filter(({ from, to }) => to > from);
  });
}

function runMonitors(
  runs: readonly LedgerRun[],
  runId: string,
): Pick<LedgerRun['opened'], 'monitors' | 'leftOut'> {
  const opened = runs.find((run) => run.opened.runId === runId)?.opened;
  return { monitors: opened?.monitors ?? [], leftOut: opened?.leftOut ?? [] };
}
