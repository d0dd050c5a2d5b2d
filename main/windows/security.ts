// Deny by default, for every window: no permission, no navigation, no new window, no webview, no request that leaves the
// app. The only place where windows are created; one that needs more gets it here.

import { BrowserWindow, app, protocol, session } from 'electron';
import type { BrowserWindowConstructorOptions, Session } from 'electron';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PAGE_SCHEME } from '../shared/ipc.ts';
import { CONTENT_SECURITY_POLICY, mayBeRequested, pageFile } from './pages.ts';

/** In memory: the pages leave no profile, cache or storage on the disk. */
const PARTITION = 'sightline-pages';

/** Before the app is ready: Chromium fixes its list of schemes at start-up. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: PAGE_SCHEME, privileges: { standard: true, secure: true } },
  ]);
}

/** Before the first window. */
export function denyByDefault(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
  });
  app.on('session-created', denyPermissions);
}

/** The session of our windows: serves the pages' folder under our scheme, and nothing else. */
export function openPageSession(pagesFolder: string): Session {
  const pages = session.fromPartition(PARTITION, { cache: false });
  denyPermissions(pages);
  const developerTools = !app.isPackaged;
  pages.webRequest.onBeforeRequest(({ url }, callback) => {
    callback({ cancel: !mayBeRequested(url, developerTools) });
  });
  pages.protocol.handle(PAGE_SCHEME, async ({ url }) => {
    const file = pageFile(url);
    const body = file === null ? null : await readFile(join(pagesFolder, file.name)).catch(() => null);
    if (file === null || body === null) return new Response('Not found', { status: 404 });
    return new Response(new Uint8Array(body), {
      headers: {
        'Content-Type': file.contentType,
        'Content-Security-Policy': CONTENT_SECURITY_POLICY,
        'X-Content-Type-Options': 'nosniff',
      },
    });
  });
  return pages;
}

export interface PageOptions {
  /** From openPageSession. */
  readonly session: Session;
  readonly preloadFile: string;
  readonly url: string;
  /** Its timers run while another window is in front. */
  readonly neverThrottled?: boolean;
  /** The page could not be loaded, or its process has ended. */
  readonly onGone: (reason: string) => void;
}

/** A window with one of our pages, not shown yet. @param look everything but its web preferences */
export function openPageWindow(
  look: Omit<BrowserWindowConstructorOptions, 'webPreferences' | 'show'>,
  { session, preloadFile, url, neverThrottled = false, onGone }: PageOptions,
): BrowserWindow {
  const window = new BrowserWindow({
    ...look,
    show: false,
    webPreferences: {
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
      backgroundThrottling: !neverThrottled,
      preload: preloadFile,
      session,
    },
  });
  window.webContents.on('render-process-gone', (_event, { reason }) => onGone(reason));
  window.loadURL(url).catch((error: unknown) => onGone(String(error)));
  return window;
}

function denyPermissions(one: Session): void {
  one.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  one.setPermissionCheckHandler(() => false);
  one.setDevicePermissionHandler(() => false);
  // Chromium would download a dictionary for each session, from a host of Google's.
  one.setSpellCheckerEnabled(false);
}
