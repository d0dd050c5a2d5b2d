// The Electron app: services first, then the tray, windows on demand. When a service cannot start, tray and window show why
// and the app keeps running. Quitting asks for confirmation, and completes what is being recorded.

import { app, crashReporter, dialog, safeStorage, session } from 'electron';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DesktopOptions } from './desktop.ts';
import { showDesktop } from './desktop.ts';
import { describePortOwner } from './diagnostics/portOwner.ts';
import { appDiagnostics } from './diagnostics/app.ts';
import { IndicatorStore } from './indicator/store.ts';
import { setAutostart } from './platform/autostart.ts';
import { keepCrashDumps } from './platform/crashDumps.ts';
import { reportCrashes } from './platform/crashReports.ts';
import { ElectronNetwork } from './platform/electronNetwork.ts';
import { reportToInstaller } from './platform/installerSignal.ts';
import { safeStorageStore, systemKeyStore } from './platform/keyStore.ts';
import type { Logger } from './platform/log.ts';
import { createLogger } from './platform/log.ts';
import { defaultDataFolder, findResourcesFolder, systemDataFolder } from './platform/paths.ts';
import {
  keepNewFilesPrivate,
  keepCurrentFolderOutOfSearch,
  insistOnCertificates,
} from './platform/hardening.ts';
import { onSessionEnd, startSessionWatch } from './platform/systemSession.ts';
import { appVersion } from './platform/version.ts';
import type { LivePolicy } from './policy/live.ts';
import { readPolicy } from './policy/read.ts';
import type { StartedPolicy } from './policy/start.ts';
import { startLivePolicy } from './policy/start.ts';
import type { Services } from './services.ts';
import { startServices } from './services.ts';
import { sessionEndCauses, type EndCause } from './shared/deskEvent.ts';
import type { Failure } from './shared/errors.ts';
import { toFailure } from './shared/errors.ts';
import { strings } from './shared/strings.ts';
import { denyByDefault, registerPageScheme } from './windows/security.ts';

/** A supervisor or a log-off waits 10 s; half a second is left for the last log lines. */
const STOP_WITHIN_MS = 9_500;

const APP_ID = 'app.sightline.Sightline';
/** `dist`, in which this file is `main/index.mjs`. */
const BUILD_FOLDER = fileURLToPath(new URL('..', import.meta.url));
/** Before the policy is read, and where it is invalid. */
const FIRST_FOLDER = app.isPackaged ? systemDataFolder() : defaultDataFolder();

type Started = Omit<DesktopOptions, 'policy' | 'quit'> & { readonly startedPolicy: StartedPolicy | null };

keepCurrentFolderOutOfSearch();
keepNewFilesPrivate();
reportToInstaller();
// Before Chromium reads them: DevTools would let any program of this machine change the text of the indicator.
if (app.isPackaged)
  for (const one of ['remote-debugging-port', 'remote-debugging-pipe']) app.commandLine.removeSwitch(one);
/** Before anything connects. */
const tlsWarning = insistOnCertificates();

// Electron's own default is in the roaming profile, which is copied to servers and to other computers.
if (process.platform === 'win32') app.setPath('userData', join(systemDataFolder(), 'Electron'));

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
      const { title, text } = strings.dialogs.cannotStart;
      dialog.showErrorBox(title, text(String(error)));
      app.exit(1);
    });
} else {
  app.quit(); // the running instance shows its window
}

async function run(): Promise<void> {
  const starting = start();
  let hide = (): void => undefined;
  // The windows show what is captured until the end. They close before Electron quits, which fails on windows that close meanwhile.
  const quit = quitOnlyWhenStopped(starting, () => hide());
  const { startedPolicy, ...started } = await starting;
  const policy = startedPolicy?.live ?? null;
  hide = showDesktop({ ...started, policy, quit: () => quit('agent-quit') });
  followAutostart(policy, started.log);
}

/** Policy, log, services. Errors are not thrown: the window shows them. */
async function start(): Promise<Started> {
  let startedPolicy: StartedPolicy | null = null;
  let logFolder = join(FIRST_FOLDER, 'logs');
  const recorded: Started['recorded'] = { monitors: [], onChange: () => undefined };
  let log = createLogger({ folder: logFolder, level: 'info', stderr: true });
  // Recording continues: Electron's own handler would block on a dialog with which the agent can do nothing.
  reportCrashes(
    () => logFolder,
    () => log,
  );
  const keyStore = systemKeyStore() ?? safeStorageStore(safeStorage);
  const resourcesFolder = findResourcesFolder();
  let network = new ElectronNetwork({ proxyUrl: null });
  const started = async (services: Services | null, problem: Failure | null): Promise<Started> => {
    const resolveProxy = (url: string): Promise<string> => session.defaultSession.resolveProxy(url);
    const diagnostics = appDiagnostics({
      ...{ services, log, network, resolveProxy, managed: app.isPackaged, keyStore },
    });
    services?.answerChecks(() => diagnostics.runNetworkChecks());
    const indicatorStore = new IndicatorStore(startedPolicy?.live.values.dataDir ?? FIRST_FOLDER, log);
    await indicatorStore.load();
    return {
      ...{ log, startedPolicy, recorded, indicatorStore, services, problem, diagnostics, resourcesFolder },
      buildFolder: BUILD_FOLDER,
    };
  };
  try {
    const given = { flags: {}, environment: process.env, managed: app.isPackaged };
    const first = await readPolicy(given);
    const { dataDir, logLevel } = first.values;
    logFolder = join(dataDir, 'logs');
    log = createLogger({ folder: logFolder, level: logLevel, stderr: true });
    keepCrashDumps(logFolder, { app, crashReporter });
    if (tlsWarning !== null) log.warn(tlsWarning);
    startedPolicy = startLivePolicy(first, given, log);
    const { live } = startedPolicy;
    network = new ElectronNetwork(live.values);
    const services = await startServices({
      policy: live.values,
      policyChanges: live,
      network,
      resourcesFolder,
      describePortOwner,
      log,
      watchSession: startSessionWatch,
      onMonitors: (monitors) => {
        recorded.monitors = monitors;
        recorded.onChange(monitors);
      },
      keyStore,
    });
    startedPolicy.publish();
    log.info('ready', { port: services.port, version: appVersion });
    return await started(services, null);
  } catch (error) {
    const problem = toFailure(error);
    log.error('the services could not be started', { code: problem.code, reason: problem.message });
    return started(null, problem);
  }
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

/**
 * Quitting (menu, sign-out, SIGTERM) first completes what is being recorded.
 * @returns quits, for a known cause; without it something else has asked Electron to
 */
function quitOnlyWhenStopped(starting: Promise<Started>, hide: () => void): (cause: EndCause) => void {
  let ending = false;
  let cause: EndCause = 'terminated';
  const quit = (known: EndCause): void => {
    cause = known;
    app.quit();
  };
  // Electron emits no before-quit then.
  onSessionEnd((why) => quit(sessionEndCauses[why]));
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (ending) return;
    ending = true;
    void end().finally(() => {
      hide();
      // exit, not quit, which would ask again. In a later step, because the windows end meanwhile.
      setImmediate(() => app.exit(0));
    });
  });

  async function end(): Promise<void> {
    const { log, services, startedPolicy } = await starting;
    log.info('shutting down');
    try {
      const isSessionEnding = Object.values<EndCause>(sessionEndCauses).includes(cause);
      const waitSeconds = startedPolicy?.live.values.signOutWaitSeconds ?? 0;
      await services?.stop(isSessionEnding ? waitSeconds * 1000 : STOP_WITHIN_MS, cause);
      await startedPolicy?.stop();
      log.info('ended');
    } catch (error) {
      log.error('shutdown failed', { reason: String(error) });
    }
  }
  return quit;
}
