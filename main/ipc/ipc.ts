// The main process' side of the channels: registers a handler for each request, pushes the state one way.

import { ipcMain } from 'electron';
import type { IpcMainInvokeEvent, WebContents } from 'electron';
import type { Pushes } from '../shared/ipc.ts';
import type { Handlers, Sender } from './model.ts';
import { answer, requestChannels } from './model.ts';

/** Once, before the first window. */
export function serveRequests(handlers: Handlers): void {
  for (const channel of requestChannels) {
    ipcMain.handle(channel, (event, ...args: unknown[]) => answer(handlers, channel, senderOf(event), args));
  }
}

export function push<C extends keyof Pushes>(
  to: WebContents | null,
  channel: C,
  ...args: Parameters<Pushes[C]>
): void {
  if (to !== null && !to.isDestroyed()) to.send(channel, ...args);
}

function senderOf({ senderFrame }: IpcMainInvokeEvent): Sender | null {
  return senderFrame === null ? null : { url: senderFrame.url, isTopFrame: senderFrame.parent === null };
}
