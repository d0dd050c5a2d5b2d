// One recording on its way from the spool to the sink: assembled, uploaded, described by its manifest. An upload can begin
// during the contact: it sends what is certain, so that little is left to do at the contact's end. Throws when anything
// fails; the spool keeps the recording then.

import type { Overlay } from '../media/overlayFrame.ts';
import { MAX_CHAPTERS, maxTextBytes } from '../media/textTracks.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { BadgeOrder, GapFacts, SlateOrder, VideoFormat } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { gapCauses } from '../spool/gapCauses.ts';
import type { LedgerRecording, LiveRun } from '../spool/ledger.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { DamagedRunFile } from '../spool/runFiles.ts';
import type { Gap, Piece, RunDamage } from '../spool/timeline.ts';
import { timelineOf } from '../spool/timeline.ts';
import { Assembly, isShort, TimelineChanged } from './assemble.ts';
import { chaptersOf } from './chapters.ts';
import { buildManifest, manifestText } from './buildManifest.ts';
import { RunDamaged, integrityOf, keptBack, requireDeliverable } from './integrity.ts';
import type { Naming } from './objectKey.ts';
import { objectKey, objectTags } from './objectKey.ts';
import type { RunFrames } from './runFrames.ts';
import type { Progress } from './progress.ts';
import { ProgressMeter } from './progress.ts';
import type { ResumeState, Sink, SinkObject, SinkOrder, SinkReceipt } from './sink.ts';

export interface UploadOptions {
  readonly sink: Sink;
  readonly naming: Naming;
  readonly appVersion: string;
  readonly os: string;
  /** Whether the readable part of a damaged recording is uploaded. */
  readonly deliverDamaged: boolean;
  /** Returns a slate as fragmented MP4. */
  readonly makeSlate: (order: SlateOrder) => Promise<Uint8Array>;
  readonly makeBadge: (order: BadgeOrder) => Promise<Overlay>;
  /** For a recording without frames, suspended from its start to its end. */
  readonly blankFormat: () => Promise<VideoFormat>;
  /** Called at most four times a second for each upload; null: it is over. */
  readonly onProgress?: (session: SpoolSession, recordingId: string, progress: Progress | null) => void;
}

export interface UploadResult {
  readonly receipt: SinkReceipt;
  readonly manifest: Manifest;
  /** Of the manifest's file. */
  readonly manifestSha256: string;
  /** Removes it from the sink: for `sightline try`. */
  readonly remove?: () => Promise<void>;
}

/** Longer recordings are assembled at their end. */
const LIVE_HOURS = 12;
/** Grabbers catch up after a stall: a run may have more frames than its length suggests. */
const CATCH_UP = 1.2;
const SPARE_FRAMES = 50;

interface Parts {
  readonly assembly: Assembly;
  readonly object: SinkObject;
}

/** What will be written at most, from which space for the moov is reserved. */
interface Most {
  readonly packets: number;
  readonly textBytes: number;
}

export class Upload {
  private parts: Promise<Parts> | null = null;
  private format: VideoFormat | null = null;
  private readonly meter: ProgressMeter;
  private frameBytes = 0;

  constructor(
    private readonly session: SpoolSession,
    private readonly recordingId: string,
    private readonly options: UploadOptions,
    /** What earlier attempts could not read, by runId. */
    private readonly damages: ReadonlyMap<string, RunDamage> = new Map(),
  ) {
    this.meter = new ProgressMeter((progress) => options.onProgress?.(session, recordingId, progress));
  }

  /** Makes the slates of the gaps just before the last run, for which the end of the contact need not wait then. */
  async prepareSlates(until: Moment): Promise<void> {
    const pieces = this.piecesBefore(until);
    // Not those before: they were made when their gaps ended, and may have left the cache.
    for (let index = pieces.findLastIndex(({ kind }) => kind === 'run') - 1; index >= 0; index -= 1) {
      const piece = pieces[index];
      if (piece?.kind !== 'gap') return;
      if (index === 0 || !isShort(piece))
        await this.options.makeSlate({ ...this.factsOf(piece, pieces), ...(await this.formatOf(pieces)) });
    }
  }

  /** Sends what was recorded before `until`. */
  async advance(until: Moment): Promise<void> {
    const pieces = this.piecesBefore(until);
    if (!pieces.some(({ kind }) => kind === 'run')) return;
    const fps = this.runsOf(pieces)[0]?.opened.fps ?? 1;
    const seconds = LIVE_HOURS * 3600;
    const { assembly } = await this.begin(pieces, {
      packets: Math.ceil(seconds * fps * CATCH_UP),
      textBytes: maxTextBytes(MAX_CHAPTERS, seconds * 1000),
    });
    await assembly.advance(pieces);
  }

  /** @throws TimelineChanged when something that was sent has changed: a new upload must start from the beginning */
  async finish(): Promise<UploadResult> {
    const { recording, options, recordingId } = this;
    const { startTime, stopped } = recording;
    if (startTime === null || stopped === null) throw new Error(`Recording ${recordingId} is not finished.`);
    const { ledger } = this.session;
    const pieces = timelineOf(ledger, recording, this.damages);
    if (pieces.length === 0) throw new Error(`Recording ${recordingId} has no length.`);
    requireDeliverable(ledger, pieces, this.damages, options.deliverDamaged);
    const { assembly, object } = await this.begin(pieces, {
      packets: this.maxPackets(pieces, stopped.endTime),
      textBytes: maxTextBytes(pieces.length, stopped.endTime - startTime),
    });
    this.meter.expect(Math.max(this.frameBytes, this.spooledBytes(pieces)));
    const assembled = await assembly.finish(pieces, stopped.endTime);
    this.meter.expect(this.frameBytes);
    const receipt = await object.finish(assembled.moov);
    this.meter.end();
    const manifest = buildManifest({
      ledger,
      recording,
      startTime,
      stopped,
      pieces,
      runs: this.runsOf(pieces),
      assembled,
      receipt,
      format: await this.formatOf(pieces),
      integrity: integrityOf(ledger, this.damages),
      appVersion: options.appVersion,
      os: options.os,
    });
    const order = this.order();
    const { text, sha256: manifestSha256 } = manifestText(manifest);
    await options.sink.putManifest(order, receipt.key, text);
    const isTrial = recording.started.contact.trial === true;
    const remove = () => options.sink.remove(order, receipt.key);
    return { receipt, manifest, manifestSha256, ...(isTrial && { remove }) };
  }

  async abort(): Promise<void> {
    this.meter.end();
    const parts = await this.parts?.catch(() => null);
    await parts?.assembly.cancel();
    await parts?.object.abort().catch(() => undefined);
  }

  private get recording(): LedgerRecording {
    const recording = this.session.ledger.recordings.get(this.recordingId);
    if (recording === undefined) throw new Error(`The spool knows no recording ${this.recordingId}.`);
    return recording;
  }

  private piecesBefore(until: Moment): Piece[] {
    const { recording } = this;
    const stopped = { type: 'contact.stopped', recordingId: this.recordingId, cause: 'stopped' } as const;
    return timelineOf(this.session.ledger, { ...recording, stopped: { ...stopped, endTime: until } });
  }

  private begin(pieces: readonly Piece[], most: Most): Promise<Parts> {
    this.parts ??= this.prepare(pieces, most);
    return this.parts;
  }

  private async prepare(pieces: readonly Piece[], most: Most): Promise<Parts> {
    const format = await this.formatOf(pieces);
    const object = await this.options.sink.begin({
      ...this.order(),
      onSent: (bytes) => this.meter.sent(bytes),
      onVerified: (bytes) => this.meter.verified(bytes),
    });
    const assembly = new Assembly({
      startTime: this.recording.startTime ?? 0,
      maxPackets: most.packets,
      maxTextBytes: most.textBytes,
      openRun: (runId) => this.session.openRun(runId),
      // Read the current ledger each time: every journal entry replaces it, and runs begin after this.
      runStart: (runId) => liveRun(this.session.ledger, runId).live.startTime,
      runFrames: (runId) =>
        this.damages.get(runId)?.frames ?? this.session.ledger.runs.get(runId)?.closed?.frames ?? Infinity,
      damaged: (runId, read, why) => this.damageOf(runId, read, why),
      slate: (gap, all) => this.options.makeSlate({ ...this.factsOf(gap, all), ...format }),
      badge: (gaps) => {
        const { width, height } = format;
        return this.options.makeBadge({ gaps, width, height });
      },
      chapters: (all) => chaptersOf(all, (gap) => this.factsOf(gap, all)),
      write: (position, data) => {
        this.frameBytes += data.byteLength;
        return object.write(position, data);
      },
    });
    return { assembly, object };
  }

  /** The reason that a page gave appears only on slates of that page's contact. */
  private factsOf(gap: Gap, pieces: readonly Piece[]): GapFacts {
    const index = pieces.indexOf(gap);
    const { by, endedBy } = gapCauses(this.session.ledger, pieces)[index] ?? {
      by: 'sightline',
      endedBy: null,
    };
    const suspension = this.recording.suspensions.find(
      ({ at, resumedAt }) => at < gap.to && (resumedAt ?? Infinity) > gap.from,
    );
    return {
      ...{ reason: gap.reason, from: gap.from, to: gap.to, by, text: suspension?.reason ?? null },
      ...(pieces[index + 1]?.kind === 'gap' ? {} : { endedBy }),
    };
  }

  private damageOf(runId: string, read: RunFrames['read'] | null, why: DamagedRunFile): RunDamaged {
    const { live, opened } = liveRun(this.session.ledger, runId);
    const lastOffsetMs = read?.lastOffsetMs ?? null;
    const endTime =
      lastOffsetMs === null ? null : Math.round(live.startTime + lastOffsetMs + 1000 / opened.fps);
    return new RunDamaged(runId, { frames: read?.frames ?? 0, endTime }, why);
  }

  private order(): SinkOrder {
    const { session, recordingId, options } = this;
    const { started, startTime, upload } = this.recording;
    const { agentArn, instanceArn } = started.agent;
    const { contactId } = started.contact;
    const key = objectKey(options.naming, started, startTime ?? 0);
    const tags = objectTags(options.naming, started);
    const resume = {
      saved: upload,
      save: (state: ResumeState) => session.tryAppend({ ...state, type: 'upload.begun', recordingId }),
    };
    return { key, tags, recordingId, contactId, agentArn, instanceArn, resume };
  }

  /** The size of these pieces in the spool, which is a little more than their frames. */
  private spooledBytes(pieces: readonly Piece[]): number {
    const { runs } = this.session.ledger;
    const bytes = pieces.map((piece) => {
      const run = piece.kind === 'run' ? runs.get(piece.runId) : undefined;
      if (!run?.closed || !run.live) return 0;
      const lengthMs = (run.closed.endTime ?? run.live.startTime) - run.live.startTime;
      return lengthMs <= 0 ? 0 : (run.closed.sizeBytes * (piece.to - piece.from)) / lengthMs;
    });
    return Math.round(bytes.reduce((sum, one) => sum + one, 0));
  }

  private runsOf(pieces: readonly Piece[]): LiveRun[] {
    return pieces.flatMap((piece) =>
      piece.kind === 'run' ? [liveRun(this.session.ledger, piece.runId)] : [],
    );
  }

  /** That of the first run; a recording that is one long gap takes today's. */
  private async formatOf(pieces: readonly Piece[]): Promise<VideoFormat> {
    const [first] = this.runsOf(pieces);
    this.format ??= first === undefined ? await this.options.blankFormat() : formatOf(first);
    return this.format;
  }

  private maxPackets(pieces: readonly Piece[], endTime: Moment): number {
    const frames = this.runsOf(pieces).map((run) =>
      run.closed === null
        ? Math.ceil(((endTime - run.live.startTime) / 1000) * run.opened.fps * 2) + SPARE_FRAMES
        : run.closed.frames,
    );
    return frames.reduce((sum, count) => sum + count, pieces.length);
  }
}

/**
 * Uploads a finished recording. A damaged run is uploaded up to the damage, with a gap for the rest.
 * @param begun during the contact
 */
export async function uploadRecording(
  session: SpoolSession,
  recordingId: string,
  options: UploadOptions,
  begun: Upload | null = null,
): Promise<UploadResult> {
  const damages = new Map<string, RunDamage>();
  for (let upload = begun; ; upload = null) {
    try {
      return await finishOrAbort(upload ?? new Upload(session, recordingId, options, damages));
    } catch (error) {
      if (error instanceof RunDamaged && !options.deliverDamaged) throw keptBack(error);
      if (error instanceof RunDamaged && !damages.has(error.runId)) damages.set(error.runId, error.damage);
      else if (upload === null || !(error instanceof TimelineChanged)) throw error;
    }
  }
}

async function finishOrAbort(upload: Upload): Promise<UploadResult> {
  try {
    return await upload.finish();
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

function liveRun(ledger: SpoolSession['ledger'], runId: string): LiveRun {
  const run = ledger.runs.get(runId);
  if (!run?.live) throw new Error(`The spool has no frames of run ${runId}.`);
  return { ...run, live: run.live };
}

/** These fields only: slates are cached by them. */
function formatOf({ live: { width, height }, opened: { fps, encoder } }: LiveRun): VideoFormat {
  return { width, height, fps, encoder };
}
