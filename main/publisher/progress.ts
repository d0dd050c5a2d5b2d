// How far one try of a delivery has come, told to whoever shows it: at most four times a second however many slices go
// out, once more when nothing has moved for a while, and with null when the try is over.

export interface Progress {
  /** Of this try; what the sink still had of an earlier one counts as sent. */
  readonly sentBytes: number;
  /** An estimate until everything is assembled; null while the contact goes on. */
  readonly totalBytes: number | null;
  /** Over the last seconds; 0 when nothing moves. */
  readonly bytesPerSecond: number;
}

export interface ProgressMeterOptions {
  readonly tell: (progress: Progress | null) => void;
  /** Milliseconds that only ever grow. */
  readonly now?: () => number;
}

export const TELL_EVERY_MS = 250;
/** The speed is that of so long. */
const WINDOW_MS = 4_000;
/** Nothing has moved for so long: it stands still, and is said to. */
const STILL_AFTER_MS = 2_000;

export class ProgressMeter {
  private sentBytes = 0;
  private totalBytes: number | null = null;
  private samples: { at: number; sentBytes: number }[] = [];
  private toldAt = -Infinity;
  private timer: NodeJS.Timeout | null = null;
  private ended = false;
  private readonly now: () => number;

  constructor(private readonly options: ProgressMeterOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** @param bytes so many more have gone out; negative: so many must go again */
  moved(bytes: number): void {
    this.sentBytes += bytes;
    this.due();
  }

  expect(totalBytes: number): void {
    if (this.totalBytes === totalBytes) return;
    this.totalBytes = totalBytes;
    this.due();
  }

  /** The try is over, well or not. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.setTimer(null, 0);
    this.options.tell(null);
  }

  private due(): void {
    if (this.ended) return;
    const waitMs = this.toldAt + TELL_EVERY_MS - this.now();
    if (waitMs <= 0) this.tellNow();
    else this.setTimer(() => this.tellNow(), waitMs);
  }

  private tellNow(): void {
    const now = this.now();
    this.toldAt = now;
    const { sentBytes, totalBytes } = this;
    const recent = this.samples.filter(({ at }) => now - at <= WINDOW_MS);
    this.samples = [...recent, { at: now, sentBytes }];
    const [first] = this.samples;
    const ms = first === undefined ? 0 : now - first.at;
    const bytesPerSecond = ms === 0 ? 0 : (Math.max(0, sentBytes - (first?.sentBytes ?? 0)) * 1000) / ms;
    this.options.tell({ sentBytes, totalBytes, bytesPerSecond });
    this.setTimer(() => this.options.tell({ sentBytes, totalBytes, bytesPerSecond: 0 }), STILL_AFTER_MS);
  }

  private setTimer(act: (() => void) | null, delayMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = act === null ? null : setTimeout(act, delayMs).unref();
  }
}
