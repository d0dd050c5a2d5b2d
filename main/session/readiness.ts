// Whether a contact could be recorded now, so that the agent sees a problem before the first call and not after it.

import type { Logger } from '../platform/log.ts';
import type { Failure } from '../shared/errors.ts';
import { toFailure } from '../shared/errors.ts';

export interface ReadinessOptions<Encoder> {
  /** Rejects when there is none. */
  readonly findEncoder: () => Promise<Encoder>;
  /** Rejects when the spool cannot create a key. */
  readonly createKey: () => Promise<unknown>;
  readonly log: Logger;
  readonly onChange: () => void;
}

export class Readiness<Encoder> {
  private current: Failure | null = null;

  constructor(private readonly options: ReadinessOptions<Encoder>) {}

  /** Why recording is impossible, as of the last check; null: no reason known. */
  get problem(): Failure | null {
    return this.current;
  }

  policyChanged(keys: ReadonlySet<string>): void {
    if (keys.has('ffmpegPath') || keys.has('encoder')) void this.check();
  }

  /** @returns null when there is no encoder */
  async check(): Promise<Encoder | null> {
    const { findEncoder, createKey, log, onChange } = this.options;
    const [encoder, key] = await Promise.allSettled([findEncoder(), createKey()]);
    const before = this.current?.message;
    this.current = null;
    if (key.status === 'rejected') this.current = toFailure(key.reason, 'SPOOL_UNREADABLE');
    if (encoder.status === 'rejected') this.current = toFailure(encoder.reason, 'ENCODER_UNAVAILABLE');
    if (this.current !== null && this.current.message !== before)
      log.error('nothing can be recorded', { code: this.current.code, reason: this.current.message });
    onChange();
    return encoder.status === 'fulfilled' ? encoder.value : null;
  }
}
