// The indicator's windows: one on every recorded monitor, above all others, never taking the focus. Shows an IndicatorView
// and passes on what the agent does with it; it refuses to be closed, and reopens when its process ends.

import { screen } from 'electron';
import type { BrowserWindow } from 'electron';
import type { Logger } from '../platform/log.ts';
import type { IndicatorRequests, IndicatorView } from '../shared/indicatorIpc.ts';
import { INDICATOR_PAGE, indicatorArguments } from '../shared/indicatorIpc.ts';
import type { Monitor, Rect } from '../shared/names.ts';
import { serveRequests } from '../windows/ipc.ts';
import type { Handlers } from '../windows/requests.ts';
import type { PageOptions } from '../windows/security.ts';
import { openPageWindow } from '../windows/security.ts';
import { boundsOn, displaysToMark, isNearly, physicalRect, placeOf } from './model.ts';
import type { IndicatorStore } from './store.ts';
import { X11Stacking } from './x11Stacking.ts';

export interface Indicator {
  /** null hides it. */
  show(view: IndicatorView | null): void;
  /** The monitors of the newest run. */
  recorded(monitors: readonly Monitor[]): void;
  /** Another window may be above it. */
  raise(): void;
  /** For good. */
  destroy(): void;
}

export interface IndicatorOptions extends Pick<PageOptions, 'session' | 'preloadFile'> {
  readonly store: IndicatorStore;
  /** The agent has changed `store`. */
  readonly onChoice: () => void;
  readonly onOpen: () => void;
  /** Policy; Windows only. Read at each change of what is shown. */
  readonly isInRecording: () => boolean;
  /** The agent's own suspension. @returns whether that was done */
  readonly suspend: (suspended: boolean) => Promise<boolean>;
  readonly log: Logger;
}

/** The windows are kept for the next contact, which is then shown at once, but not for ever: an idle app is light. */
const KEEP_MS = 120_000;
/** So that a page that crashes again and again costs little. */
const REOPEN_MS = 1000;
/** Until the system has done with a change of a window's bounds; also limits how often it is moved back. */
const SETTLE_MS = 100;

/** Only after the app is ready. */
export function createIndicator(options: IndicatorOptions): Indicator {
  const { store, onChoice, log } = options;
  const displayName = process.platform === 'linux' ? process.env.DISPLAY : undefined;
  const stacking =
    displayName === undefined ? null : new X11Stacking(displayName, () => visible().map(xWindowOf), log);
  const windows = new Map<number, BrowserWindow>();
  /** Those whose page is loaded. */
  const painted = new WeakSet<BrowserWindow>();
  /** As wide as the content, by display. */
  const widths = new Map<number, number>();
  let view: IndicatorView | null = null;
  let monitors: readonly Monitor[] = [];
  let dragFrom: Rect | null = null;
  let settling: NodeJS.Timeout | undefined;
  let keeping: NodeJS.Timeout | undefined;
  let isOver = false;

  const drop = (displayId: number): void => {
    const window = windows.get(displayId);
    windows.delete(displayId);
    // A drag does not outlive its window.
    dragFrom = null;
    if (window?.isDestroyed() === false) window.destroy();
  };

  function arrange(): void {
    if (isOver) return;
    clearTimeout(keeping);
    if (view === null) {
      for (const window of windows.values()) window.hide();
      stacking?.stop();
      keeping = setTimeout(() => [...windows.keys()].forEach(drop), KEEP_MS);
      keeping.unref();
      return;
    }
    const displays = screen.getAllDisplays();
    const areas = displays.map((one) => ({
      id: one.id,
      physical: physicalRect(screen, one, process.platform),
    }));
    const wanted = displaysToMark(monitors, areas);
    [...windows.keys()].filter((id) => !wanted.includes(id)).forEach(drop);
    for (const { id } of displays) {
      if (!wanted.includes(id)) continue;
      const window = windows.get(id) ?? open(id);
      // WDA_EXCLUDEFROMCAPTURE. https://www.electronjs.org/docs/latest/api/browser-window#winsetcontentprotectionenable-macos-windows
      if (process.platform === 'win32') window.setContentProtection(!options.isInRecording());
      settle(id, window);
      if (!window.isVisible() && painted.has(window)) {
        window.showInactive();
        // Windows may give a window that is shown the size that it had on a monitor of another scale.
        settle(id, window);
      }
      if (!window.isDestroyed()) window.webContents.send('indicator.changed', view);
    }
    raise();
  }

  const visible = (): BrowserWindow[] => [...windows.values()].filter((window) => window.isVisible());

  function raise(): void {
    // Nothing is recorded then, and a screen lock wants to be the highest.
    if (view === null || view.tone === 'paused') return stacking?.stop();
    for (const window of visible()) {
      // Above full-screen windows as well. After it is shown, because some window systems forget what was set before.
      window.setAlwaysOnTop(true, 'screen-saver');
      window.moveTop();
    }
    stacking?.follow();
  }

  /** Moves the window to where it belongs. @param isRough leaves it alone where it is nearly there */
  function settle(displayId: number, window: BrowserWindow, isRough = false): void {
    const { workArea } = screen.getAllDisplays().find(({ id }) => id === displayId) ?? {};
    if (dragFrom !== null || workArea === undefined || window.isDestroyed()) return;
    const bounds = boundsOn(workArea, store.choices, displayId, widths.get(displayId));
    if (!isRough || !isNearly(window.getBounds(), bounds)) window.setBounds(bounds);
  }

  /** After the system or another program has changed bounds. */
  function settleSoon(): void {
    settling ??= setTimeout(() => {
      settling = undefined;
      for (const [displayId, window] of windows) settle(displayId, window, true);
    }, SETTLE_MS).unref();
  }

  /** Of a window that is gone: reopened if it is still wanted. */
  function reopen(displayId: number): void {
    drop(displayId);
    setTimeout(arrange, REOPEN_MS).unref();
  }

  function open(displayId: number): BrowserWindow {
    const window = openPageWindow(
      {
        title: 'Sightline indicator',
        ...boundsOn({ x: 0, y: 0, width: 0, height: 0 }, store.choices, displayId),
        frame: false,
        transparent: true,
        hasShadow: false,
        // It must not come between the agent and the page: no focus, no place in the task bar.
        focusable: false,
        skipTaskbar: true,
        resizable: false,
        movable: true,
        minimizable: false,
        maximizable: false,
        fullscreenable: false,
        closable: false,
        alwaysOnTop: true,
      },
      {
        ...options,
        url: INDICATOR_PAGE,
        // The time goes on while another window is in front.
        neverThrottled: true,
        onGone: (reason) => {
          if (windows.get(displayId) !== window) return;
          log.error('the indicator is gone and is reopened', { reason });
          reopen(displayId);
        },
      },
    );
    windows.set(displayId, window);
    window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true });
    window.on('move', settleSoon).on('resize', settleSoon);
    window.on('close', (event) => event.preventDefault());
    // There are ways around that: then it is reopened.
    window.on('closed', () => {
      if (windows.get(displayId) !== window) return;
      log.warn('the indicator was closed and is reopened');
      reopen(displayId);
    });
    // isLoading() is no help: it may still be true at this event.
    window.webContents.once('did-finish-load', () => {
      painted.add(window);
      arrange();
    });
    return window;
  }

  function moved(displayId: number, window: BrowserWindow, x: number, y: number, done: boolean): void {
    dragFrom ??= window.getBounds();
    const { workArea } = screen.getAllDisplays().find(({ id }) => id === displayId) ?? {};
    if (workArea === undefined) return;
    const place = placeOf(workArea, { ...dragFrom, x: dragFrom.x + x, y: dragFrom.y + y });
    const places = { ...store.choices.places, [String(displayId)]: place };
    window.setBounds(boundsOn(workArea, { places }, displayId, dragFrom.width));
    if (!done) return;
    dragFrom = null;
    void store.change({ places });
  }

  const handlersOf = (displayId: number, window: BrowserWindow): Handlers<IndicatorRequests> => ({
    'indicator.get': () => view,
    'indicator.suspend': (suspended) => options.suspend(suspended),
    'indicator.shrink': (shrunk) => {
      void store.change({ shrunk });
      onChoice();
    },
    'indicator.hide': () => {
      if (view?.mayHide !== true) return;
      void store.change({ hidden: true });
      onChoice();
    },
    'indicator.open': () => options.onOpen(),
    'indicator.move': (x, y, done) => moved(displayId, window, x, y, done),
    'indicator.fit': (width) => {
      widths.set(displayId, width);
      arrange();
    },
  });
  serveRequests<IndicatorRequests>({ url: INDICATOR_PAGE, arguments: indicatorArguments }, (contents) => {
    const [displayId, window] = [...windows].find(([, one]) => one.webContents === contents) ?? [];
    return displayId === undefined || window === undefined ? null : handlersOf(displayId, window);
  });
  for (const event of ['display-added', 'display-removed', 'display-metrics-changed'] as const)
    screen.on(event as 'display-added', () => {
      arrange();
      // Windows adapts windows to a new scale after it has reported it.
      settleSoon();
    });

  return {
    show(next) {
      view = next;
      arrange();
    },
    recorded(next) {
      monitors = next;
      if (view !== null) arrange();
    },
    raise,
    destroy() {
      isOver = true;
      clearTimeout(keeping);
      clearTimeout(settling);
      stacking?.stop();
      [...windows.keys()].forEach(drop);
    },
  };
}

function xWindowOf(window: BrowserWindow): number {
  return window.getNativeWindowHandle().readUInt32LE(0);
}
