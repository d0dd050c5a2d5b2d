// Uploads into a store as the program makes them, without its capture: a real spool with simulated runs, the real sink,
// the real SDK.
import { randomUUID } from 'node:crypto';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { UploadOptions, UploadResult } from '../../main/publisher/upload.ts';
import { Upload, uploadRecording } from '../../main/publisher/upload.ts';
import type { S3Settings } from '../../main/publisher/s3/settings.ts';
import { S3Sink } from '../../main/publisher/s3/s3Sink.ts';
import { Throttle } from '../../main/publisher/s3/throttle.ts';
import type { SpoolSession } from '../../main/spool/spool.ts';
import { recoverSessions } from '../../main/spool/recoverSessions.ts';
import { Spool } from '../../main/spool/spool.ts';
import { openedSession, testKeys } from '../unit/support/keys.ts';
import type { S3Store } from './s3Store.ts';
import { BUCKET, REGION } from './s3Store.ts';
import {
  SIMULATED,
  SimulatedRun,
  makeBadge,
  makeMinute,
  makeSlate,
  startRecording,
  stopRecording,
  type Minute,
} from './simulated.ts';

export const START = 1_800_000_000_000;

export function settingsFor(store: S3Store, settings: Partial<S3Settings> = {}): S3Settings {
  return {
    bucket: BUCKET,
    region: REGION,
    endpoint: store.endpoint,
    pathStyle: true,
    profile: null,
    kmsKeyId: null,
    storageClass: null,
    tags: {},
    idleTimeoutMs: 2000,
    requestTimeoutMs: 10_000,
    ...settings,
  };
}

export function s3SinkFor(
  store: S3Store,
  settings: Partial<S3Settings> = {},
  throttle = new Throttle(),
): S3Sink {
  return new S3Sink({
    settings: settingsFor(store, settings),
    throttle,
    network: new NodeNetwork(),
    credentialsFor: () => store.credentials,
  });
}

let slate: Promise<Uint8Array> | null = null;

export function uploadOptions(sink: UploadOptions['sink']): UploadOptions {
  return {
    sink,
    naming: { keyPrefix: 'connect/<alias>', instanceAlias: null, attributesForKeys: [], s3Tags: [] },
    appVersion: '0.0.0-test',
    os: 'test',
    deliverDamaged: true,
    makeSlate: () => (slate ??= makeSlate()),
    makeBadge,
    blankFormat: () => Promise.resolve(SIMULATED),
  };
}

/** 62 kB a picture: five minutes of a usual desktop in 20 seconds. */
let dense: Promise<Minute> | null = null;
export function denseMinute(): Promise<Minute> {
  return (dense ??= makeMinute(2500, 20));
}

export class SpoolRig {
  session!: SpoolSession;

  constructor(
    readonly root: string,
    private readonly keys = testKeys(),
  ) {}

  async open(): Promise<SpoolSession> {
    const spool = this.spool();
    this.session = await openedSession(spool);
    return this.session;
  }

  /** As the next process finds it. */
  async reopen(): Promise<SpoolSession> {
    await this.close();
    const { unpublished, continued } = await recoverSessions(this.spool(true), START);
    const found = continued ?? unpublished[0];
    if (found === undefined) throw new Error('The spool holds nothing.');
    this.session = found;
    return found;
  }

  /** Its files stay as they are. */
  close(): Promise<void> {
    return this.session.abandon();
  }

  private spool(canContinue = false): Spool {
    return new Spool({
      root: this.root,
      keys: this.keys,
      newSessionId: randomUUID,
      canContinue: () => canContinue,
      onUnreadable: (folder, error) => {
        throw new Error(`${folder}: ${String(error)}`);
      },
    });
  }

  /** A recording of so many pictures, complete. */
  async record(recordingId: string, frames: number, startTime = START): Promise<void> {
    const run = await this.begin(recordingId, startTime);
    await run.grow(frames);
    await this.end(recordingId, run);
  }

  async begin(recordingId: string, startTime = START): Promise<SimulatedRun> {
    await startRecording(this.session, recordingId, startTime);
    return SimulatedRun.open(this.session, `run-of-${recordingId}`, startTime, await denseMinute());
  }

  async end(recordingId: string, run: SimulatedRun): Promise<void> {
    await run.close();
    await stopRecording(this.session, recordingId, run.endTime);
  }

  deliver(recordingId: string, sink: UploadOptions['sink'], begun?: Upload): Promise<UploadResult> {
    return uploadRecording(this.session, recordingId, uploadOptions(sink), begun);
  }

  live(recordingId: string, sink: UploadOptions['sink']): Upload {
    return new Upload(this.session, recordingId, uploadOptions(sink));
  }
}
