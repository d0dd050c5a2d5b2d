// The Electron app: services first, then the tray, windows on demand. When a service cannot start, tray and window show why
// and the app keeps running. Quitting asks for confirmation, and completes what is being recorded.

import { Menu, app, dialog, powerMonitor, safeStorage, screen, session, shell } from 'electron';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { push, serveRequests } from './ipc/ipc.ts';
import { appDiagnostics } from './diagnostics/app.ts';
import type { AppDiagnostics } from './diagnostics/app.ts';
import { Overview } from './composition/overview/overview.ts';
import { setAutostart } from './platform/autostart.ts';
import { reportCrashes } from './platform/crashReports.ts';
import type { Logger } from './platform/log.ts';
import { electronMonitors } from './platform/electronScreen.ts';
import { safeStorageStore } from './platform/keyStore.ts';
import { createLogger } from './platform/log.ts';
import { startLogindWatch } from './platform/logind.ts';
import { defaultDataFolder, findResourcesFolder, systemDataFolder } from './platform/paths.ts';
import {
  keepNewFilesPrivate,
  keepCurrentFolderOutOfSearch,
  insistOnCertificates,
} from './platform/hardening.ts';
import { powerMonitorWatch } from './platform/sessionWatch.ts';
import { appVersion, osName } from './platform/version.ts';
import type { Policy } from './policy/keys.ts';
import type { LivePolicy } from './policy/live.ts';
import { readPolicy } from './policy/read.ts';
import type { StartedPolicy } from './policy/start.ts';
import { startLivePolicy } from './policy/start.ts';
import type { Services } from './services.ts';
import { startServices } from './services.ts';
import { agentOffer, isQuiet } from './session/view.ts';
import type { StateInWords } from './shared/ipc.ts';
import type { Monitor } from './shared/names.ts';
import type { AppStatePush } from './shared/protocol.ts';
import { words } from './shared/words.ts';
import { stateInWords, trayView } from './tray/model.ts';
import type { TrayCommand, TrayOffers } from './tray/model.ts';
import { createTray } from './tray/tray.ts';
import { macMenu } from './tray/macMenu.ts';
import { exportWithDialog } from './windows/exportDialog.ts';
import { createIndicator } from './windows/indicator.ts';
import { indicatorView } from './windows/indicatorModel.ts';
import { IndicatorStore } from './windows/indicatorStore.ts';
import { denyByDefault, openPageSession, registerPageScheme } from './windows/security.ts';
import { statusWindow } from './windows/statusWindow.ts';

/** A supervisor or a log-off waits 10 s; half a second is left for the last log lines. */
const STOP_WITHIN_MS = 9_500;

const APP_ID = 'app.sightline.Sightline';
/** `dist`, in which this file is `main/index.mjs`. */
const BUILD_FOLDER = fileURLToPath(new URL('..', import.meta.url));
/** Before the policy is read, or without a valid one. */
const FIRST_FOLDER = app.isPackaged ? systemDataFolder() : defaultDataFolder();
/** The state without services. */
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
  /** null when it could not be read. */
  readonly startedPolicy: StartedPolicy | null;
  readonly indicatorStore: IndicatorStore;
  /** The monitors of the newest run. */
  readonly recorded: { monitors: readonly Monitor[]; onChange: (monitors: readonly Monitor[]) => void };
  /** null when they could not be started. */
  readonly services: Services | null;
  /** Why not, for the agent. */
  readonly problem: string | null;
  readonly diagnostics: AppDiagnostics;
}

keepCurrentFolderOutOfSearch();
keepNewFilesPrivate();
// Before Chromium reads them: DevTools would let any program of this machine change the text of the indicator.
if (app.isPackaged)
  for (const one of ['remote-debugging-port', 'remote-debugging-pipe']) app.commandLine.removeSwitch(one);
/** Before anything connects. */
const tlsWarning = insistOnCertificates();

if (app.requestSingleInstanceLock()) {
  registerPageScheme();
  denyByDefault();
  app.setAppUserModelId(APP_ID);
  app.on('window-all-closed', () => {}); // the tray stays: without a listener Electron would quit
  app
    .whenReady()
    .then(run)
    .catch((error: unknown) => {
      // Not a service but the user interface: files of the installation are missing.
      const { title, text } = words.dialogs.cannotStart;
      dialog.showErrorBox(title, text(String(error)));
      app.exit(1);
    });
} else {
  app.quit(); // the running instance shows its window
}

async function run(): Promise<void> {
  const starting = start();
  let hide = (): void => undefined;
  // The windows show to the end what is captured. They close before Electron quits, which fails on windows that close meanwhile.
  quitOnlyWhenStopped(starting, () => hide());
  hide = show(await starting);
}

/** Policy, log, services. Errors are not thrown: the window shows them. */
async function start(): Promise<Started> {
  let startedPolicy: StartedPolicy | null = null;
  let logFolder = join(FIRST_FOLDER, 'logs');
  const recorded: Started['recorded'] = { monitors: [], onChange: () => undefined };
  let log = createLogger({ folder: logFolder, level: 'info', stderr: true });
  // Recording goes on: Electron's own handler would block on a dialog that the agent can do nothing about.
  reportCrashes(
    () => logFolder,
    () => log,
  );
  const keyStore = safeStorageStore(safeStorage);
  const platform = {
    ...(keyStore === null ? {} : { keyStore }),
    ...(process.platform === 'win32' ? { monitorSource: electronMonitors(screen) } : {}),
  };
  const found = async (services: Services | null, problem: string | null): Promise<Started> => {
    const resolveProxy = (url: string): Promise<string> => session.defaultSession.resolveProxy(url);
    const diagnostics = appDiagnostics({ services, log, resolveProxy, managed: app.isPackaged, ...platform });
    return { log, startedPolicy, recorded, indicatorStore: await choices(), services, problem, diagnostics };
  };
  try {
    const given = { flags: {}, environment: process.env, managed: app.isPackaged };
    const first = await readPolicy(given);
    const { dataDir, logLevel } = first.values;
    logFolder = join(dataDir, 'logs');
    log = createLogger({ folder: logFolder, level: logLevel, stderr: true });
    if (tlsWarning !== null) log.warn(tlsWarning);
    startedPolicy = startLivePolicy(first, given, log);
    const { live } = startedPolicy;
    const services = await startServices({
      policy: live.values,
      policyChanges: live,
      resourcesFolder: findResourcesFolder(),
      log,
      // On Linux Electron notices sleep only, and the X server knows its monitors better.
      watchSession: process.platform === 'linux' ? startLogindWatch : powerMonitorWatch(powerMonitor),
      onMonitors: (monitors) => {
        recorded.monitors = monitors;
        recorded.onChange(monitors);
      },
      ...platform,
    });
    startedPolicy.publish();
    log.info('ready', { port: services.port, version: appVersion });
    return await found(services, null);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    log.error('the services could not be started', { reason: problem });
    return found(null, problem);
  }

  async function choices(): Promise<IndicatorStore> {
    const store = new IndicatorStore(startedPolicy?.live.values.dataDir ?? FIRST_FOLDER, log);
    await store.load();
    return store;
  }
}

/** The tray, the indicator and, on demand, the window; all follow the hub. @returns removes them */
function show({
  log,
  startedPolicy,
  recorded,
  indicatorStore,
  services,
  problem,
  diagnostics,
}: Started): () => void {
  const policy = startedPolicy?.live ?? null;
  const iconsFolder = join(findResourcesFolder(), 'icons');

  const state = (): AppStatePush => services?.hub.state ?? NOT_RUNNING;
  const inWords = (): StateInWords => stateInWords(state(), problem);
  const overview = new Overview({
    services,
    state,
    inWords,
    versions: versionsOf(),
    runChecks: () => diagnostics.runChecks(),
    exportDiagnostics: () => exportWithDialog((file) => diagnostics.export(file), true),
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

  Menu.setApplicationMenu(process.platform === 'darwin' ? macMenu(() => quit()) : null);
  app.setAboutPanelOptions({
    applicationName: 'Sightline',
    applicationVersion: appVersion,
    iconPath: join(iconsFolder, 'app.png'),
  });
  serveRequests(overview.handlers);
  let endWatch = (): void => undefined;
  const pages = openPageSession(join(BUILD_FOLDER, 'renderer'));
  const window = statusWindow({
    session: pages,
    preloadFile: join(BUILD_FOLDER, 'preload', 'index.cjs'),
    iconFile: join(iconsFolder, 'app.png'),
    onOpened: () => (endWatch = overview.watch((shown) => push(window.contents, 'state.changed', shown))),
    onClosed: () => endWatch(),
    onGone: (reason) => log.error('the status window is gone', { reason }),
  });
  const indicatorPolicy = (): Policy['indicator'] => policy?.values.indicator ?? 'required';
  const indicator = createIndicator({
    session: pages,
    preloadFile: join(BUILD_FOLDER, 'preload', 'indicator.cjs'),
    store: indicatorStore,
    onChoice: () => follow(),
    log,
  });
  const choose = (change: Parameters<IndicatorStore['change']>[0]): void => {
    void indicatorStore.change(change);
    follow();
  };
  const agent = (wish: 'suspend' | 'resume'): void =>
    void services?.session
      .agent(wish)
      .then(follow)
      .catch((error: unknown) => log.warn('the agent was refused', { wish, reason: String(error) }));
  const isRecording = (): boolean => services !== null && !isQuiet(services.session.current);
  const quit = quitAskingFirst(isRecording);
  const commands: Readonly<Record<TrayCommand, () => void>> = {
    suspend: () => agent('suspend'),
    resume: () => agent('resume'),
    'shrink-indicator': () => choose({ shrunk: true }),
    'grow-indicator': () => choose({ shrunk: false }),
    'hide-indicator': () => choose({ hidden: true }),
    'show-indicator': () => choose({ hidden: false }),
    'show-window': () => window.show(),
    'export-diagnostics': () => void exportWithDialog((file) => diagnostics.export(file), false),
    about: () => app.showAboutPanel(),
    quit,
  };
  const offers = (): TrayOffers => ({
    version: appVersion,
    elapsedMs: services?.session.recordedMs ?? null,
    agent: agentOffer(services?.session.current ?? null, policy?.values.agentMaySuspend ?? false),
    indicator:
      indicatorPolicy() === 'off'
        ? null
        : { ...indicatorStore.choices, mayHide: indicatorPolicy() === 'optional' },
    canExport: true,
  });
  const tray = createTray({
    iconsFolder,
    view: () => trayView(inWords(), offers()),
    isCounting: () => (services?.session.recordedMs ?? null) !== null,
    onCommand: (command) => commands[command](),
  });

  const follow = (): void => {
    // The indicator first: it is what the agent looks at.
    indicator.show(
      indicatorView({
        state: state(),
        inWords: inWords(),
        elapsedMs: services?.session.recordedMs ?? null,
        policy: indicatorPolicy(),
        choices: indicatorStore.choices,
      }),
    );
    tray.refresh();
  };
  // An encoder that was missing may be installed by the next contact.
  let encoderMissing = services !== null;
  const askForEncoder = (): void =>
    void services?.describe().then((found) => (encoderMissing = found.encoder === null));
  services?.hub.subscribe((news) => {
    if (news.type === 'recording.status' && encoderMissing) askForEncoder();
    follow();
  });
  askForEncoder();
  indicator.recorded(recorded.monitors);
  recorded.onChange = (monitors) => indicator.recorded(monitors);
  follow();
  followAutostart(policy, log);
  policy?.onChange((changed) => {
    if (changed.has('indicator') || changed.has('agentMaySuspend')) follow();
  });
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  if (problem !== null) window.show();
  return () => {
    indicator.destroy();
    tray.remove();
    window.destroy();
  };
}

/** Only of an installed app. */
function followAutostart(policy: LivePolicy | null, log: Logger): void {
  if (policy === null || !app.isPackaged) return;
  const program = process.env.APPIMAGE ?? process.execPath;
  const set = (): void =>
    void setAutostart({ wanted: policy.values.autostart, platform: process.platform, program, app }).catch(
      (error: unknown) => log.warn('starting with the session could not be set', { reason: String(error) }),
    );
  set();
  policy.onChange((changed) => {
    if (changed.has('autostart')) set();
  });
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

/** Asks for confirmation while a contact is recorded; a second click on Quit while the question is open quits. */
function quitAskingFirst(isRecording: () => boolean): () => void {
  let asking = false;
  const { message, detail, keep, end } = words.dialogs.quit;
  return () => {
    if (!isRecording() || asking) return app.quit();
    asking = true;
    void dialog
      .showMessageBox({
        type: 'warning',
        title: 'Sightline',
        message,
        detail,
        buttons: [keep, end],
        defaultId: 0,
        cancelId: 0,
      })
      .then(({ response }) => {
        asking = false;
        if (response === 1) app.quit();
      });
  };
}

/** Quitting (menu, log-off, SIGTERM) first completes what is being recorded. */
function quitOnlyWhenStopped(starting: Promise<Started>, hide: () => void): void {
  let ending = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (ending) return;
    ending = true;
    void end().finally(() => {
      hide();
      // exit, not quit: quitting would ask again. In a step of its own: the windows end meanwhile.
      setImmediate(() => app.exit(0));
    });
  });

  async function end(): Promise<void> {
    const { log, services, startedPolicy } = await starting;
    log.info('shutting down');
    try {
      await services?.stop(STOP_WITHIN_MS);
      await startedPolicy?.stop();
      log.info('ended');
    } catch (error) {
      log.error('shutdown failed', { reason: String(error) });
    }
  }
}
