// The indicator's built page in a real browser, with its built preload over the real parser of its channels: only
// Electron's pipe between the two is the rig's. Served from an address of no machine, with the app's own headers.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { IndicatorRequests, IndicatorView } from '../../main/shared/indicatorIpc.ts';
import { INDICATOR_PAGE, indicatorArguments } from '../../main/shared/indicatorIpc.ts';
import { PAGE_ROOT } from '../../main/shared/ipc.ts';
import { CONTENT_SECURITY_POLICY, pageFile } from '../../main/windows/pages.ts';
import type { Handlers } from '../../main/windows/requests.ts';
import { answer } from '../../main/windows/requests.ts';
import type { Browser } from './browser.ts';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const ORIGIN = 'https://app.sightline.invalid/';

export interface Pill {
  readonly page: Page;
  readonly asked: { readonly channel: keyof IndicatorRequests; readonly args: readonly unknown[] }[];
  /** What the main process pushes. */
  readonly push: (view: IndicatorView) => Promise<void>;
  /** All that it has said, each with the wall-clock time at which it stood in the page. */
  said(): Promise<{ at: number; label: string; detail: string }[]>;
  /** At 200%, as PNG. */
  picture(): Promise<Buffer>;
  readonly close: () => Promise<void>;
}

export interface PillOptions {
  readonly first: IndicatorView | null;
  readonly colorScheme?: 'light' | 'dark';
  readonly suspend?: IndicatorRequests['indicator.suspend'];
}

/** Runs in the page before its own script: what Electron gives a preload, and a diary. */
const SHIM = (preload: string): string => `(() => {
  const listeners = new Map();
  window.deliver = (channel, value) => listeners.get(channel)?.({}, value);
  window.diary = [];
  const electron = {
    contextBridge: { exposeInMainWorld: (name, value) => { window[name] = value; } },
    ipcRenderer: {
      invoke: (channel, ...args) => window.invokeMain(channel, args),
      on: (channel, listener) => listeners.set(channel, listener),
    },
  };
  ((require, module, exports) => { ${preload} })(() => electron, { exports: {} }, {});
  addEventListener('DOMContentLoaded', () => {
    const write = () => {
      const [label, detail] = ['label', 'detail'].map((id) => document.getElementById(id).textContent);
      const last = window.diary.at(-1);
      if (label !== '' && (last?.label !== label || last.detail !== detail))
        window.diary.push({ at: Date.now(), label, detail });
    };
    new MutationObserver(write).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
})()`;

export async function openPill(browser: Browser, options: PillOptions): Promise<Pill> {
  const page = await browser.context.newPage();
  // As the main process does it: the window is as wide as its page asks for.
  const size = { width: 440, height: 36 };
  const asked: Pill['asked'] = [];
  const handlers: Handlers<IndicatorRequests> = {
    'indicator.get': () => options.first,
    'indicator.suspend': options.suspend ?? (() => Promise.resolve(true)),
    'indicator.shrink': () => undefined,
    'indicator.hide': () => undefined,
    'indicator.open': () => undefined,
    'indicator.move': () => undefined,
    'indicator.fit': (width) => void (size.width = width),
  };
  await page.exposeFunction('invokeMain', (channel: keyof IndicatorRequests, args: unknown[]) => {
    const sender = { url: INDICATOR_PAGE, isTopFrame: true };
    const asking = { url: INDICATOR_PAGE, arguments: indicatorArguments };
    const answered = answer<IndicatorRequests, keyof IndicatorRequests>(
      asking,
      handlers,
      channel,
      sender,
      args,
    );
    asked.push({ channel, args });
    return answered;
  });
  await page.addInitScript(SHIM(await readFile(`${dist}preload/indicator.cjs`, 'utf8')));
  await page.route(`${ORIGIN}**`, async (route) => {
    const file = pageFile(route.request().url().replace(ORIGIN, PAGE_ROOT));
    if (file === null) return route.fulfill({ status: 404 });
    return route.fulfill({
      body: await readFile(`${dist}renderer/${file.name}`),
      headers: { 'Content-Type': file.contentType, 'Content-Security-Policy': CONTENT_SECURITY_POLICY },
    });
  });
  await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light' });
  await page.setViewportSize(size);
  await page.goto(`${ORIGIN}indicator.html`);
  if (options.first !== null) {
    await page.waitForSelector('#pill:not([hidden])');
    while (!asked.some(({ channel }) => channel === 'indicator.fit')) await page.waitForTimeout(10);
    await page.setViewportSize(size);
  }
  return {
    page,
    asked,
    push: (view) =>
      page.evaluate((one) => (globalThis as unknown as PageSide).deliver('indicator.changed', one), view),
    said: () => page.evaluate(() => (globalThis as unknown as PageSide).diary),
    async picture() {
      const devtools = await page.context().newCDPSession(page);
      const metrics = { ...size, deviceScaleFactor: 2, mobile: false };
      await devtools.send('Emulation.setDeviceMetricsOverride', metrics);
      const { data } = await devtools.send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data, 'base64');
    },
    close: () => page.close(),
  };
}

interface PageSide {
  deliver(channel: string, view: IndicatorView): void;
  readonly diary: { at: number; label: string; detail: string }[];
}
