// The Electron app: start-up order only. Services first, then the tray, windows when asked for. A service that cannot
// start is shown in the tray and the window and ends nothing; quitting completes what is being recorded.

import { Menu, app, dialog, powerMonitor, safeStorage, screen, shell } from 'electron';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { push, serveRequests } from './ipc/ipc.ts';
import { Overview } from './overview.ts';
import { checksOfApp } from './overviewChecks.ts';
import type { Logger } from './platform/log.ts';
import { electronMonitors } from './platform/electronScreen.ts';
import { safeStorageStore } from './platform/keyStore.ts';
import { createLogger } from './platform/log.ts';
import { startLogindWatch } from './platform/logind.ts';
import { defaultDataFolder, findResourcesFolder } from './platform/paths.ts';
import { powerMonitorWatch } from './platform/powerMonitor.ts';
import { appVersion, osName } from './platform/version.ts';
import { loadPolicy, readMachinePolicy } from './policy/load.ts';
import type { Services } from './services.ts';
import { startServices } from './services.ts';
import type { StateInWords } from './shared/ipc.ts';
import type { AppStatePush } from './shared/protocol.ts';
import { stateInWords, trayView } from './tray/model.ts';
import type { TrayCommand } from './tray/model.ts';
import { createTray } from './tray/tray.ts';
import { denyByDefault, openPageSession, registerPageScheme } from './windows/security.ts';
import { statusWindow } from './windows/statusWindow.ts';

/** As long as a supervisor or a log-off waits, less half a second for the last lines. */
const STOP_WITHIN_MS = 9_500;
const APP_ID = 'app.sightline.Sightline';
/** `dist`, in which this file is `main/index.mjs`. */
const BUILD_FOLDER = fileURLToPath(new URL('..', import.meta.url));
/** What is shown when there are no services to ask. */
const NOT_RUNNING: AppStatePush = {
  type: 'app.state',
  rev: 0,
  state: 'problem',
  contacts: [],
  uploads: { pending: 0, failed: 0, reason: null },
  reason: null,
};

interface Started {
  readonly log: Logger;
  /** null when they could not be started. */
  readonly services: Services | null;
  /** Why not, in words for the agent. */
  readonly problem: string | null;
}

if (app.requestSingleInstanceLock()) {
  registerPageScheme();
  denyByDefault();
  app.setAppUserModelId(APP_ID);
  app.on('window-all-closed', () => {}); // the tray stays: without a listener Electron would quit
  app
    .whenReady()
    .then(run)
    .catch((error: unknown) => {
      // Not a service but the face itself: files of the installation are missing.
      dialog.showErrorBox('Sightline cannot start', `${String(error)}\nInstall Sightline again.`);
      app.exit(1);
    });
} else {
  app.quit(); // the one that runs shows its window
}

async function run(): Promise<void> {
  const starting = start();
  quitOnlyWhenStopped(starting);
  show(await starting);
}

/** Policy, log, services. What goes wrong is not thrown: the agent is to see it. */
async function start(): Promise<Started> {
  let log = createLogger({ folder: join(defaultDataFolder(), 'logs'), level: 'info', stderr: true });
  try {
    const machine = readMachinePolicy();
    const { values: policy, warnings } = loadPolicy({ machine, flags: {}, environment: process.env });
    log = createLogger({ folder: join(policy.dataDir, 'logs'), level: policy.logLevel, stderr: true });
    for (const warning of warnings) log.warn(warning);
    const keyStore = safeStorageStore(safeStorage);
    const services = await startServices({
      policy,
      resourcesFolder: findResourcesFolder(),
      log,
      // On Linux Electron is told of sleep only, and the X server knows its monitors better.
      watchSession: process.platform === 'linux' ? startLogindWatch : powerMonitorWatch(powerMonitor),
      ...(keyStore === null ? {} : { keyStore }),
      ...(process.platform === 'win32' ? { monitorSource: electronMonitors(screen) } : {}),
    });
    log.info('ready', { port: services.port, version: appVersion });
    return { log, services, problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    log.error('the services could not be started', { reason: problem });
    return { log, services: null, problem };
  }
}

/** The tray and, on demand, the window, both following the hub. */
function show({ log, services, problem }: Started): void {
  const iconsFolder = join(findResourcesFolder(), 'icons');

  const state = (): AppStatePush => services?.hub.state ?? NOT_RUNNING;
  const inWords = (): StateInWords => stateInWords(state(), problem);
  const overview = new Overview({
    services,
    state,
    inWords,
    versions: versionsOf(),
    runChecks: () =>
      services === null
        ? Promise.reject(new Error(problem ?? ''))
        : checksOfApp(services.parts, services.port),
    exportDiagnostics: null,
    openPath: async (path, kind) => {
      if (kind === 'file') {
        shell.showItemInFolder(path);
        return;
      }
      const refusal = await shell.openPath(path);
      if (refusal !== '') log.warn('a folder could not be opened', { path, reason: refusal });
    },
    log,
  });

  if (process.platform !== 'darwin') Menu.setApplicationMenu(null);
  app.setAboutPanelOptions({
    applicationName: 'Sightline',
    applicationVersion: appVersion,
    iconPath: join(iconsFolder, 'app.png'),
  });
  serveRequests(overview.handlers);
  let endWatch = (): void => undefined;
  const window = statusWindow({
    session: openPageSession(join(BUILD_FOLDER, 'renderer')),
    preloadFile: join(BUILD_FOLDER, 'preload', 'index.cjs'),
    iconFile: join(iconsFolder, 'app.png'),
    onOpened: () => (endWatch = overview.watch((shown) => push(window.contents, 'state.changed', shown))),
    onClosed: () => endWatch(),
    onGone: (reason) => log.error('the status window is gone', { reason }),
  });
  const commands: Readonly<Record<TrayCommand, () => void>> = {
    'show-window': () => window.show(),
    about: () => app.showAboutPanel(),
    quit: () => app.quit(),
  };
  const tray = createTray({
    iconsFolder,
    first: trayView(inWords(), appVersion),
    onCommand: (command) => commands[command](),
  });

  const follow = (): void => {
    tray.show(trayView(inWords(), appVersion));
  };
  // It may be there by the time of a contact that was tried without.
  let encoderMissing = services !== null;
  const askForEncoder = (): void =>
    void services?.describe().then((found) => (encoderMissing = found.encoder === null));
  services?.hub.subscribe((news) => {
    if (news.type === 'recording.status' && encoderMissing) askForEncoder();
    follow();
  });
  askForEncoder();
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  app.on('quit', () => tray.remove());
  if (problem !== null) window.show();
}

/** What support asks for first. */
function versionsOf(): { name: string; version: string }[] {
  const { electron, chrome, node } = process.versions as Partial<Record<string, string>>;
  return [
    { name: 'Sightline', version: appVersion },
    { name: 'Electron', version: electron ?? '' },
    { name: 'Chromium', version: chrome ?? '' },
    { name: 'Node', version: node ?? '' },
    { name: 'System', version: osName() },
  ];
}

/** Whoever asks to quit (menu, log-off, SIGTERM) waits until what is open has been completed. */
function quitOnlyWhenStopped(starting: Promise<Started>): void {
  let ending = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (ending) return;
    ending = true;
    // exit, not quit: quitting would ask again.
    void end().finally(() => app.exit(0));
  });

  async function end(): Promise<void> {
    const { log, services } = await starting;
    log.info('shutting down');
    try {
      await services?.stop(STOP_WITHIN_MS);
      log.info('ended');
    } catch (error) {
      log.error('the services did not end well', { reason: String(error) });
    }
  }
}
