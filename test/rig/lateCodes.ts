// On a busy machine a painter can be late, and leave a code standing: the screen's fault, not the recorder's.
import type { Painter } from './painter.ts';
import type { Timecode } from './timecode.ts';

/** Until when codes stood that should have been replaced before (Unix epoch, ms), by keyOf. */
export type LateCodes = ReadonlyMap<string, number>;

/** Of the painters of monitors 1, 2, ..., since their start. */
export async function lateCodesOf(painters: readonly Painter[]): Promise<LateCodes> {
  const stats = await Promise.all(painters.map((painter) => painter.stats()));
  return new Map(
    stats.flatMap(({ late }, index) =>
      late.map(({ paintedAtMs, untilMs }) => [keyOf(index + 1, paintedAtMs), untilMs] as const),
    ),
  );
}

function keyOf(monitor: number, timeMs: number): string {
  return `${monitor} ${timeMs}`;
}

/** How far a frame's time is from the time at which its code was on the screen. @param atMs the frame's (Unix epoch, ms) */
export function codeErrorMs(atMs: number, code: Timecode, late: LateCodes): number {
  const errorMs = atMs - code.timeMs;
  const stoodMs = (late.get(keyOf(code.monitor, code.timeMs)) ?? code.timeMs) - code.timeMs;
  return errorMs < 0 ? -errorMs : Math.max(0, errorMs - stoodMs);
}
