// The status window: made when it is asked for, gone when it is closed, so that it costs nothing then. It shows what it
// is told and decides nothing.

import { BrowserWindow, app, nativeTheme } from 'electron';
import type { Session, WebContents } from 'electron';
import { PAGE_ROOT } from '../shared/ipc.ts';

export interface StatusWindow {
  /** Makes it, or brings it to the front. */
  show(): void;
  /** null while there is none. */
  readonly contents: WebContents | null;
  /** Without asking its page. */
  destroy(): void;
}

export interface StatusWindowOptions {
  /** The session that serves the pages. */
  readonly session: Session;
  readonly preloadFile: string;
  readonly iconFile: string;
  /** Called when there is one, and when there is none any more. */
  readonly onOpened: () => void;
  readonly onClosed: () => void;
  readonly onGone: (reason: string) => void;
}

export function statusWindow(options: StatusWindowOptions): StatusWindow {
  let window: BrowserWindow | null = null;
  return {
    show() {
      if (window === null) {
        window = open(options, () => {
          window = null;
          options.onClosed();
        });
        options.onOpened();
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    get contents() {
      return window?.webContents ?? null;
    },
    destroy: () => window?.destroy(),
  };
}

function open(options: StatusWindowOptions, onClosed: () => void): BrowserWindow {
  const window = new BrowserWindow({
    title: 'Sightline',
    width: 620,
    height: 760,
    minWidth: 360,
    minHeight: 360,
    show: false,
    autoHideMenuBar: true,
    icon: options.iconFile,
    // The colour of the page, so that nothing flashes before the first paint.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#16191d' : '#ffffff',
    webPreferences: {
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
      preload: options.preloadFile,
      session: options.session,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.on('closed', onClosed);
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    // The next show() makes a new one.
    options.onGone(reason);
    window.destroy();
  });
  window.loadURL(`${PAGE_ROOT}index.html`).catch((error: unknown) => options.onGone(String(error)));
  return window;
}
