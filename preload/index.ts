// The bridge between a page and the main process: two narrow functions and no way to name a channel. Built to one
// CommonJS file for the sandbox, so only types may come from elsewhere.

import { contextBridge, ipcRenderer } from 'electron';
import type { Pushes, Requests, ShownState, SightlineBridge } from '../main/shared/ipc.ts';

const GET_STATE = 'state.get' satisfies keyof Requests;
const STATE_CHANGED = 'state.changed' satisfies keyof Pushes;

const bridge: SightlineBridge = {
  getState: () => ipcRenderer.invoke(GET_STATE) as Promise<ShownState>,
  onState(listener) {
    // The event itself stays here: through its `sender` a page could reach every channel.
    const hear = (_event: unknown, state: ShownState): void => listener(state);
    ipcRenderer.on(STATE_CHANGED, hear);
    return () => void ipcRenderer.removeListener(STATE_CHANGED, hear);
  },
};

contextBridge.exposeInMainWorld('sightline', bridge);
