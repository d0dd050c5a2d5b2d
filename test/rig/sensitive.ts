// The look of the sensitive phase, and how to know it again in a decoded picture. A leak test is only as good as
// this: no scene may use these two colours for anything else.

/** 0xRRGGBB. No office software fills anything with them; H.264 keeps both far from every other colour. */
export const SENSITIVE_COLOURS = { magenta: 0xff00ff, lime: 0x00ff00 } as const;

/** Screen pixels; at a quarter of the size still ten, so that blurred edges stay a small part of each square. */
export const SENSITIVE_SQUARE = 40;

/**
 * True for what the two colours become after encoding, in whichever of BT.601 and BT.709 they are read. Generous on
 * purpose: a washed-out leak is a leak.
 */
export function looksSensitive(red: number, green: number, blue: number): boolean {
  const magenta = red > 140 && blue > 140 && green < Math.min(red, blue) - 90;
  const lime = green > 140 && red < green - 90 && blue < green - 90;
  return magenta || lime;
}

/** Share (0 to 1) of a packed rgb24 picture's pixels that look like the sensitive pattern. */
export function sensitiveShare(rgb: Uint8Array): number {
  let count = 0;
  for (let i = 0; i + 2 < rgb.length; i += 3) {
    if (looksSensitive(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!)) count++;
  }
  return count / Math.floor(rgb.length / 3);
}
