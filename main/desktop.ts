// Everything that the agent sees: constructs tray, indicator and status window, and connects them with the services. Each
// shows the hub's state, which follows the capture; a click here is a request to the session like any other.

import { Menu, app, shell } from 'electron';
import { join } from 'node:path';
import type { AppDiagnostics } from './diagnostics/app.ts';
import type { Services } from './services.ts';
import { createIndicator } from './indicator/indicator.ts';
import { boundsOn, indicatorView } from './indicator/model.ts';
import type { IndicatorStore } from './indicator/store.ts';
import type { Logger } from './platform/log.ts';
import { appVersion, versions } from './platform/version.ts';
import { windowsHelper } from './platform/windowsHelper.ts';
import type { Policy } from './policy/keys.ts';
import type { LivePolicy } from './policy/live.ts';
import { agentOffer, isQuiet, shownSince } from './session/view.ts';
import { errorMessage } from './shared/errors.ts';
import type { ShownState } from './shared/ipc.ts';
import type { Monitor } from './shared/names.ts';
import type { AppStatePush, StateReason } from './shared/protocol.ts';
import { NOT_RUNNING, stateText } from './status/stateText.ts';
import { Overview } from './statusWindow/overview.ts';
import { statusWindow } from './statusWindow/window.ts';
import { trayView } from './tray/model.ts';
import type { TrayCommand } from './tray/model.ts';
import { createTray } from './tray/tray.ts';
import { exportWithDialog, quitAskingFirst } from './windows/dialogs.ts';
import { openPageSession } from './windows/security.ts';

export interface DesktopOptions {
  readonly log: Logger;
  /** null when it could not be read. */
  readonly policy: LivePolicy | null;
  /** null when they could not be started. */
  readonly services: Services | null;
  /** Why not. */
  readonly problem: StateReason | null;
  /** The monitors of the newest run. */
  readonly recorded: { monitors: readonly Monitor[]; onChange: (monitors: readonly Monitor[]) => void };
  readonly indicatorStore: IndicatorStore;
  readonly diagnostics: AppDiagnostics;
  /** Ends the app, on the agent's request. */
  readonly quit: () => void;
  /** With the built `preload` and `renderer`. */
  readonly buildFolder: string;
  readonly resourcesFolder: string;
}

/** @returns removes it all */
export function showDesktop(options: DesktopOptions): () => void {
  const { log, policy, services, problem, recorded, indicatorStore, diagnostics } = options;
  const iconsFolder = join(options.resourcesFolder, 'icons');
  const preloadFile = (name: string): string => join(options.buildFolder, 'preload', name);
  const now = (): number => services?.parts.clock.now() ?? Date.now();

  const state = (): AppStatePush => services?.hub.state ?? NOT_RUNNING;
  const shown = (): Pick<ShownState, 'text' | 'since' | 'agent'> => ({
    text: stateText(state(), problem),
    since:
      services === null
        ? null
        : shownSince(services.session.current, services.hub.state.state, services.hub.stateSince),
    agent: agentOffer(services?.session.current ?? null, policy?.values.agentMaySuspend ?? false),
  });
  const elapsedMs = (): number | null => {
    const { since } = shown();
    return since === null ? null : Math.max(0, now() - since);
  };

  /** The session decides, by policy: what is offered is only a hint. */
  const suspend = async (suspended: boolean): Promise<boolean> => {
    try {
      await services?.session.agent(suspended ? 'suspend' : 'resume');
      return services !== null;
    } catch (error) {
      log.warn('a request of the agent was refused', { suspended, reason: errorMessage(error) });
      return false;
    } finally {
      follow();
    }
  };

  const overview = new Overview({
    ...{ services, state, shown, versions: versions(), suspend, log },
    runChecks: () => diagnostics.runChecks(),
    exportDiagnostics: () => exportWithDialog(diagnostics, false),
    openPath: async (path, kind) => {
      if (kind === 'file') {
        shell.showItemInFolder(path);
        return;
      }
      const refusal = await shell.openPath(path);
      if (refusal !== '') log.warn('a folder could not be opened', { path, reason: refusal });
    },
  });

  const session = openPageSession(join(options.buildFolder, 'renderer'));
  const indicatorPolicy = (): Policy['indicator'] => policy?.values.indicator ?? 'required';
  const window = statusWindow({
    ...{ session, handlers: overview.handlers },
    preloadFile: preloadFile('index.cjs'),
    iconFile: join(iconsFolder, 'app.png'),
    watch: (watcher) => overview.watch(watcher),
    indicatorOn: (displayId, workArea) =>
      indicatorPolicy() === 'off' ? null : boundsOn(workArea, indicatorStore.choices, displayId),
    onGone: (reason) => log.error('the status window is gone', { reason }),
  });
  const indicator = createIndicator({
    ...{ session, store: indicatorStore, suspend, log },
    preloadFile: preloadFile('indicator.cjs'),
    onChoice: () => follow(),
    onOpen: () => window.show(),
    isInRecording: () => policy?.values.indicatorInRecording ?? true,
  });

  const choose = (change: Parameters<IndicatorStore['change']>[0]): void => {
    void indicatorStore.change(change);
    follow();
  };
  /** Whatever asks the app to quit comes here; the system's own ways to end a program do not. */
  const mayQuit = (): boolean => policy?.values.agentMayQuit ?? true;
  const isRecording = (): boolean => services !== null && !isQuiet(services.session.current);
  const askAndQuit = quitAskingFirst(isRecording, options.quit);
  const quit = (): void => (mayQuit() ? askAndQuit() : window.show());
  const commands: Readonly<Record<TrayCommand, () => void>> = {
    suspend: () => void suspend(true),
    resume: () => void suspend(false),
    'shrink-indicator': () => choose({ shrunk: true }),
    'grow-indicator': () => choose({ shrunk: false }),
    'hide-indicator': () => choose({ hidden: true }),
    'show-indicator': () => choose({ hidden: false }),
    'show-window': () => window.show(),
    'export-diagnostics': () => void exportWithDialog(diagnostics, true),
    about: () => app.showAboutPanel(),
    quit,
  };
  const tray = createTray({
    iconsFolder,
    view: () =>
      trayView(shown().text, {
        version: appVersion,
        elapsedMs: elapsedMs(),
        agent: shown().agent,
        mayQuit: mayQuit(),
        indicator:
          indicatorPolicy() === 'off'
            ? null
            : { ...indicatorStore.choices, mayHide: indicatorPolicy() === 'optional' },
      }),
    isCounting: () => elapsedMs() !== null,
    onCommand: (command) => commands[command](),
  });

  function follow(): void {
    const { text, agent } = shown();
    // The indicator first: it is what the agent looks at.
    indicator.show(
      indicatorView({
        ...{ state: state(), text, elapsedMs: elapsedMs(), agent },
        policy: indicatorPolicy(),
        choices: indicatorStore.choices,
      }),
    );
    tray.refresh();
  }

  // An encoder that was missing may be installed by the next contact.
  let isEncoderMissing = services !== null;
  const lookForEncoder = (): void =>
    void services?.describe().then(({ encoder }) => (isEncoderMissing = encoder === null));
  lookForEncoder();
  services?.hub.subscribe((push) => {
    if (push.type === 'recording.status' && isEncoderMissing) lookForEncoder();
    follow();
  });
  // Windows: the window that comes to the front may be a topmost one.
  const endRaising =
    process.platform === 'win32'
      ? windowsHelper.watch('watch-foreground', ({ event }) => event === 'foreground' && indicator.raise())
      : null;
  indicator.recorded(recorded.monitors);
  recorded.onChange = (monitors) => indicator.recorded(monitors);
  follow();
  policy?.onChange((changed) => {
    const shown = ['indicator', 'indicatorInRecording', 'agentMaySuspend', 'agentMayQuit'] as const;
    if (shown.some((key) => changed.has(key))) follow();
  });
  Menu.setApplicationMenu(null);
  app.setAboutPanelOptions({
    applicationName: 'Sightline',
    applicationVersion: appVersion,
    iconPath: join(iconsFolder, 'app.png'),
  });
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  if (problem !== null) window.show();
  return () => {
    endRaising?.();
    indicator.destroy();
    tray.remove();
    window.destroy();
  };
}
