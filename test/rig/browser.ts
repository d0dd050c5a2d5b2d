// Real Chromium for tests, demo and benchmark: a fresh profile each time, nothing that talks to the network by
// itself, and no trace afterwards.
import { chown, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { findTool } from './process.ts';
import { asUser } from './users.ts';

const QUIET = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-default-apps'],
  // A recording under test must play without somebody clicking.
  '--autoplay-policy=no-user-gesture-required',
];

export interface Browser {
  readonly context: BrowserContext;
  /** Opens a tab and waits for the page's load event. */
  newPage(url: string): Promise<Page>;
  /** The browser process, whose descendants are all others. Linux only. */
  rootPid(): Promise<number>;
  /** Ends the whole browser as a crash would: SIGKILL, without a word to its pages. Linux only. */
  kill(): Promise<void>;
  /** Closes the browser and removes its profile. May be called twice. */
  stop(): Promise<void>;
}

export interface BrowserOptions {
  /** `:N` to show a window there; headless without it. */
  display?: string;
  /** Place and size of the window on the display; pages fill it. Playwright's 1280 x 720 unless told. */
  window?: { x: number; y: number; width: number; height: number };
  /** Of the profile, as in Chromium's file of that name. */
  preferences?: object;
  /** More command-line switches. */
  args?: readonly string[];
  /** Words before the browser's, e.g. to run it in a namespace of its own. */
  wrapper?: readonly string[];
  /** It runs as another user, by number (root only). */
  user?: number;
}

/** Starts Chromium, or Chrome, from PATH. */
export async function startBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const browser = findTool(
    ['chromium', 'chromium-browser', 'google-chrome'],
    'Install one (on Debian: apt install chromium), or run `npm run setup`.',
  );
  const profile = await mkdtemp(join(tmpdir(), 'sightline-browser-'));
  if (options.preferences !== undefined) {
    await mkdir(join(profile, 'Default'));
    await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(options.preferences));
  }
  const { user } = options;
  if (user !== undefined) await chown(profile, user, user);
  const words = [...(options.wrapper ?? []), ...(user === undefined ? [] : asUser(user))];
  const executablePath = await wrapped(browser, words, profile);
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...ours } = process.env;
  const environment = user === undefined ? ours : { ...ours, HOME: profile, XDG_RUNTIME_DIR: profile };
  const removeProfile = (): Promise<void> => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  let context: BrowserContext;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: options.display === undefined,
      env: options.display === undefined ? environment : { ...environment, DISPLAY: options.display },
      args: [
        ...QUIET,
        // Chromium's sandbox refuses to run as root, which containers often are.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...(options.display === undefined ? [] : ['--ozone-platform=x11']),
        ...windowSwitches(options.window),
        ...(options.args ?? []),
      ],
      ...(options.window === undefined ? {} : { viewport: null }),
    });
  } catch (error) {
    await removeProfile();
    throw error;
  }
  return {
    context,
    async newPage(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async rootPid() {
      return Math.min(...(await processesOf(profile)));
    },
    async kill() {
      const closed = new Promise((resolve) => context.once('close', resolve));
      for (const pid of await processesOf(profile)) process.kill(pid, 'SIGKILL');
      await closed;
    },
    async stop() {
      await context.close();
      await removeProfile();
    },
  };
}

function windowSwitches(window: BrowserOptions['window']): string[] {
  if (window === undefined) return [];
  const { x, y, width, height } = window;
  return [`--window-position=${x},${y}`, `--window-size=${width},${height}`];
}

/** Playwright starts one program, without words before it: a script, then. */
async function wrapped(program: string, wrapper: readonly string[], folder: string): Promise<string> {
  if (wrapper.length === 0) return program;
  const script = join(folder, 'browser.sh');
  await writeFile(script, `#!/bin/sh\nexec ${wrapper.join(' ')} '${program}' "$@"\n`, { mode: 0o755 });
  return script;
}

/** The renderer of a tab dies at once, as it does when it runs out of memory. */
export async function crash(page: Page): Promise<void> {
  const crashed = new Promise((resolve) => page.once('crash', resolve));
  const session = await page.context().newCDPSession(page);
  // Never answered: whoever should is gone.
  void session.send('Page.crash').catch(() => undefined);
  await crashed;
}

/** Browser processes that were started with the profile. */
async function processesOf(profile: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return words.includes(profile) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
