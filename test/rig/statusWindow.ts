// The status window in a real Chromium over real services: the built pages with the headers that the app gives them, the
// built preload with a stand-in for Electron's two modules and nothing else, and main/windows' own `answer` behind it.
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CDPSession, Page } from 'playwright-core';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { appDiagnostics } from '../../main/diagnostics/app.ts';
import type { ResolveProxy } from '../../main/diagnostics/network/checkNetwork.ts';
import type { NetworkPorts } from '../../main/diagnostics/network/types.ts';
import type { StartSessionWatch } from '../../main/platform/sessionWatch.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import type { Environment } from '../../main/diagnostics/check.ts';
import type { PolicyKey } from '../../main/policy/keys.ts';
import { variableOf } from '../../main/policy/keys.ts';
import { loadPolicy } from '../../main/policy/load.ts';
import { describePortOwner } from '../../main/diagnostics/portOwner.ts';
import type { Services } from '../../main/services.ts';
import { startServices } from '../../main/services.ts';
import { PAGE_ROOT, STATUS_PAGE, requestArguments } from '../../main/shared/ipc.ts';
import type { ExportOutcome, Requests, ShownState } from '../../main/shared/ipc.ts';
import type { AppStatePush, StateReason } from '../../main/shared/protocol.ts';
import { agentOffer, shownSince } from '../../main/session/view.ts';
import { toFailure } from '../../main/shared/errors.ts';
import { NOT_RUNNING, stateText } from '../../main/status/stateText.ts';
import { Overview } from '../../main/statusWindow/overview.ts';
import { CONTENT_SECURITY_POLICY, pageFile } from '../../main/windows/pages.ts';
import { answer } from '../../main/windows/requests.ts';
import { keepingLogger } from '../unit/support/logs.ts';
import type { Browser } from './browser.ts';
import type { Route } from './pageServer.ts';
import { startPageServer } from './pageServer.ts';
import { agent } from './recorder.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const FILES = ['index.html', 'index.js', 'style.css'];

interface AskOptions {
  readonly channel?: 'VOICE' | 'CHAT';
  readonly queue?: string;
  /** Of a suspend. */
  readonly reason?: string;
}

export interface Backstage {
  /** null where they could not be started. */
  readonly services: Services | null;
  readonly overview: Overview;
  /** What was shown to the agent in the file manager. */
  readonly opened: { path: string; kind: string }[];
  ask(type: 'start' | 'suspend' | 'resume' | 'stop', contactId: string, more?: AskOptions): Promise<unknown>;
  /** The agent's session is locked, or not any more. */
  lock(on: boolean): void;
  stop(): Promise<void>;
}

export interface BackstageOptions {
  readonly display: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly exportDiagnostics?: () => Promise<ExportOutcome>;
  /** Where the real diagnostics are exported to, in place of a dialog that asks. */
  readonly exportTo?: string;
  /** As the app has them from Electron. */
  readonly resolveProxy?: ResolveProxy;
  /** Where the network's checks go. */
  readonly ports?: NetworkPorts;
}

/** Real services in this process, an agent at one page, and the overview over them. */
export async function startBackstage(options: BackstageOptions): Promise<Backstage> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-window-'));
  const environment = environmentOf(home, options);
  const { values: policy } = loadPolicy({ machine: [], flags: {}, environment });
  // Under a name that says nothing of where the tests run.
  const resourcesFolder = join(home, 'resources');
  await symlink(findResourcesFolder(), resourcesFolder);
  const { log } = keepingLogger();
  let lock: Parameters<StartSessionWatch>[0]['onChange'] = () => undefined;
  const services = await startServices({
    policy,
    network: new NodeNetwork(policy),
    resourcesFolder,
    describePortOwner,
    log,
    watchSession: ({ onChange }) => {
      lock = onChange;
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
  });
  const identity = { agentArn: agent.agentArn, instanceArn: agent.instanceArn };
  await services.session.hello('page', identity);
  return {
    ...overviewOver(services, null, options, environment),
    services,
    ask: (type, contactId, { channel = 'VOICE', queue, reason } = {}) => {
      if (type === 'start')
        return services.session.contact({ type: 'contact.start', contactId, channel, queue });
      return services.session.contact({ type: `contact.${type}`, contactId, reason });
    },
    lock: (on) => lock(on ? ['locked'] : []),
    async stop() {
      await services.stop(5_000, 'terminated');
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Services that are to be started and cannot be, which must be so. */
export async function startBackstageThatFails(options: BackstageOptions): Promise<Backstage> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-window-'));
  const environment = environmentOf(home, options);
  const { values: policy } = loadPolicy({ machine: [], flags: {}, environment });
  const { log } = keepingLogger();
  const started = startServices({
    ...{ policy, network: new NodeNetwork(policy), resourcesFolder: findResourcesFolder() },
    ...{ describePortOwner, log },
  });
  const problem = await started.then(
    () => null,
    (error: unknown) => toFailure(error),
  );
  if (problem === null) {
    await (await started).stop(5_000, 'terminated');
    throw new Error('The services could be started.');
  }
  return {
    ...backstageWithout(problem),
    ...overviewOver(null, problem, options, environment),
    stop: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The app reads its policy from there: so the checks find the same as the services. */
function environmentOf(home: string, { display, flags }: BackstageOptions): Record<string, string> {
  const keys = { port: '0', display, dataDir: home, allowLoopbackOrigins: 'yes', ...flags };
  const named = Object.entries(keys).map(([name, value]) => [variableOf(name as PolicyKey), value]);
  return { HOME: home, ...(Object.fromEntries(named) as Record<string, string>) };
}

/** What a window shows of services that could not be started. */
export function backstageWithout(problem: StateReason): Backstage {
  return {
    ...overviewOver(null, problem, {}, process.env),
    services: null,
    ask: () => Promise.reject(new Error(problem.message)),
    lock: () => undefined,
    stop: () => Promise.resolve(),
  };
}

function overviewOver(
  services: Services | null,
  problem: StateReason | null,
  options: Omit<BackstageOptions, 'display'>,
  environment: Environment,
): Pick<Backstage, 'overview' | 'opened'> {
  const opened: Backstage['opened'] = [];
  const { exportTo = null, resolveProxy, ports } = options;
  const diagnostics = appDiagnostics({
    ...{ services, log: keepingLogger().log, environment },
    ...(resolveProxy === undefined ? {} : { resolveProxy }),
    ...(ports === undefined ? {} : { ports }),
    network: services?.parts.network ?? new NodeNetwork(),
  });
  const exportReally = async (to: string): Promise<ExportOutcome> => {
    const { file } = await diagnostics.export(to, false);
    return { status: 'saved', file };
  };
  const state = (): AppStatePush => services?.hub.state ?? NOT_RUNNING;
  const overview = new Overview({
    services,
    state,
    shown: () => ({
      text: stateText(state(), problem),
      since:
        services === null
          ? null
          : shownSince(services.session.current, state().state, services.hub.stateSince),
      agent: agentOffer(services?.session.current ?? null, services?.parts.policy.agentMaySuspend ?? false),
    }),
    suspend: async (suspended) => {
      const asked = services?.session.agent(suspended ? 'suspend' : 'resume');
      return (
        asked?.then(
          () => true,
          () => false,
        ) ?? false
      );
    },
    versions: [
      { name: 'Sightline', version: '0.1.0' },
      { name: 'Electron', version: '45.4.1' },
      { name: 'System', version: 'linux 6.1.0 x64' },
    ],
    runChecks: () => diagnostics.runChecks(),
    exportDiagnostics: () =>
      exportTo === null
        ? (options.exportDiagnostics?.() ?? Promise.resolve({ status: 'cancelled' }))
        : exportReally(exportTo),
    openPath: (path, kind) => {
      opened.push({ path, kind });
      return Promise.resolve();
    },
    log: keepingLogger().log,
  });
  return { overview, opened };
}

export interface OpenWindow {
  readonly page: Page;
  /** Errors of the console and the content security policy, and requests that left the folder. */
  readonly complaints: string[];
  /** The newest state that the page was sent. */
  readonly states: ShownState[];
  /** Sets the desktop's colours and scale; the whole page as a PNG. */
  picture(look: Look): Promise<Buffer>;
  look(look: Look): Promise<void>;
  close(): Promise<void>;
}

export interface Look {
  readonly colors: 'light' | 'dark';
  /** At 200 % the window, 640 pixels wide, has room for 320 CSS pixels (WCAG 2.2, 1.4.10). */
  readonly percent: 100 | 200;
}

export const LOOKS: readonly Look[] = [
  { colors: 'light', percent: 100 },
  { colors: 'dark', percent: 100 },
  { colors: 'light', percent: 200 },
  { colors: 'dark', percent: 200 },
];

/** Stands in for `require('electron')` inside a sandboxed preload; requests and pushes are all that there is. */
const electronStandIn = `
  const hearers = [];
  window.__push = (channel, state) => { for (const [name, hear] of hearers) if (name === channel) hear({}, state); };
  const electron = {
    contextBridge: { exposeInMainWorld: (name, api) => Object.defineProperty(window, name, { value: Object.freeze(api) }) },
    ipcRenderer: {
      invoke: (channel, ...args) => window.__invoke(channel, args),
      on: (channel, hear) => hearers.push([channel, hear]),
      removeListener: (channel, hear) => hearers.splice(hearers.findIndex((one) => one[1] === hear), 1),
    },
  };
  const require = (name) => { if (name === 'electron') return electron; throw new Error('no ' + name); };
  const module = { exports: {} }; const exports = module.exports;
`;

export async function openStatusWindow(browser: Browser, overview: Overview): Promise<OpenWindow> {
  const server = await startPageServer({ routes: await routes() });
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  const states: ShownState[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${server.origin}/`)) complaints.push(`asked for ${request.url()}`);
  });
  await page.exposeBinding('__invoke', ({ frame }, channel: keyof Requests, args: unknown[]) => {
    // Chromium has no scheme of ours: the path is what says which page it is.
    const url = frame.url().replace(`${server.origin}/`, PAGE_ROOT);
    const sender = { url, isTopFrame: frame === page.mainFrame() };
    return answer<Requests, keyof Requests>(
      { url: STATUS_PAGE, arguments: requestArguments },
      overview.handlers,
      channel,
      sender,
      args,
    );
  });
  const preload = await readFile(join(dist, 'preload/index.cjs'), 'utf8');
  await page.addInitScript({ content: `(() => { ${electronStandIn}\n${preload}\n})();` });
  const endWatch = overview.watch((state) => {
    states.push(state);
    page
      .evaluate((pushed) => {
        (globalThis as unknown as { __push?(channel: string, state: unknown): void }).__push?.(
          'state.changed',
          pushed,
        );
      }, state)
      .catch(() => undefined); // the page is being closed
  });
  const devtools = await page.context().newCDPSession(page);
  await page.goto(`${server.origin}/index.html`);
  await page.waitForSelector('main section', { state: 'attached' });
  const look = async ({ colors, percent }: Look): Promise<void> => {
    await page.emulateMedia({ colorScheme: colors, reducedMotion: 'reduce' });
    await setSize(devtools, percent, 600);
  };
  return {
    page,
    complaints,
    states,
    look,
    async picture(wanted) {
      await look(wanted);
      const height = await page.evaluate(
        () =>
          (globalThis as unknown as { document: { body: { scrollHeight: number } } }).document.body
            .scrollHeight,
      );
      await setSize(devtools, wanted.percent, height);
      const { data } = await devtools.send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data, 'base64');
    },
    async close() {
      endWatch();
      await page.close();
      await server.stop();
    },
  };
}

async function setSize(devtools: CDPSession, percent: 100 | 200, height: number): Promise<void> {
  const scale = percent / 100;
  await devtools.send('Emulation.setDeviceMetricsOverride', {
    width: 640 / scale,
    height: Math.ceil(height),
    deviceScaleFactor: scale,
    mobile: false,
  });
}

async function routes(): Promise<Record<string, Route>> {
  const entries = FILES.map(async (name): Promise<[string, Route]> => {
    const file = pageFile(`${PAGE_ROOT}${name}`);
    if (file === null) throw new Error(`The app would not serve ${name}.`);
    const body = await readFile(join(dist, 'renderer', name));
    const headers = {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
    };
    return [`/${name}`, { body, contentType: file.contentType, headers }];
  });
  return {
    ...Object.fromEntries(await Promise.all(entries)),
    // A browser always requests one, Electron does not.
    '/favicon.ico': { body: '', contentType: 'image/png' },
  };
}
