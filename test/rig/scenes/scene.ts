// What a scene is, and the few shapes that all scenes draw with. Scenes draw into a surface and say what changed;
// showing it, the block code and the sensitive phase are the painter's business. No scene may use the sensitive
// colours (sensitive.ts).
import type { Rect } from '../timecode.ts';
import type { Canvas, Colour, Font, Surface } from '../xCanvas.ts';

export interface SceneState {
  monitor: number;
  phase: number;
  label: string;
}

export interface Scene {
  /** Whether the painter puts the block code over it. */
  readonly timecode: boolean;
  /** Draws everything, once, before the first picture is shown. */
  draw(state: Readonly<SceneState>, nowMs: number): void;
  /** Draws one frame's changes and returns where they are. A scene without it is still. */
  step?(state: Readonly<SceneState>, nowMs: number): Rect[];
}

export type SceneFactory = (canvas: Canvas, surface: Surface) => Promise<Scene>;

export const PALETTE = {
  ink: 0x1f2933,
  quiet: 0x616e7c,
  faint: 0x9aa5b1,
  line: 0xd9dee4,
  panel: 0xf5f7fa,
  white: 0xffffff,
  navy: 0x12283f,
  navyLight: 0x1e3d5c,
  accent: 0x2f7fb8,
  accentPale: 0xdcecf7,
  amber: 0xe9a23b,
  green: 0x3f9b72,
  red: 0xc8553d,
} as const;

/** A desktop window with a soft edge and a title bar; returns the rectangle inside it. */
export function drawWindow(surface: Surface, rect: Rect, title: string, font: Font, bar: Colour): Rect {
  const { x, y, width, height } = rect;
  surface.fill(0x0f2233, { x: x - 1, y: y - 1, width: width + 2, height: height + 2 });
  surface.fill(0x16324a, { x: x + 4, y: y + height + 1, width, height: 5 });
  surface.fill(0x16324a, { x: x + width + 1, y: y + 6, width: 4, height: height });
  surface.fill(PALETTE.white, rect);
  surface.fill(bar, { x, y, width, height: 32 });
  surface.text(font, x + 14, y + 21, title, PALETTE.white);
  [PALETTE.red, PALETTE.amber, PALETTE.green].forEach((colour, i) => {
    surface.text(font, x + width - 26 - i * 22, y + 21, '●', colour);
  });
  return { x, y: y + 32, width, height: height - 32 };
}

const SUBJECTS = ['The customer', 'Our depot', 'The carrier', 'Accounts', 'The second parcel', 'A colleague'];
const VERBS = ['confirmed', 'asked about', 'returned', 'has not yet received', 'approved', 'will check'];
const OBJECTS = [
  'the delivery address',
  'invoice',
  'a partial refund for order',
  'the warranty of item',
  'contract',
];
const ENDS = [
  'before noon.',
  'this week.',
  'and left a note.',
  'by e-mail.',
  'after the call.',
  'as agreed.',
];

/** An office sentence; the same number gives the same sentence, so that two runs paint the same pixels. */
export function sentence(n: number): string {
  const of = (list: readonly string[], k: number): string => list[((n + 1) * k) % list.length]!;
  return `${of(SUBJECTS, 7)} ${of(VERBS, 11)} ${of(OBJECTS, 13)} ${(n * 7919) % 90000} ${of(ENDS, 5)}`;
}

/** `HH:MM:SS` of the machine's own time zone, as the desktop's clock would show it. */
export function clockText(nowMs: number): string {
  return new Date(nowMs).toTimeString().slice(0, 8);
}
