// The indicator's bridge: a few narrow functions and no way to name a channel. Built to one CommonJS file for the sandbox,
// so only types may come from elsewhere.

import { contextBridge, ipcRenderer } from 'electron';
import type {
  IndicatorBridge,
  IndicatorPushes,
  IndicatorRequests,
  IndicatorView,
} from '../main/shared/indicatorIpc.ts';

function ask<C extends keyof IndicatorRequests>(
  channel: C,
  ...args: Parameters<IndicatorRequests[C]>
): Promise<Awaited<ReturnType<IndicatorRequests[C]>>> {
  return ipcRenderer.invoke(channel, ...args) as Promise<Awaited<ReturnType<IndicatorRequests[C]>>>;
}

const CHANGED = 'indicator.changed' satisfies keyof IndicatorPushes;

const bridge: IndicatorBridge = {
  get: () => ask('indicator.get'),
  onView(listener) {
    // The event itself stays here: through its `sender` a page could reach every channel.
    ipcRenderer.on(CHANGED, (_event, view: IndicatorView) => listener(view));
  },
  suspend: (suspended) => ask('indicator.suspend', suspended),
  shrink: (shrunk) => ask('indicator.shrink', shrunk),
  hide: () => ask('indicator.hide'),
  open: () => ask('indicator.open'),
  move: (x, y, done) => ask('indicator.move', x, y, done),
  fit: (width) => ask('indicator.fit', width),
};

contextBridge.exposeInMainWorld('sightlineIndicator', bridge);
