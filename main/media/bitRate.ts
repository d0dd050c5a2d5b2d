// The highest average bit rate of a stream of frames, over any minute.

const WINDOW_MS = 60_000;

export class BusiestMinute {
  private readonly frames: { timeMs: number; bytes: number }[] = [];
  private bytes = 0;
  private most = 0;

  /** @param timeMs not before the last one's */
  add(timeMs: number, bytes: number): void {
    this.frames.push({ timeMs, bytes });
    this.bytes += bytes;
    while ((this.frames[0]?.timeMs ?? Infinity) <= timeMs - WINDOW_MS)
      this.bytes -= this.frames.shift()?.bytes ?? 0;
    this.most = Math.max(this.most, this.bytes);
  }

  /** Bits per second, whole; a stream of less than a minute counts as a minute. */
  get bitsPerSecond(): number {
    return Math.round((this.most * 8 * 1000) / WINDOW_MS);
  }
}
