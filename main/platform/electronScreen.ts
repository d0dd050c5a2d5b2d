// The monitors as Electron's `screen` tells them, in physical pixels: for Windows, where ffmpeg's grabber wants those
// and a program without a window is not told them. The `screen` is a parameter, to be passed after app.whenReady().
// https://www.electronjs.org/docs/latest/api/screen

import type { Monitor, Rect } from '../shared/names.ts';

/** What is used of Electron's Screen. */
export interface ScreenSource {
  getAllDisplays(): readonly { readonly id: number; readonly label: string; readonly bounds: Rect }[];
  getPrimaryDisplay(): { readonly id: number };
  /** Windows: where a rectangle in device-independent pixels is on the real desktop, whatever each monitor's scale. */
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
        screen.getAllDisplays().map(({ id, label, bounds }, index) => {
          const { x, y, width, height } = screen.dipToScreenRect(null, bounds);
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
