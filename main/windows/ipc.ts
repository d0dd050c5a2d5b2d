// Electron's side of the channels between the main process and a page: requests in, pushes out.

import { ipcMain } from 'electron';
import type { WebContents } from 'electron';
import type { Handlers, RequestingPage } from './requests.ts';
import { answer } from './requests.ts';

/**
 * Once for each page, before its first window.
 * @param handlersFor those of the window with these contents; null: it is none of the page's windows
 */
export function serveRequests<R extends Readonly<Record<keyof R, (...args: never[]) => unknown>>>(
  page: RequestingPage<R>,
  handlersFor: (contents: WebContents) => Handlers<R> | null,
): void {
  for (const channel of Object.keys(page.arguments) as (keyof R & string)[])
    ipcMain.handle(channel, ({ sender, senderFrame: frame }, ...args: unknown[]) => {
      const from = frame === null ? null : { url: frame.url, isTopFrame: frame.parent === null };
      return answer(page, handlersFor(sender), channel, from, args);
    });
}
