// The status window: made when it is first asked for, hidden when it is closed, gone only with the app. It shows what
// it is told and decides nothing.

import { BrowserWindow, app, nativeTheme } from 'electron';
import type { Session, WebContents } from 'electron';
import { PAGE_ROOT } from '../shared/ipc.ts';

export interface StatusWindow {
  /** Makes it, or brings it to the front. */
  show(): void;
  /** null while there is none. */
  readonly contents: WebContents | null;
  /** For good: closing would only hide it. */
  destroy(): void;
}

export interface StatusWindowOptions {
  /** The session that serves the pages. */
  readonly session: Session;
  readonly preloadFile: string;
  readonly iconFile: string;
  readonly onGone: (reason: string) => void;
}

export function statusWindow(options: StatusWindowOptions): StatusWindow {
  let window: BrowserWindow | null = null;
  return {
    show() {
      if (window === null) {
        window = open(options, () => (window = null));
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
    width: 460,
    height: 520,
    minWidth: 320,
    minHeight: 320,
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
  window.on('close', (event) => {
    event.preventDefault();
    window.hide();
  });
  window.on('closed', onClosed);
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    // The next show() makes a new one.
    options.onGone(reason);
    window.destroy();
  });
  window.loadURL(`${PAGE_ROOT}index.html`).catch((error: unknown) => options.onGone(String(error)));
  return window;
}
