// The status window: created when it is asked for and destroyed when it is closed, so that it costs nothing then.

import { nativeTheme, screen } from 'electron';
import type { BrowserWindow } from 'electron';
import { STATUS_PAGE, requestArguments } from '../shared/ipc.ts';
import type { Requests, ShownState } from '../shared/ipc.ts';
import type { Rect } from '../shared/names.ts';
import { serveRequests } from '../windows/ipc.ts';
import type { Handlers } from '../windows/requests.ts';
import type { PageOptions } from '../windows/security.ts';
import { openPageWindow } from '../windows/security.ts';
import { windowBounds } from './placement.ts';

export interface StatusWindow {
  /** Opens it, or brings it to the front. */
  show(): void;
  /** Without asking its page. */
  destroy(): void;
}

export interface StatusWindowOptions extends Pick<PageOptions, 'session' | 'preloadFile' | 'onGone'> {
  readonly iconFile: string;
  readonly handlers: Handlers<Requests>;
  /** Called with the state while the window is open. @returns unsubscribes */
  readonly watch: (watcher: (state: ShownState) => void) => () => void;
  /** Where the indicator is on a display, which the window must not cover; null: nowhere. */
  readonly indicatorOn: (displayId: number, workArea: Rect) => Rect | null;
}

const SIZE = { width: 620, height: 760 };

/** Once, after the app is ready. */
export function statusWindow(options: StatusWindowOptions): StatusWindow {
  let window: BrowserWindow | null = null;
  serveRequests<Requests>({ url: STATUS_PAGE, arguments: requestArguments }, (contents) =>
    contents === window?.webContents ? options.handlers : null,
  );

  function open(): BrowserWindow {
    const { id, workArea } = screen.getDisplayNearestPoint(screen.getCursorScreenPoint());
    const opened = openPageWindow(
      {
        title: 'Sightline',
        ...windowBounds(workArea, SIZE, options.indicatorOn(id, workArea)),
        minWidth: 360,
        minHeight: 360,
        autoHideMenuBar: true,
        icon: options.iconFile,
        // The colour of the page, so that nothing flashes before the first paint.
        backgroundColor: nativeTheme.shouldUseDarkColors ? '#14171b' : '#f3f5f7',
      },
      {
        ...options,
        url: STATUS_PAGE,
        onGone: (reason) => {
          // The next show() opens a new one.
          options.onGone(reason);
          if (!opened.isDestroyed()) opened.destroy();
        },
      },
    );
    const endWatch = options.watch((state) => {
      if (!opened.isDestroyed()) opened.webContents.send('state.changed', state);
    });
    opened.once('ready-to-show', () => opened.show());
    opened.on('closed', () => {
      window = null;
      endWatch();
    });
    return opened;
  }

  return {
    show() {
      if (window === null) {
        window = open();
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    destroy: () => window?.destroy(),
  };
}
