// Whether a contact could be recorded now, so that the agent sees a problem before the first call and not after it, and
// what the reply to hello says about this recorder.

import { within } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import { appVersion } from '../platform/version.ts';
import type { Failure } from '../shared/errors.ts';
import { toFailure } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import type { RecorderInfo } from '../shared/protocol.ts';
import { PROTOCOL_VERSION } from '../shared/protocol.ts';

export interface ReadinessOptions {
  /** Read anew each time: policy may change. */
  readonly policy: Pick<RecorderInfo, 'fps' | 'maxMonitors' | 'suspendMaxSeconds'>;
  /** Rejects when there is none. */
  readonly findEncoder: () => Promise<{ readonly encoder: EncoderName }>;
  /** Rejects when there is none that can be recorded. */
  readonly reachDisplay: () => Promise<void>;
  /** Rejects when the spool cannot create a key. */
  readonly createKey: () => Promise<unknown>;
  /** Until it resolves, the contacts that an earlier process left open are not known. */
  readonly recovery: Promise<void>;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** A hello is not delayed by an X server that does not answer. */
const DISPLAY_WITHIN_MS = 1000;

export class Readiness {
  private current: Failure | null = null;

  constructor(private readonly options: ReadinessOptions) {}

  /** Why recording is impossible, as of the last check; null: no reason known. */
  get problem(): Failure | null {
    return this.current;
  }

  policyChanged(keys: ReadonlySet<string>): void {
    if (keys.has('ffmpegPath') || keys.has('encoder')) void this.check();
  }

  /** @returns null when there is no encoder */
  async check(): Promise<EncoderName | null> {
    const { findEncoder, createKey, reachDisplay, log, onChange } = this.options;
    const [found, key, display] = await Promise.allSettled([
      findEncoder(),
      createKey(),
      within(reachDisplay(), DISPLAY_WITHIN_MS, null),
    ]);
    const before = this.current?.message;
    this.current = null;
    if (key.status === 'rejected') this.current = toFailure(key.reason, 'SPOOL_UNREADABLE');
    if (found.status === 'rejected') this.current = toFailure(found.reason, 'ENCODER_UNAVAILABLE');
    // Other problems of a display pass: a contact tries again.
    if (display.status === 'rejected' && toFailure(display.reason).code === 'WAYLAND_UNSUPPORTED')
      this.current = toFailure(display.reason);
    if (this.current !== null && this.current.message !== before)
      log.error('nothing can be recorded', { code: this.current.code, reason: this.current.message });
    onChange();
    return found.status === 'fulfilled' ? found.value.encoder : null;
  }

  async describe(): Promise<RecorderInfo> {
    const { policy, recovery } = this.options;
    await recovery;
    const encoder = await this.check();
    const { fps, maxMonitors, suspendMaxSeconds } = policy;
    return { protocol: PROTOCOL_VERSION, appVersion, fps, maxMonitors, suspendMaxSeconds, encoder };
  }
}
