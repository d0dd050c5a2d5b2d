// What the kill soak is asked for, and what it answers.

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface KillResult {
  /** By what was killed and where the recordings went. */
  readonly kills: ReadonlyMap<string, number>;
  readonly published: number;
  /** Began so shortly before a power cut that nothing of them was synced; announced as FAILED. */
  readonly lostWhole: number;
  /** Of kills in mid-recording: from the last thing that is in the MP4 to the kill, sorted. */
  readonly lostMs: readonly number[];
  readonly complaints: readonly string[];
}
