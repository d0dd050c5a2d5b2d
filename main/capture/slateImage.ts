// Draws slates and badges. Pure.

import type { Overlay } from '../media/overlayFrame.ts';
import { YuvImage } from '../media/yuvImage.ts';
import type { Mask, Rgb } from '../media/yuvImage.ts';
import type { BadgeOrder, GapFacts } from '../shared/names.ts';
import { MACROBLOCK } from '../shared/names.ts';
import type { Canvas } from './layout.ts';
import type { Masks, MaskSheet } from './masks.ts';
import { badgeText, slateTexts } from '../shared/slateTexts.ts';

const background: Rgb = { red: 28, green: 37, blue: 48 };
const amber: Rgb = { red: 242, green: 177, blue: 52 };
const white: Rgb = { red: 255, green: 255, blue: 255 };
const light: Rgb = { red: 184, green: 196, blue: 208 };
const dim: Rgb = { red: 125, green: 139, blue: 154 };

/** The frame size for which the numbers below are; other sizes scale them. */
const DESIGN = { width: 1280, height: 720 };
/** A page's text is one line. */
const QUOTE_CHARACTERS = 60;
/** On small frames a badge is relatively larger, so that it can still be read. */
const MIN_BADGE_SCALE = 0.8;

export function slateImage(masks: Masks, { width, height }: Canvas, gap: GapFacts): YuvImage {
  const image = new YuvImage(width, height, background);
  const scale = Math.min(width / DESIGN.width, height / DESIGN.height);
  const top = (height - DESIGN.height * scale) / 2;
  const centre = (sheet: MaskSheet, names: readonly string[], y: number, size: number, colour: Rgb): void => {
    const mask = sheet.line(names, size * scale, width * 0.94);
    image.paint(mask, (width - mask.width) / 2, top + y * scale, colour);
  };
  const { title, lines, since } = slateTexts(gap, quotable(masks.text, gap.text));
  centre(masks.icons, [gap.reason], 135, 110, amber);
  centre(masks.title, Array.from(title), 280, 56, white);
  for (const [index, line] of lines.entries())
    centre(masks.text, Array.from(line), 372 + index * 50, 30, light);
  centre(masks.text, Array.from(since), 492, 30, white);
  centre(masks.text, Array.from('Sightline'), 645, 24, dim);
  return image;
}

/** At the bottom of the frame, in the middle. */
export function badgeOverlay(masks: Masks, { width, height, gaps }: BadgeOrder): Overlay {
  const scale = Math.max(MIN_BADGE_SCALE, Math.min(width / DESIGN.width, height / DESIGN.height));
  const text = masks.text.line(Array.from(badgeText(gaps)), 22 * scale, Infinity);
  const icon = masks.icons.line([gaps[0]?.reason ?? 'interrupted'], 22 * scale, Infinity);
  const padding = 12 * scale;
  const image = new YuvImage(
    toMacroblocks(icon.width + text.width + 2 * padding),
    toMacroblocks(text.height + padding),
    background,
  );
  const left = (image.width - icon.width - text.width) / 2;
  const middle = (mask: Mask): number => (image.height - mask.height) / 2;
  // An icon fills its line from the top, a letter leaves room above and below.
  image.paint(icon, left, middle(icon) + icon.height * 0.1, amber);
  image.paint(text, left + icon.width, middle(text), white);
  const down = (size: number): number => Math.floor(size / MACROBLOCK) * MACROBLOCK;
  return { image, x: down((width - image.width) / 2), y: down(height - 16 * scale - image.height) };
}

/** A text from outside as one short line of characters that the font has. */
function quotable(sheet: MaskSheet, text: string | null): string | null {
  if (text === null) return null;
  const characters = Array.from(
    text
      .slice(0, 1000)
      .normalize('NFC')
      .replaceAll(/[\s\p{C}]+/gu, ' ')
      .trim(),
  );
  const known = characters.map((one) => (sheet.has(one) ? one : '?'));
  if (!known.some((one) => /[\p{L}\p{N}]/u.test(one))) return null;
  return known.length <= QUOTE_CHARACTERS
    ? known.join('')
    : `${known
        .slice(0, QUOTE_CHARACTERS - 1)
        .join('')
        .trimEnd()}…`;
}

function toMacroblocks(size: number): number {
  return Math.ceil(size / MACROBLOCK) * MACROBLOCK;
}
