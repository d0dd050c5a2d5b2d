// A published recording as it really is: every frame with its place on the manifest's timeline and what each monitor
// showed. The manifest says where to look; the pixels say what was there and when.
import type { Manifest } from '../../main/shared/manifest.ts';
import { decodeFrames } from './frames.ts';
import { codeErrorMs, type LateCodes } from './lateCodes.ts';
import type { Rect, Timecode } from './timecode.ts';

export interface RecordingFrame {
  readonly ptsMs: number;
  readonly piece:
    { readonly kind: 'run'; readonly runId: string } | { readonly kind: 'gap'; readonly reason: string };
  /** By the monitor's name; null where no code could be read. Empty in a gap. */
  readonly codes: ReadonlyMap<string, Timecode | null>;
  /** Read in a gap: of the frame before it, which stays under a second. */
  readonly gapCodes: readonly Timecode[];
  /** Share (0 to 1) of the whole picture that looks like the sensitive pattern. */
  readonly sensitiveShare: number;
}

/** Rejects if the file cannot be decoded. One pass, whatever changed in mid-recording. */
export async function decodeRecording(mp4: string, manifest: Manifest): Promise<RecordingFrame[]> {
  const places = new Map<string, Rect>();
  for (const { picture } of manifest.runs.flatMap((run) => run.monitors)) places.set(keyOf(picture), picture);
  const keys = [...places.keys()];
  const frames = await decodeFrames(mp4, keys.length === 0 ? {} : { monitors: [...places.values()] });
  const runs = new Map(manifest.runs.map((run) => [run.runId, run]));
  const pieces = [
    ...manifest.runs.map(({ runId, offsetMs }) => ({ offsetMs, piece: { kind: 'run', runId } as const })),
    ...manifest.gaps.map(({ reason, offsetMs }) => ({ offsetMs, piece: { kind: 'gap', reason } as const })),
  ].sort((a, b) => a.offsetMs - b.offsetMs);
  return frames.map((frame) => {
    // The file's ticks are a little finer than the manifest's milliseconds.
    const found = pieces.findLast(({ offsetMs }) => offsetMs <= frame.ptsMs + 1) ?? pieces[0];
    if (found === undefined) throw new Error(`${mp4}: the manifest has no timeline`);
    const monitors = found.piece.kind === 'run' ? (runs.get(found.piece.runId)?.monitors ?? []) : [];
    const codes = new Map(
      monitors.map(({ name, picture }) => [name, frame.codes[keys.indexOf(keyOf(picture))] ?? null]),
    );
    const gapCodes = found.piece.kind === 'gap' ? frame.codes.filter((code) => code !== null) : [];
    return { ptsMs: frame.ptsMs, piece: found.piece, codes, gapCodes, sensitiveShare: frame.sensitiveShare };
  });
}

export interface RecordingClock {
  /** Codes compared, over all frames and monitors. */
  readonly count: number;
  /** Frames of runs on which a monitor's code could not be read: torn by a change, or no code at all. */
  readonly unread: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly worst: { readonly ptsMs: number; readonly monitor: string; readonly errorMs: number } | null;
}

/** |video time - (shown time - startTime)| over every frame and monitor. */
export function recordingClock(
  frames: readonly RecordingFrame[],
  manifest: Manifest,
  late: LateCodes = new Map(),
): RecordingClock {
  const startTime = Date.parse(manifest.startTime);
  const errors: { ptsMs: number; monitor: string; errorMs: number }[] = [];
  let unread = 0;
  for (const { ptsMs, codes } of frames) {
    for (const [monitor, code] of codes) {
      if (code === null) unread += 1;
      else errors.push({ ptsMs, monitor, errorMs: codeErrorMs(startTime + ptsMs, code, late) });
    }
  }
  errors.sort((a, b) => a.errorMs - b.errorMs);
  const at = (share: number): number => errors[Math.ceil(errors.length * share) - 1]?.errorMs ?? NaN;
  return {
    count: errors.length,
    unread,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    worst: errors.at(-1) ?? null,
  };
}

/** One line for a test's output. */
export function clockLine({ count, unread, p50Ms, p99Ms, maxMs }: RecordingClock): string {
  const ms = (value: number): string => value.toFixed(0);
  return `${count} codes, ${unread} unread, p50 ${ms(p50Ms)} ms, p99 ${ms(p99Ms)} ms, max ${ms(maxMs)} ms`;
}

function keyOf({ x, y, width, height }: Rect): string {
  return `${x},${y},${width},${height}`;
}
