// Electron 45's API, as far as Sightline uses it, over Electron 9's. What is missing there altogether is said in
// docs/electron.md: this changes names and shapes only, and lets nothing through that the new one would refuse.
const electron = require('electron');

function modern(session) {
  session.setDevicePermissionHandler ??= () => {};
  // Not there: its dictionary is asked for in each session.
  session.setSpellCheckerEnabled ??= () => {};
  session.closeAllConnections ??= async () => {};
  const { protocol } = session;
  protocol.handle ??= (scheme, handler) =>
    protocol.registerBufferProtocol(scheme, (request, callback) => {
      Promise.resolve(handler(request)).then(
        ({ status, headers, body }) =>
          callback({
            statusCode: status,
            headers,
            mimeType: (headers['Content-Type'] ?? 'text/plain').split(';')[0],
            data: Buffer.from(body),
          }),
        () => callback({ error: -2 }),
      );
    });
  return session;
}

// It came later; nothing is taken away there.
electron.app.commandLine.removeSwitch ??= () => {};
electron.app.on('session-created', modern);
electron.app.on('web-contents-created', (_event, contents) => {
  contents.setWindowOpenHandler ??= (decide) =>
    contents.on('new-window', (event) => {
      if (decide({}).action === 'deny') event.preventDefault();
    });
});

const own = {
  session: { fromPartition: (...args) => modern(electron.session.fromPartition(...args)) },
  ipcMain: Object.create(electron.ipcMain),
  // It came with Electron 15: keys are in the key file, as on a desktop without a key ring.
  safeStorage: { isEncryptionAvailable: () => false },
};
own.ipcMain.handle = (channel, answer) =>
  electron.ipcMain.handle(channel, (event, ...args) => {
    // Only top frames have a preload there (nodeIntegrationInSubFrames is off).
    event.senderFrame = { url: event.sender.getURL(), parent: null };
    return answer(event, ...args);
  });

// Getters, because some parts may be touched after the app is ready only.
module.exports = {};
for (const name of new Set([...Object.keys(electron), ...Object.keys(own)]))
  Object.defineProperty(module.exports, name, { enumerable: true, get: () => own[name] ?? electron[name] });
