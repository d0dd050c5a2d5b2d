// The bridge between the status window's page and the main process: a few narrow functions and no way to name a channel.
// Built to one CommonJS file for the sandbox, so only types may come from elsewhere.

import { contextBridge, ipcRenderer } from 'electron';
import type { Pushes, Requests, ShownState, SightlineBridge } from '../main/shared/ipc.ts';

const STATE_CHANGED = 'state.changed' satisfies keyof Pushes;

function ask<C extends keyof Requests>(
  channel: C,
  ...args: Parameters<Requests[C]>
): Promise<Awaited<ReturnType<Requests[C]>>> {
  return ipcRenderer.invoke(channel, ...args) as Promise<Awaited<ReturnType<Requests[C]>>>;
}

const bridge: SightlineBridge = {
  getState: () => ask('state.get'),
  suspend: (suspended) => ask('capture.suspend', suspended),
  retryRecording: (recordingId) => ask('recordings.retry', recordingId),
  openFolder: (recordingId) => ask('recordings.openFolder', recordingId),
  runChecks: () => ask('checks.run'),
  exportDiagnostics: () => ask('diagnostics.export'),
  onState(listener) {
    // The event itself stays here: through its `sender` a page could reach every channel.
    ipcRenderer.on(STATE_CHANGED, (_event, state: ShownState) => listener(state));
  },
};

contextBridge.exposeInMainWorld('sightline', bridge);
