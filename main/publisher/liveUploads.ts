// Uploads that begin during their contacts, so that a long call is published as soon after its end as a short one. Checked
// whenever the spool has grown by a megabyte. Only frames older than HOLD_BACK_MS are sent, so that nothing leaves the
// computer that a suspension could still remove. If anything fails here, the recording is uploaded after its end.

import type { Logger } from '../platform/log.ts';
import type { Clock } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';
import { isPublishedOrFailed } from '../spool/ledger.ts';
import type { Upload } from './upload.ts';
import { RunDamaged } from './integrity.ts';

export interface LiveUploadPorts {
  readonly begin: (session: SpoolSession, recordingId: string) => Upload;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const HOLD_BACK_MS = 5_000;
const CHECK_AFTER_BYTES = 1024 * 1024;
/** Two parts of S3's minimum size: shorter recordings gain nothing. */
const MIN_BYTES = 10 * 1024 * 1024;
const RETRY_MS = { least: 10_000, most: 5 * 60_000 };

interface Live {
  upload: Upload | null;
  /** Resolves when the current step ends; null: none is running. */
  step: Promise<void> | null;
  readonly sinceBytes: number;
  failures: number;
  retryAt: number;
}

export class LiveUploads {
  private readonly live = new Map<string, Live>();
  private grownBytes = 0;
  private checkedAtBytes = 0;

  constructor(private readonly ports: LiveUploadPorts) {}

  /** @param bytes by which a run of the session grew */
  grew(session: SpoolSession, bytes: number): void {
    this.grownBytes += bytes;
    if (this.grownBytes - this.checkedAtBytes < CHECK_AFTER_BYTES) return;
    this.checkedAtBytes = this.grownBytes;
    for (const [recordingId, recording] of session.ledger.recordings) {
      if (recording.startTime === null || recording.stopped !== null || isPublishedOrFailed(recording))
        continue;
      this.check(session, recordingId);
    }
  }

  /** Hands over the upload of a recording that is complete now; the caller finishes or aborts it. */
  async take(recordingId: string): Promise<Upload | null> {
    const one = this.live.get(recordingId);
    this.live.delete(recordingId);
    await one?.step;
    return one?.upload ?? null;
  }

  /** Resolves when no step is running. */
  async idle(): Promise<void> {
    await Promise.all([...this.live.values()].map(async ({ step }) => step));
  }

  private check(session: SpoolSession, recordingId: string): void {
    const started = { upload: null, step: null, sinceBytes: this.grownBytes, failures: 0, retryAt: 0 };
    const one: Live = this.live.get(recordingId) ?? started;
    this.live.set(recordingId, one);
    const isDue = this.grownBytes - one.sinceBytes >= MIN_BYTES && this.ports.clock.now() >= one.retryAt;
    if (!isDue || one.step !== null) return;
    one.upload ??= this.ports.begin(session, recordingId);
    one.step = this.advance(recordingId, one, one.upload).finally(() => (one.step = null));
  }

  private async advance(recordingId: string, one: Live, upload: Upload): Promise<void> {
    const { clock, random, log } = this.ports;
    try {
      await upload.advance(clock.now() - HOLD_BACK_MS);
      one.failures = 0;
    } catch (error) {
      one.upload = null;
      one.failures += 1;
      const longest = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** one.failures);
      // Damage is permanent: the recording is uploaded after its end, without what cannot be read.
      one.retryAt = error instanceof RunDamaged ? Infinity : clock.now() + random() * longest;
      log.warn('an upload during the contact failed', { recordingId, reason: String(error) });
      await upload.abort();
    }
  }
}
