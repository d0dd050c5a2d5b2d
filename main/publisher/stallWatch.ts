// Says when a delivery stands still: while it does, everything behind it in the queue waits, and whoever looks must see why.
// It ends nothing; each sink's own deadlines do.

import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';

/** @returns the way to call it off */
export type SetTimer = (act: () => void, delayMs: number) => () => void;

const STALLED_AFTER_MS = 30_000;

export class StallWatch {
  private sentBytes = 0;
  private cancel = (): void => undefined;
  /** Why the try under way stands still; null: it moves, or there is none. */
  reason: Failure | null = null;

  constructor(
    private readonly setTimer: SetTimer,
    private readonly onChange: (reason: Failure | null) => void,
  ) {}

  /** A try begins. */
  begin(): void {
    this.sentBytes = 0;
    this.wait();
  }

  moved(sentBytes: number): void {
    if (sentBytes === this.sentBytes) return;
    this.sentBytes = sentBytes;
    this.wait();
  }

  end(): void {
    this.cancel();
    this.set(null);
  }

  private wait(): void {
    this.end();
    this.cancel = this.setTimer(
      () =>
        this.set(
          failure(
            'CLIENT_CONNECTION_ERROR',
            `Nothing of a recording has reached the sink for ${STALLED_AFTER_MS / 1000} s, and the others wait behind it. Check the network and the sink; Sightline retries automatically.`,
          ),
        ),
      STALLED_AFTER_MS,
    );
  }

  private set(reason: Failure | null): void {
    if (this.reason === reason) return;
    this.reason = reason;
    this.onChange(reason);
  }
}
