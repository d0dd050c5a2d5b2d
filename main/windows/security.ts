// Deny by default, for every window there is or will be: no permission, no navigation, no new window, no webview, no
// request that leaves the app. A window that needs more has to be given it here, where it can be seen.

import { app, protocol, session } from 'electron';
import type { Session } from 'electron';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PAGE_SCHEME } from '../shared/ipc.ts';
import { CONTENT_SECURITY_POLICY, mayBeRequested, pageFile } from './model.ts';

/** In memory: the pages leave no profile, cache or storage on the disk. */
const PARTITION = 'sightline-pages';

/** Before the app is ready: Chromium fixes its list of schemes at start-up. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: PAGE_SCHEME, privileges: { standard: true, secure: true } },
  ]);
}

/** Before the first window, whichever session that uses. */
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

/** The session of our own windows: serves the pages' folder under our scheme, and nothing else. */
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

function denyPermissions(one: Session): void {
  one.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  one.setPermissionCheckHandler(() => false);
  one.setDevicePermissionHandler(() => false);
}
