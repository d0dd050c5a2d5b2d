// The rectangles of Electron's displays in physical pixels, as the grabber counts.
// https://www.electronjs.org/docs/latest/api/screen

import type { Rect } from '../shared/names.ts';

/** What is used of Electron's Display. */
export interface ScreenDisplay {
  readonly bounds: Rect;
  readonly scaleFactor: number;
}

/** What is used of Electron's Screen. */
export interface ScreenSource {
  /** Windows: where a rectangle in device-independent pixels is on the real desktop, at each monitor's scale. */
  dipToScreenRect(window: null, rect: Rect): Rect;
}

/**
 * A display's rectangle in physical pixels. Its place is exact; its size is not: Chromium rounds up to whole
 * device-independent pixels (ScaleToEnclosingRect in ui/display/win/screen_win_display.cc), and rounds up once more on the
 * way back, so that 1920 pixels at 175 % come out as 1922.
 */
export function physicalBounds(screen: ScreenSource, { bounds, scaleFactor }: ScreenDisplay): Rect {
  const { x, y } = screen.dipToScreenRect(null, bounds);
  return {
    x,
    y,
    width: physicalSide(bounds.width, scaleFactor),
    height: physicalSide(bounds.height, scaleFactor),
  };
}

/**
 * Of the few sizes that are rounded up to `dip` the one that screens have: it can be halved most often (1920 and not
 * 1921, 1600 and not 1602).
 */
function physicalSide(dip: number, scale: number): number {
  const tiny = 1e-6;
  let best = Math.floor(dip * scale + tiny);
  for (let size = best - 1; size > (dip - 1) * scale + tiny; size -= 1)
    if (halvings(size) > halvings(best)) best = size;
  return best;
}

function halvings(size: number): number {
  return size === 0 ? 0 : Math.log2(size & -size);
}
