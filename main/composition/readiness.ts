// Whether a contact could be recorded now. What cannot record is a problem that the agent sees before the first call, and
// not after it.

import type { ChosenEncoder, FfmpegFinder } from '../capture/ffmpegBinary.ts';
import type { Logger } from '../platform/log.ts';
import type { Failure } from '../shared/errors.ts';
import { toFailure } from '../shared/errors.ts';
import type { SessionKeys } from '../spool/journal.ts';
import { spoolError } from '../spool/journal.ts';

export interface ReadinessOptions {
  readonly finder: FfmpegFinder;
  readonly keys: Pick<SessionKeys, 'create'>;
  readonly spoolFolder: string;
  readonly log: Logger;
  readonly onChange: () => void;
}

export class Readiness {
  private found: Failure | null = null;

  constructor(private readonly options: ReadinessOptions) {}

  /** Why nothing can be recorded, as of the last check; null: nothing is known to prevent it. */
  get problem(): Failure | null {
    return this.found;
  }

  /** Looks again. @returns null when there is no encoder */
  async check(): Promise<ChosenEncoder | null> {
    const { finder, keys, spoolFolder, log, onChange } = this.options;
    const [encoder, key] = await Promise.allSettled([finder.find(), keys.create()]);
    const before = this.found?.message;
    this.found = null;
    if (key.status === 'rejected') this.found = toFailure(spoolError(key.reason, spoolFolder));
    if (encoder.status === 'rejected') this.found = toFailure(encoder.reason, 'ENCODER_UNAVAILABLE');
    if (this.found !== null && this.found.message !== before)
      log.error('nothing can be recorded', { code: this.found.code, reason: this.found.message });
    onChange();
    return encoder.status === 'fulfilled' ? encoder.value : null;
  }
}
