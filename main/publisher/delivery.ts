// One recording on its way from the spool to the sink: assembled, delivered, described. A delivery may begin while the
// contact goes on: it takes in what is certain, and at the contact's end only the rest is left to do. Throws when
// anything fails; what is in the spool stays as it is then.

import type { GapReason } from '../shared/names.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { Moment } from '../shared/time.ts';
import type { LedgerRecording, LedgerRun } from '../spool/ledger.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { DamagedRunFile } from '../spool/runFiles.ts';
import type { Piece, RunDamage } from '../spool/timeline.ts';
import { timelineOf } from '../spool/timeline.ts';
import { Assembly, TimelineChanged } from './assemble.ts';
import { describe } from './describe.ts';
import { RunDamaged, integrityOf, keptBack, requireDeliverable } from './integrity.ts';
import { objectKey } from './objectKey.ts';
import type { PictureKind, RunPictures } from './pictures.ts';
import type { Progress } from './progress.ts';
import { ProgressMeter } from './progress.ts';
import type { Sink, SinkObject, SinkOrder, SinkReceipt, UploadState } from './sink.ts';

export type SlateOrder = PictureKind & { readonly reason: GapReason };

export interface DeliveryOptions {
  readonly sink: Sink;
  readonly keyPrefix: string;
  readonly appVersion: string;
  readonly os: string;
  /** Whether what is left of a damaged recording is delivered. */
  readonly deliverDamaged: boolean;
  /** Makes a slate's fragmented MP4 (capture does; the publisher may not know it). */
  readonly makeSlate: (order: SlateOrder) => Promise<Uint8Array>;
  /** For a recording without any picture of its own, which was suspended from its start to its end. */
  readonly blankPicture: () => Promise<PictureKind>;
  /** Told how far each recording's delivery has come, at most four times a second; null: it is over. */
  readonly onProgress?: (session: SpoolSession, recordingId: string, progress: Progress | null) => void;
}

export interface Publication {
  readonly receipt: SinkReceipt;
  readonly manifest: Manifest;
}

/** Longer recordings are assembled at their end. */
const LIVE_HOURS = 12;
/** Grabbers hurry after a stall: a run may hold more pictures than its length says. */
const HURRY = 1.2;
const SPARE_PACKETS = 50;

export class Delivery {
  private parts: Promise<{ assembly: Assembly; object: SinkObject }> | null = null;
  private picture: PictureKind | null = null;
  private readonly meter: ProgressMeter;
  private pictureBytes = 0;

  constructor(
    private readonly session: SpoolSession,
    private readonly recordingId: string,
    private readonly options: DeliveryOptions,
    /** What earlier tries could not read, by runId. */
    private readonly damages: ReadonlyMap<string, RunDamage> = new Map(),
  ) {
    this.meter = new ProgressMeter({
      tell: (progress) => options.onProgress?.(session, recordingId, progress),
    });
  }

  /** Takes in what was recorded before `until`, the gap at its end left out: nobody knows yet what it will be called. */
  async advance(until: Moment): Promise<void> {
    const { recording } = this;
    const stopped = { type: 'contact.stopped', recordingId: this.recordingId, cause: 'stopped' } as const;
    const pieces = timelineOf(this.session.ledger, { ...recording, stopped: { ...stopped, endTime: until } });
    while (pieces.at(-1)?.kind === 'gap') pieces.pop();
    if (pieces.length === 0) return;
    const fps = this.runsOf(pieces)[0]?.opened.fps ?? 1;
    const { assembly } = await this.begin(pieces, Math.ceil(LIVE_HOURS * 3600 * fps * HURRY));
    await assembly.advance(pieces);
  }

  /** @throws TimelineChanged when what was taken in before is not so any more: another delivery must begin anew */
  async finish(): Promise<Publication> {
    const { recording, options, recordingId } = this;
    const { startTime, stopped } = recording;
    if (startTime === null || stopped === null) throw new Error(`Recording ${recordingId} is not finished.`);
    const { ledger } = this.session;
    const pieces = timelineOf(ledger, recording, this.damages);
    if (pieces.length === 0) throw new Error(`Recording ${recordingId} has no length.`);
    requireDeliverable(ledger, pieces, this.damages, options.deliverDamaged);
    const { assembly, object } = await this.begin(pieces, this.maxPackets(pieces, stopped.endTime));
    this.meter.expect(Math.max(this.pictureBytes, this.spooledBytes(pieces)));
    const assembled = await assembly.finish(pieces, stopped.endTime);
    this.meter.expect(this.pictureBytes);
    const receipt = await object.finish(assembled.head);
    this.meter.end();
    const manifest = describe({
      ledger,
      recording,
      startTime,
      stopped,
      pieces,
      runs: this.runsOf(pieces),
      assembled,
      receipt,
      picture: await this.pictureOf(pieces),
      integrity: integrityOf(ledger, this.damages, [...ledger.runs.values()]),
      appVersion: options.appVersion,
      os: options.os,
    });
    await options.sink.putManifest(this.order(), receipt.key, `${JSON.stringify(manifest, null, 2)}\n`);
    return { receipt, manifest };
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

  private begin(
    pieces: readonly Piece[],
    maxPackets: number,
  ): Promise<{ assembly: Assembly; object: SinkObject }> {
    this.parts ??= this.prepare(pieces, maxPackets);
    return this.parts;
  }

  private async prepare(
    pieces: readonly Piece[],
    maxPackets: number,
  ): Promise<{ assembly: Assembly; object: SinkObject }> {
    const picture = await this.pictureOf(pieces);
    const object = await this.options.sink.begin({
      ...this.order(),
      moved: (bytes) => this.meter.moved(bytes),
    });
    const assembly = new Assembly({
      startTime: this.recording.startTime ?? 0,
      maxPackets,
      openRun: (runId) => this.session.openRun(runId),
      // The ledger of the moment: each entry of the journal makes a new one, and runs begin after this.
      runStart: (runId) => liveRun(this.session.ledger, runId).live.startTime,
      runFrames: (runId) =>
        this.damages.get(runId)?.frames ?? this.session.ledger.runs.get(runId)?.closed?.frames ?? Infinity,
      damaged: (runId, read, why) => this.damageOf(runId, read, why),
      slate: (reason) => this.options.makeSlate({ reason, ...picture }),
      write: (position, data) => {
        this.pictureBytes += data.byteLength;
        return object.write(position, data);
      },
    });
    return { assembly, object };
  }

  private damageOf(runId: string, read: RunPictures['read'] | null, why: DamagedRunFile): RunDamaged {
    const { live, opened } = liveRun(this.session.ledger, runId);
    const lastOffsetMs = read?.lastOffsetMs ?? null;
    const endTime =
      lastOffsetMs === null ? null : Math.round(live.startTime + lastOffsetMs + 1000 / opened.fps);
    return new RunDamaged(runId, { frames: read?.frames ?? 0, endTime }, why);
  }

  private order(): SinkOrder {
    const { session, recordingId, options } = this;
    const { started, startTime, upload } = this.recording;
    const { agentArn, instanceArn, instanceAlias } = started.agent;
    const { contactId } = started.contact;
    const key = objectKey({
      prefix: options.keyPrefix,
      instanceAlias,
      instanceArn,
      contactId,
      startTime: startTime ?? 0,
    });
    const memory = {
      kept: upload,
      keep: (state: UploadState) => session.tryAppend({ ...state, type: 'upload.begun', recordingId }),
    };
    return { key, recordingId, contactId, agentArn, instanceArn, memory };
  }

  /** What the spool holds of these pieces, which is a little more than their pictures. */
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

  /** The first run decides the picture's size; a recording that is one long gap borrows today's. */
  private async pictureOf(pieces: readonly Piece[]): Promise<PictureKind> {
    const [first] = this.runsOf(pieces);
    this.picture ??=
      first === undefined
        ? await this.options.blankPicture()
        : {
            width: first.live.width,
            height: first.live.height,
            fps: first.opened.fps,
            encoder: first.opened.encoder,
          };
    return this.picture;
  }

  private maxPackets(pieces: readonly Piece[], endTime: Moment): number {
    const frames = this.runsOf(pieces).map((run) =>
      run.closed === null
        ? Math.ceil(((endTime - run.live.startTime) / 1000) * run.opened.fps * 2) + SPARE_PACKETS
        : run.closed.frames,
    );
    return frames.reduce((sum, count) => sum + count, pieces.length);
  }
}

/**
 * All of a finished recording, with what a delivery during the contact has done already. A run that turns out to be
 * damaged is delivered up to there, with a gap for the rest.
 */
export async function publish(
  session: SpoolSession,
  recordingId: string,
  options: DeliveryOptions,
  begun: Delivery | null = null,
): Promise<Publication> {
  const damages = new Map<string, RunDamage>();
  for (let delivery = begun; ; delivery = null) {
    try {
      return await finishOrAbort(delivery ?? new Delivery(session, recordingId, options, damages));
    } catch (error) {
      if (error instanceof RunDamaged && !options.deliverDamaged) throw keptBack(error);
      if (error instanceof RunDamaged && !damages.has(error.runId)) damages.set(error.runId, error.damage);
      else if (delivery === null || !(error instanceof TimelineChanged)) throw error;
    }
  }
}

async function finishOrAbort(delivery: Delivery): Promise<Publication> {
  try {
    return await delivery.finish();
  } catch (error) {
    await delivery.abort();
    throw error;
  }
}

type LiveRun = LedgerRun & { live: NonNullable<LedgerRun['live']> };

function liveRun(ledger: SpoolSession['ledger'], runId: string): LiveRun {
  const run = ledger.runs.get(runId);
  if (!run?.live) throw new Error(`The spool has no pictures of run ${runId}.`);
  return { ...run, live: run.live };
}
