// What passes between a test and its painter process. The child's whole task is its command line; everything after
// that is a numbered request and one answer.
import type { Rect } from './timecode.ts';

export const SCENES = ['timecode', 'still', 'typing', 'busy', 'snow', 'demo'] as const;
export type SceneName = (typeof SCENES)[number];

export interface PainterTask {
  display: string;
  scene: SceneName;
  fps: number;
  monitor: number;
  phase: number;
  label: string;
  area?: Rect;
  timecode?: boolean;
}

export type PainterCommand =
  | { name: 'setPhase'; phase: number }
  | { name: 'setLabel'; label: string }
  | { name: 'showSensitive'; on: boolean }
  | { name: 'setArea'; area: Rect | null }
  | { name: 'pause' }
  | { name: 'resume' }
  | { name: 'stats' }
  | { name: 'stop' };

/** When a change was on the screen. */
export interface Shown {
  /** The time in the first block code that has the change (Unix epoch, ms): no earlier picture shows it. */
  paintedAtMs: number;
  /** When the X server had confirmed it: every picture grabbed from now on shows it. */
  shownAtMs: number;
}

export interface PainterStats {
  /** Pictures painted since the start. */
  frames: number;
  /** Pictures left out because the process or the X server was late. */
  skipped: number;
  /** The longest time between two pictures that were not separated by a pause. */
  longestGapMs: number;
  /** The codes that stood for more than twice as long as they should have, because the painter was late. */
  late: readonly { paintedAtMs: number; untilMs: number }[];
  /** CPU time of the painter process since its first picture. */
  cpuMs: number;
  /** Wall-clock time since its first picture. */
  runMs: number;
}

export interface Request {
  id: number;
  command: PainterCommand;
}

export type Answer =
  | { kind: 'ready'; shown: Shown }
  | { kind: 'failed'; message: string }
  | { kind: 'done'; id: number; shown?: Shown; stats?: PainterStats };
