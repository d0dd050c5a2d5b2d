// The indicator's windows: one pill on every recorded monitor, above all others, never taking the focus. Puts an
// IndicatorView on the screen and passes on what the agent does with it; cannot be closed, and comes back if it dies.

import { BrowserWindow, app, ipcMain, screen } from 'electron';
import type { IpcMainInvokeEvent, Session } from 'electron';
import type { Logger } from '../platform/log.ts';
import type { IndicatorPushes, IndicatorRequests, IndicatorView } from '../shared/indicatorIpc.ts';
import { INDICATOR_PAGE } from '../shared/indicatorIpc.ts';
import type { Monitor, Rect } from '../shared/names.ts';
import { boundsOn, displaysToMark, physicalRect, placeOf } from './indicatorModel.ts';
import { indicatorChannels, indicatorRequest } from './indicatorRequests.ts';
import type { IndicatorChannel } from './indicatorRequests.ts';
import type { IndicatorStore } from './indicatorStore.ts';

export interface Indicator {
  /** null hides it. */
  show(view: IndicatorView | null): void;
  /** The monitors of the newest run. */
  recorded(monitors: readonly Monitor[]): void;
  /** For good. */
  destroy(): void;
}

export interface IndicatorOptions {
  /** The session that serves the pages. */
  readonly session: Session;
  readonly preloadFile: string;
  readonly store: IndicatorStore;
  /** The agent has changed `store`: the view is to be shown anew. */
  readonly onChoice: () => void;
  readonly log: Logger;
}

/** Kept for the next contact, whose pill is then there at once; an idle desktop holds no pages of ours. */
const KEEP_MS = 120_000;
/** A page that dies again and again must not take the machine with it. */
const AGAIN_MS = 1000;

/** Only after the app is ready. */
export function createIndicator({ session, preloadFile, store, onChoice, log }: IndicatorOptions): Indicator {
  const windows = new Map<number, BrowserWindow>();
  /** Those whose page is there. */
  const painted = new WeakSet<BrowserWindow>();
  let view: IndicatorView | null = null;
  let monitors: readonly Monitor[] = [];
  let dragFrom: Rect | null = null;
  let keeping: NodeJS.Timeout | undefined;
  let isOver = false;

  const drop = (displayId: number): void => {
    const window = windows.get(displayId);
    windows.delete(displayId);
    window?.destroy();
  };

  function arrange(): void {
    if (isOver) return;
    clearTimeout(keeping);
    if (view === null) {
      for (const window of windows.values()) window.hide();
      keeping = setTimeout(() => [...windows.keys()].forEach(drop), KEEP_MS);
      keeping.unref();
      return;
    }
    const displays = screen.getAllDisplays();
    const primary = screen.getPrimaryDisplay().id;
    const areas = displays.map((one) => ({
      id: one.id,
      physical: physicalRect(screen, one, process.platform),
      primary: one.id === primary,
    }));
    const wanted = displaysToMark(monitors, areas);
    [...windows.keys()].filter((id) => !wanted.includes(id)).forEach(drop);
    for (const { id, workArea } of displays) {
      if (!wanted.includes(id)) continue;
      const window = windows.get(id) ?? open(id);
      if (dragFrom === null) window.setBounds(boundsOn(workArea, store.choices, id));
      if (!window.isVisible() && painted.has(window)) {
        window.showInactive();
        raise(window);
      }
      send(window, 'indicator.changed', view);
    }
  }

  function open(displayId: number): BrowserWindow {
    const window = new BrowserWindow({
      title: 'Sightline indicator',
      ...boundsOn({ x: 0, y: 0, width: 0, height: 0 }, store.choices, displayId),
      show: false,
      frame: false,
      transparent: true,
      hasShadow: false,
      // Never between the agent and the page: no focus, no place in the task bar.
      focusable: false,
      skipTaskbar: true,
      resizable: false,
      movable: true,
      minimizable: false,
      maximizable: false,
      fullscreenable: false,
      closable: false,
      alwaysOnTop: true,
      webPreferences: {
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webviewTag: false,
        spellcheck: false,
        devTools: !app.isPackaged,
        // The time goes on while another window is in front.
        backgroundThrottling: false,
        preload: preloadFile,
        session,
      },
    });
    windows.set(displayId, window);
    window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true });
    window.on('close', (event) => event.preventDefault());
    // There are ways around that one: whoever takes one has it back at once.
    window.on('closed', () => {
      if (windows.get(displayId) !== window) return;
      windows.delete(displayId);
      log.warn('the indicator was closed and comes back');
      setTimeout(arrange, AGAIN_MS).unref();
    });
    // isLoading() is no help: it may still be true when this is told.
    window.webContents.once('did-finish-load', () => {
      painted.add(window);
      arrange();
    });
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      log.error('the indicator is gone and comes back', { reason });
      drop(displayId);
      setTimeout(arrange, AGAIN_MS).unref();
    });
    window
      .loadURL(INDICATOR_PAGE)
      .catch((error: unknown) => log.error('the indicator has no page', { reason: String(error) }));
    return window;
  }

  function moved(displayId: number, window: BrowserWindow, x: number, y: number, done: boolean): void {
    dragFrom ??= window.getBounds();
    const { workArea } = screen.getAllDisplays().find(({ id }) => id === displayId) ?? {};
    if (workArea === undefined) return;
    const place = placeOf(workArea, { ...dragFrom, x: dragFrom.x + x, y: dragFrom.y + y });
    const places = { ...store.choices.places, [String(displayId)]: place };
    window.setBounds(boundsOn(workArea, { ...store.choices, places }, displayId));
    if (!done) return;
    dragFrom = null;
    void store.change({ places });
  }

  const handlers: {
    readonly [C in IndicatorChannel]: (
      from: { displayId: number; window: BrowserWindow },
      ...args: Parameters<IndicatorRequests[C]>
    ) => ReturnType<IndicatorRequests[C]>;
  } = {
    'indicator.get': () => view,
    'indicator.shrink': (_from, shrunk) => {
      void store.change({ shrunk });
      onChoice();
    },
    'indicator.hide': () => {
      if (view?.mayHide !== true) return;
      void store.change({ hidden: true });
      onChoice();
    },
    'indicator.move': ({ displayId, window }, x, y, done) => moved(displayId, window, x, y, done),
  };
  const serve = (channel: IndicatorChannel): void =>
    ipcMain.handle(channel, (event: IpcMainInvokeEvent, ...args: unknown[]) => {
      const [displayId, window] = [...windows].find(([, one]) => one.webContents === event.sender) ?? [];
      const frame = event.senderFrame;
      const isIndicator = window !== undefined;
      const sender =
        frame === null ? null : { url: frame.url, isTopFrame: frame.parent === null, isIndicator };
      const parsed = indicatorRequest(channel, sender, args);
      if (displayId === undefined || window === undefined) return undefined;
      const handler = handlers[channel] as (from: object, ...args: unknown[]) => unknown;
      return handler({ displayId, window }, ...parsed);
    });
  for (const channel of indicatorChannels) serve(channel);
  for (const event of ['display-added', 'display-removed', 'display-metrics-changed'] as const)
    screen.on(event as 'display-added', arrange);

  return {
    show(next) {
      view = next;
      arrange();
    },
    recorded(next) {
      monitors = next;
      if (view !== null) arrange();
    },
    destroy() {
      isOver = true;
      clearTimeout(keeping);
      [...windows.keys()].forEach(drop);
    },
  };
}

/** Above full-screen windows as well. Once it is shown: some window systems forget what they were told before. */
function raise(window: BrowserWindow): void {
  window.setAlwaysOnTop(true, 'screen-saver');
  window.moveTop();
}

function send<C extends keyof IndicatorPushes>(
  to: BrowserWindow,
  channel: C,
  ...args: Parameters<IndicatorPushes[C]>
): void {
  if (!to.isDestroyed()) to.webContents.send(channel, ...args);
}
