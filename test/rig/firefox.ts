// Real Firefox for tests, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): playwright-core drives only a
// Firefox of its own. A fresh profile each time, nothing that talks to the network by itself, and no trace afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { endWithUs, findOptionalTool } from './process.ts';

const program = findOptionalTool(['firefox-esr', 'firefox']);
/** null where tests can have a Firefox. */
export const whyNoFirefox =
  program === undefined ? 'no Firefox on PATH (on Debian: apt install firefox-esr)' : null;

/** Everything that asks a server is off, and whatever does all the same ends at a port where nothing listens. */
const PREFERENCES: Readonly<Record<string, string | number | boolean>> = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': '127.0.0.1, localhost',
  'network.dns.disablePrefetch': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.update.disabledForTesting': true,
  'app.normandy.enabled': false,
  'app.shield.optoutstudies.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'browser.newtabpage.enabled': false,
  'browser.topsites.contile.enabled': false,
  'browser.region.network.url': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'toolkit.telemetry.server': 'http://127.0.0.1:9/',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9/v1',
  'dom.push.connection.enabled': false,
  'media.gmp-manager.updateEnabled': false,
};

export interface FirefoxTab {
  goto(url: string): Promise<void>;
  /** The value of an expression of JSON values, or of its promise. */
  evaluate<T>(expression: string): Promise<T>;
}

export interface Firefox {
  readonly version: string;
  readonly tab: FirefoxTab;
  stop(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly message?: string;
  readonly result?: unknown;
}

export interface FirefoxOptions {
  /** A port of this machine that gets all CONNECTs for https pages; their certificates are accepted unchecked. */
  readonly proxyPort?: number;
  /** More of them, e.g. of features under test. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
}

/** Starts Firefox without a window. */
export async function startFirefox({ proxyPort, preferences = {} }: FirefoxOptions = {}): Promise<Firefox> {
  if (program === undefined) throw new Error(whyNoFirefox ?? '');
  const profile = await mkdtemp(join(tmpdir(), 'sightline-firefox-'));
  const proxy = proxyPort === undefined ? {} : { 'network.proxy.ssl_port': proxyPort };
  const lines = Object.entries({ ...PREFERENCES, ...proxy, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  await writeFile(join(profile, 'user.js'), lines.join('\n'));
  const { DISPLAY: _, ...environment } = process.env;
  const child = spawn(
    program,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    {
      // Firefox refuses a home folder of another user.
      env: {
        ...environment,
        HOME: profile,
        MOZ_CRASHREPORTER_DISABLE: '1',
        MOZ_REMOTE_SETTINGS_DEVTOOLS: '1',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  endWithUs(child);
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      void exited.then(() => reject(new Error(`Firefox ended before it was ready:\n${text}`)));
    });
    const send = await session(address);
    const { capabilities } = (await send('session.new', {
      capabilities: { alwaysMatch: { acceptInsecureCerts: true } },
    })) as {
      capabilities: { browserVersion: string };
    };
    const { contexts } = (await send('browsingContext.getTree', {})) as { contexts: { context: string }[] };
    const context = contexts[0]!.context;
    const tab: FirefoxTab = {
      async goto(url) {
        await send('browsingContext.navigate', { context, url, wait: 'complete' });
      },
      async evaluate<T>(expression: string) {
        const answer = (await send('script.evaluate', {
          expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`,
          target: { context },
          awaitPromise: true,
        })) as { type: string; result?: { value: string }; exceptionDetails?: { text: string } };
        if (answer.result === undefined) throw new Error(answer.exceptionDetails?.text);
        return JSON.parse(answer.result.value) as T;
      },
    };
    return { version: capabilities.browserVersion, tab, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Send = (method: string, params: object) => Promise<unknown>;

async function session(address: string): Promise<Send> {
  const socket = new WebSocket(`${address}/session`);
  await once(socket, 'open');
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  socket.on('message', (data: Buffer) => {
    const { id, type, message, result } = JSON.parse(data.toString()) as Answer;
    const waiter = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || waiter === undefined) return;
    waiting.delete(id);
    if (type === 'success') waiter.resolve(result);
    else waiter.reject(new Error(message));
  });
  let count = 0;
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
}
