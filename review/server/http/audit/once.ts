// Reasonable grouping: what one session does again and again with the same thing (scrolling a list, the byte ranges of a
// video) is one line of the audit log in a while. A line that could not be written is tried again by the next request.

const MAX_REMEMBERED = 50_000;

export class Once {
  /** When the line was written, or the writing itself. */
  readonly #done = new Map<string, number | Promise<void>>();

  constructor(
    private readonly forMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws what `write` throws; concurrent calls wait for the same line */
  async run(key: string, write: () => Promise<void>): Promise<void> {
    const known = this.#done.get(key);
    if (typeof known === 'number' && this.now() - known < this.forMs) return;
    if (typeof known === 'object') return known;
    const writing = write();
    this.#done.delete(key);
    this.#done.set(key, writing);
    try {
      await writing;
      this.#done.set(key, this.now());
    } catch (error) {
      this.#done.delete(key);
      throw error;
    }
    // The oldest ones: forgetting means a line too many, never one too few.
    for (const oldest of this.#done.keys()) {
      if (this.#done.size <= MAX_REMEMBERED) break;
      this.#done.delete(oldest);
    }
  }
}
