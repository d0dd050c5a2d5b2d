// Notices that the upload under way makes no progress: after 30 s the queue shows why it waits, after two minutes it
// continues with the next recording. The attempt itself is not aborted, so a slow sink can still complete it.

import type { SetTimer } from '../platform/deadline.ts';
import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';

const REPORT_AFTER_MS = 30_000;
export const SET_ASIDE_AFTER_MS = 120_000;

const noProgress = failure(
  'CLIENT_CONNECTION_ERROR',
  `The upload destination has accepted no data for ${REPORT_AFTER_MS / 1000} s. Check the network and the destination; ` +
    'Sightline retries automatically, and other recordings do not wait for this one.',
);

export class StallWatch {
  /** Why the attempt makes no progress; null: it does, or there is none. */
  reason: Failure | null = null;
  private transferredBytes = 0;
  private cancel = (): void => undefined;
  private setAside = (): void => undefined;

  constructor(
    private readonly setTimer: SetTimer,
    private readonly onChange: (reason: Failure | null) => void,
  ) {}

  /** Starts watching an attempt. @returns a promise that resolves when the attempt has made no progress for too long */
  begin(): Promise<Failure> {
    this.transferredBytes = 0;
    this.restart();
    return new Promise((resolve) => (this.setAside = () => resolve(noProgress)));
  }

  /** @param bytes written and read back so far */
  progressed(bytes: number): void {
    if (bytes === this.transferredBytes) return;
    this.transferredBytes = bytes;
    this.restart();
  }

  end(): void {
    this.cancel();
    this.set(null);
  }

  private restart(): void {
    this.end();
    const timers = [
      this.setTimer(() => this.set(noProgress), REPORT_AFTER_MS),
      this.setTimer(() => this.setAside(), SET_ASIDE_AFTER_MS),
    ];
    this.cancel = () => timers.forEach((cancel) => cancel());
  }

  private set(reason: Failure | null): void {
    if (this.reason === reason) return;
    this.reason = reason;
    this.onChange(reason);
  }
}
