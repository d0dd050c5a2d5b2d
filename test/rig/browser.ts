// Real Chromium for tests, demo and benchmark: a fresh profile each time, nothing that talks to the network by
// itself, and no trace afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { findTool } from './process.ts';

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
  /** Closes the browser and removes its profile. May be called twice. */
  stop(): Promise<void>;
}

export interface BrowserOptions {
  /** `:N` to show a window there; headless without it. */
  display?: string;
  /** More command-line switches. */
  args?: readonly string[];
}

/** Starts Chromium, or Chrome, from PATH. */
export async function startBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const executablePath = findTool(
    ['chromium', 'chromium-browser', 'google-chrome'],
    'Install one (on Debian: apt install chromium), or run `npm run setup`.',
  );
  const profile = await mkdtemp(join(tmpdir(), 'sightline-browser-'));
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...environment } = process.env;
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
        ...(options.args ?? []),
      ],
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
    async stop() {
      await context.close();
      await removeProfile();
    },
  };
}
