// The monitors as Electron's `screen` reports them, in physical pixels: for Windows, where ffmpeg's grabber needs those
// exactly and refuses an area that is larger than the desktop by one. Pass the `screen` after app.whenReady().
// https://www.electronjs.org/docs/latest/api/screen

import type { Monitor, Rect } from '../shared/names.ts';

/** What is used of Electron's Display. */
export interface ScreenDisplay {
  readonly id: number;
  readonly label: string;
  readonly bounds: Rect;
  readonly scaleFactor: number;
}

/** What is used of Electron's Screen. */
export interface ScreenSource {
  getAllDisplays(): readonly ScreenDisplay[];
  getPrimaryDisplay(): { readonly id: number };
  /** Windows: where a rectangle in device-independent pixels is on the real desktop, at each monitor's scale. */
  dipToScreenRect(window: null, rect: Rect): Rect;
  on(event: ScreenEvent, listener: () => void): unknown;
  removeListener(event: ScreenEvent, listener: () => void): unknown;
}

type ScreenEvent = 'display-added' | 'display-removed' | 'display-metrics-changed';
const events: readonly ScreenEvent[] = ['display-added', 'display-removed', 'display-metrics-changed'];

export function electronMonitors(screen: ScreenSource): {
  monitors(): Promise<Monitor[]>;
  onChange(listener: () => void): void;
  close(): void;
} {
  const listeners: (() => void)[] = [];
  return {
    monitors() {
      const primary = screen.getPrimaryDisplay().id;
      return Promise.resolve(
        screen.getAllDisplays().map((display, index) => {
          const { id, label } = display;
          const { x, y, width, height } = physicalBounds(screen, display);
          const name = label === '' ? `display ${index + 1}` : label;
          return { name, x, y, width, height, primary: id === primary };
        }),
      );
    },
    onChange(listener) {
      listeners.push(listener);
      for (const event of events) screen.on(event, listener);
    },
    close() {
      for (const listener of listeners) for (const event of events) screen.removeListener(event, listener);
    },
  };
}

/**
 * A display's rectangle in physical pixels. Its place is exact; its size is not: Chromium rounds up to whole
 * device-independent pixels (ScaleToEnclosingRect in ui/display/win/screen_win_display.cc), and rounds up once more on the
 * way back, so that 1920 pixels at 175 % come out as 1922.
 */
export function physicalBounds(
  screen: Pick<ScreenSource, 'dipToScreenRect'>,
  { bounds, scaleFactor }: Pick<ScreenDisplay, 'bounds' | 'scaleFactor'>,
): Rect {
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
