// Moments. Inside Sightline a moment is a whole number of milliseconds since the Unix epoch on the one clock
// (platform/clock.ts), whole so that lengths and differences agree wherever they are worked out; outside it is an RFC
// 3339 string in UTC with milliseconds.

/** Whole milliseconds since the Unix epoch, on Sightline's one clock. */
export type Moment = number;

export interface Clock {
  /** Now, never stepping back while a recording is open. */
  now(): Moment;
  /** A moment of the system's wall clock (ffmpeg's first frame) on this clock. */
  fromWall(wallMs: number): Moment;
  /** How often the wall clock has been set since the start. Frames that were stamped across a step cannot be trusted. */
  readonly steps: number;
}

/** `2026-01-01T00:00:00.000Z` (RFC 3339, UTC, milliseconds). */
export function toTimestamp(moment: Moment): string {
  return new Date(moment).toISOString();
}
