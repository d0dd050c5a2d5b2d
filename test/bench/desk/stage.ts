// The desk of the benchmark: an X server with one, two or three 1080p monitors, and real Chromium that plays a day on the
// first of them. The other monitors show a page that does not change.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../../rig/browser.ts';
import { startDisplay, type Display } from '../../rig/display.ts';
import { startPageServer, type PageServer } from '../../rig/pageServer.ts';
import type { Rect } from '../../rig/timecode.ts';
import { startXorgDummy } from '../../rig/xorgDummy.ts';
import { dayOf, type Day, type DeskScene, type Rest, type TextSize } from './day.ts';

export const MONITOR = { width: 1920, height: 1080 } as const;

/** A line of known text on the screen, in pixels of the screen. */
export interface ShownLine extends Rect {
  readonly size: TextSize;
  readonly text: string;
}

export interface SettledText extends Rest {
  readonly lines: readonly ShownLine[];
}

export interface Stage {
  readonly display: string;
  readonly monitors: number;
  /** The first state of a scene, still. */
  load(scene: DeskScene, seed: number, seconds: number): Promise<void>;
  /** Begins the loaded scene at a wall-clock time. */
  play(atMs: number): Promise<void>;
  /** What was shown at rest, once the scene is over. */
  settled(): Promise<SettledText[]>;
  stop(): Promise<void>;
}

interface PageScope {
  load(): Promise<void>;
  play(atMs: number): void;
  seen: SettledText[];
}

export async function startStage(monitors: number): Promise<Stage> {
  const display = await startScreen(monitors);
  let server: PageServer | null = null;
  let browser: Browser | null = null;
  const stop = async (): Promise<void> => {
    await browser?.stop();
    await server?.stop();
    await display.stop();
  };
  try {
    const html = await readFile(new URL('page.html', import.meta.url), 'utf8');
    let day: Day = dayOf('nothing', 0, 1);
    const dayRoute = (): Route => ({ body: JSON.stringify(day), contentType: 'application/json' });
    server = await startPageServer({ routes: { '/': html, '/day.json': dayRoute() } });
    browser = await startBrowser({ display: display.display, window: { x: 0, y: 0, ...MONITOR } });
    const pages: Page[] = [];
    for (let index = 0; index < monitors; index += 1)
      pages.push(await openWindow(browser, `${server.origin}/?customer=${index}`, index));
    const { routes } = server;
    const first = pages[0]!;
    return {
      display: display.display,
      monitors,
      async load(scene, seed, seconds) {
        day = dayOf(scene, seed, seconds);
        routes['/day.json'] = dayRoute();
        for (const page of pages) await page.evaluate(() => (globalThis as unknown as PageScope).load());
        await sleep(500);
      },
      play: (atMs) => first.evaluate((at) => (globalThis as unknown as PageScope).play(at), atMs),
      settled: () => first.evaluate(() => (globalThis as unknown as PageScope).seen),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Route = { body: string; contentType: string };

async function startScreen(monitors: number): Promise<Display> {
  if (monitors === 1) return startDisplay(MONITOR);
  const xorg = await startXorgDummy();
  const outputs = Array.from({ length: monitors }, (_, index) => ({
    ...{ x: index * MONITOR.width, y: 0, ...MONITOR },
    primary: index === 0,
  }));
  await xorg.setOutputs(outputs);
  return xorg;
}

/** The first window is there already; the others are placed on their monitors. */
async function openWindow(browser: Browser, url: string, index: number): Promise<Page> {
  const { context } = browser;
  const existing = context.pages()[0];
  if (index === 0 && existing !== undefined) {
    await existing.goto(url);
    return existing;
  }
  const opened = context.waitForEvent('page');
  const session = await context.newCDPSession(existing!);
  await session.send('Target.createTarget', {
    ...{ url, newWindow: true, left: index * MONITOR.width, top: 0 },
    ...MONITOR,
  });
  const page = await opened;
  await page.waitForLoadState();
  return page;
}
